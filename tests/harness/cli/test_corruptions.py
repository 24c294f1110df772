"""Corruptions from the command line to records, boards, items, comparisons and the report."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

Command = Callable[..., tuple[int, str, str]]

MODELS = """\
import numpy as np

class Threshold:
    "Calls bright what is brighter than level 100."
    fingerprint = "threshold"
    def embed_images(self, images):
        return np.array([[1.0, 0.0] if np.asarray(image).mean() > 100 else [0.0, 1.0] for image in images])
    def embed_texts(self, texts):
        return np.array([[1.0, 0.0] if "bright" in text else [0.0, 1.0] for text in texts])

class Oracle:
    "Is told the answer in the question, and looks at the picture all the same."
    fingerprint = "oracle"
    def generate(self, prompts, settings):
        assert all(len(images) == 1 for images, _ in prompts)
        return [prompt.split("'")[1] for _, prompt in prompts]
"""
COUNT = 6


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with pictures of one level each, half of them dark and half bright, and tasks over them."""
    rows = []
    for n in range(COUNT):
        pixels = np.full((30, 40, 3), [0, 200][n % 2], np.uint8)
        pixels[0, 0] = n  # no two are equal
        PIL.Image.fromarray(pixels).save(tmp_path / f"{n}.png")
        answer = ["dark", "bright"][n % 2]
        row = {"image": f"{n}.png", "label": answer, "question": f"Say '{answer}'.", "answers": [answer]}
        rows.append(row | {"captions": [f"a {answer} picture {n}"], "boxes": [[0, 0, 4, 4]]})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, family, more in (
        ("light", "zero-shot-classification", ""),
        ("said", "vqa", "metrics: [exact_match]\n"),
        ("search", "retrieval", ""),
        ("learnt", "probe", "shots: [1]\nsweep: false\n"),
    ):
        text = f"name: {name}\nfamily: {family}\nsource: {{kind: jsonl, path: data.jsonl}}\n{more}"
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "mine.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def values(out: str) -> dict[str | None, float | None]:
    """The primary score under each control."""
    return {row["control"]: row["value"] for row in json.loads(out) if row["primary"]}


def test_each_corruption_and_severity_has_rows_and_a_record(folder: Path, command: Command) -> None:
    arguments = (
        "run",
        "--model",
        "mine.py:Threshold",
        "--task",
        "light.yaml",
        "--corruptions",
        "brightness,contrast@5",
    )
    code, out, err = command(*arguments, "--format", "json")
    assert code == 0
    rows = json.loads(out)
    assert values(out) == {
        None: 1.0,
        "uncorrupted": 1.0,
        **{f"brightness@{severity}": 1.0 for severity in (1, 2, 3)},
        **{f"brightness@{severity}": 0.5 for severity in (4, 5)},  # black becomes 102 and 127
        "contrast@5": 1.0,
    }
    assert len({row["protocol"] for row in rows}) == 1
    assert all(row["low"] is not None and row["n"] == COUNT for row in rows if row["primary"])
    assert "done Threshold · light@1 (brightness@4): 6 asked, 2 remembered" in err
    records = list((folder / "results" / "runs" / "Threshold").glob("light@1-*.json"))
    assert len(records) == 8
    corrupted = [json.loads(file.read_text()) for file in records if "brightness@4" in file.read_text()]
    assert [each["control"] for each in corrupted] == ["brightness@4"]
    assert any("224 pixels on their shorter side" in note for note in corrupted[0]["notes"])

    code, out, err = command(*arguments)
    assert code == 0
    assert err.count(": 0 asked, ") == 8, "all is remembered, and nothing is drawn again"
    lines = [line.split() for line in out.partition("Corruptions")[2].splitlines() if line.strip()]
    assert ["task", "and", "corruption", "model", "1", "2", "3", "4", "5", "mean", "retained"] in lines
    assert ["brightness", "Threshold", "1.000", "1.000", "1.000", "0.500", "0.500", "0.800", "0.800"] in lines
    assert ["contrast", "-", "-", "-", "-", "1.000", "1.000", "1.000"] in lines
    assert ["all", "-", "-", "-", "-", "-", "0.900", "0.900"] in lines
    assert "no figures of ImageNet-C" in out
    assert "mCE" not in out

    # Never beside clean rows.
    board = json.loads(command("leaderboard", "--format", "json")[1])
    assert [(row["control"], row["value"]) for row in board if row["primary"]] == [(None, 1.0)]
    items = json.loads(command("show", "Threshold", "--format", "json")[1])
    assert [item["values"]["accuracy"] for item in items] == [1.0] * COUNT
    out = command("show", "Threshold", "--task", "light.yaml")[1]
    assert "brightness" in out.partition("Corruptions")[2]
    record = next(file for file in records if "brightness@4" in file.read_text())
    out = command("show", str(record), "--wrong")[1]
    assert "Threshold · light@1 (brightness@4)" in out
    assert out.count("dark") == COUNT // 2
    compared = json.loads(command("compare", "Threshold", "Threshold", "--format", "json")[1])
    assert [(row["a"], row["b"]) for row in compared["rows"]] == [(1.0, 1.0)]
    command("report")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('<section id="corruptions"') == 1
    assert '<td class="figure">0.800</td>' in page


def test_an_oracle_stays_one_and_chance_stays_chance(folder: Path, command: Command) -> None:
    named = ("--corruptions", "gaussian_noise@5,pixelate@3", "--format", "json")
    code, out, _ = command("run", "--model", "mine.py:Oracle", "--task", "said.yaml", *named)
    assert (code, set(values(out).values()), len(values(out))) == (0, {1.0}, 4)
    named = ("--corruptions", "contrast@5,pixelate@3", "--format", "json")
    code, out, _ = command("run", "--model", "chance", "--task", "digits", "--limit", "150", *named)
    assert (code, len(values(out))) == (0, 4)
    assert all(row["low"] < 0.1 < row["high"] for row in json.loads(out) if row["primary"])


def test_corruptions_are_planned_as_they_are_asked(folder: Path, command: Command) -> None:
    arguments = ("run", "--model", "mine.py:Threshold", "--task", "light.yaml", "--corruptions", "shot_noise@1-2")
    plans = json.loads(command(*arguments, "--controls", "blind", "--dry-run", "--format", "json")[1])
    assert [(plan["control"], plan["inputs"], plan["remembered"]) for plan in plans] == [
        (None, COUNT + 2, 0),
        ("blind", 3, 2),
        ("uncorrupted", COUNT + 2, 2),
        ("shot_noise@1", COUNT + 2, 2),
        ("shot_noise@2", COUNT + 2, 2),
    ]


def test_what_cannot_be_corrupted_is_said_and_no_failure(folder: Path, command: Command) -> None:
    tasks = [part for name in ("search.yaml", "learnt.yaml", "scenes-grounding") for part in ("--task", name)]
    named = ("--corruptions", "pixelate@1", "--limit", str(COUNT), "--format", "json")
    plans = json.loads(command("run", "--model", "mine.py:Threshold", *tasks, *named, "--dry-run")[1])
    code, out, err = command("run", "--model", "mine.py:Threshold", *tasks, *named)
    assert code == 0, err
    found = {(row["task"], row["control"]): row["value"] for row in json.loads(out) if row["primary"]}
    assert None not in (found["search", "pixelate@1"], found["learnt", None], found["scenes-grounding", None])
    assert found["learnt", "uncorrupted"] is found["scenes-grounding", "uncorrupted"] is None
    assert len(found) == 3 + 2 + 2, "said once, not for each corruption"
    assert err.count("not corrupted") == 2
    assert "pictures of probe are not corrupted: it would also learn from corrupted ones" in err
    assert [(plan["task"], plan["control"]) for plan in plans] == [
        *(("search@1", control) for control in (None, "uncorrupted", "pixelate@1")),
        *((task, control) for task in ("learnt@1", "scenes-grounding@1") for control in (None, "uncorrupted")),
    ]
    assert "pictures of grounding are not corrupted: its boxes and points are in pixels of the picture's own" in err


def test_a_picture_that_cannot_be_read_is_an_error_under_each(folder: Path, command: Command) -> None:
    (folder / "2.png").write_bytes(b"no picture")
    arguments = ("run", "--model", "mine.py:Threshold", "--task", "light.yaml", "--corruptions", "fog@1")
    code, out, _ = command(*arguments, "--format", "json")
    rows = [row for row in json.loads(out) if row["primary"]]
    assert (code, [(row["n"], row["value"]) for row in rows]) == (1, [(COUNT - 1, 1.0)] * 3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("snow@3", "the corruption 'snow' is not provided, for ImageNet-C makes it by ImageMagick; there are gaussian"),
        ("fogg", "there is no corruption 'fogg'; did you mean 'fog'?"),
        ("fog@7", "'fog@7' has no severities: they are whole numbers from 1 to 5"),
        ("fog,weather", "the corruption 'fog@1' is asked for twice"),
        ("", "--corruptions is given and empty"),
    ],
)
def test_bad_names_end_with_a_sentence(folder: Path, command: Command, given: str, expected: str) -> None:
    code, out, err = command("run", "--model", "chance", "--task", "light.yaml", "--corruptions", given)
    assert (code, out) == (2, "")
    assert expected in " ".join(err.split())
    assert not (folder / "results").exists()
