"""Clips asked of services: their frames as pictures, in order; what a service does not take is told."""

import json
from pathlib import Path

import PIL.Image
import pytest

from tests.adapters.api.fake import Say, failure
from tests.adapters.api.test_requests import shown
from tests.clips import frame, index_in


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    rows = []
    for number in range(2):
        for at in range(6):
            file = tmp_path / str(number) / f"{at}.png"
            file.parent.mkdir(exist_ok=True)
            PIL.Image.fromarray(frame(10 * number + at)).save(file)
        rows.append({"id": str(number), "video": str(number), "question": f"Is it {number}?", "target": "yes"})
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = tmp_path / "t.yaml"
    task.write_text("name: t\nfamily: yes-no\nsource: {kind: jsonl, path: t.jsonl}\nframes: {count: 3}\n")
    return task


def test_frames_are_pictures_in_order_before_the_question(clips, serve, ask):
    server = serve()
    assert ask(server.spec(",detail=low"), clips).exit_code == 0
    for number, asked in enumerate(sorted(server.asked, key=lambda each: each.text)):
        content = asked.body["messages"][0]["content"]
        assert [part["type"] for part in content] == ["image_url"] * 3 + ["text"]
        assert {part["image_url"]["detail"] for part in content[:3]} == {"low"}
        assert [index_in(shown(url)[1]) for url in asked.pictures] == [10 * number + at for at in (0, 2, 5)]
        assert asked.text.startswith(f"Is it {number}?")


def test_more_pictures_than_a_service_takes_are_told(clips, serve, command, tmp_path):
    server = serve(lambda asked: Say(failure("At most 2 image(s) may be provided in one prompt."), 400))
    given = ["--task", str(clips), "--yes", "--output", str(tmp_path / "r"), "--store", str(tmp_path / "s")]
    status, out, _ = command("run", "--model", server.spec(), *given)
    assert status == 1
    said = " ".join(out.split())
    assert "At most 2 image(s) may be provided in one prompt.; 3 pictures were sent, and of a clip the task's" in said
    status, out, err = command("run", "--model", server.spec(), *given, "--route", "likelihood")
    assert status == 1 and "choose needs score_texts" in f"{out} {err}"
    scoring = server.spec(",likelihood=completions")
    status, out, err = command("run", "--model", scoring, *given, "--route", "likelihood")
    assert status == 1 and "completions show no pictures; leave out" in " ".join(f"{out} {err}".split())
