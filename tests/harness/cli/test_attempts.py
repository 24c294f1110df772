"""A good run, then a broken model under the same name: no command takes the old records for the new model's."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.run.sitting import Sitting

Command = Callable[..., tuple[int, str, str]]

MODEL = """
import os, signal
import numpy as np

class M:
    fingerprint = "{fingerprint}"

    def embed_images(self, images):
        {broken}
        return np.stack([np.asarray(image.resize((2, 2)), np.float32).ravel() for image in images])

    def embed_texts(self, texts):
        return np.stack([np.full(12, len(text), np.float32) + np.arange(12) for text in texts])
"""
TASK = "name: {name}\nfamily: zero-shot-classification\nsource: {{kind: folder, path: {name}}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: two tasks of six pictures of two classes."""
    for seed, task in enumerate(("one", "two")):
        for i, label in enumerate(["cat", "dogs"] * 3):
            file = tmp_path / task / label / f"{i}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng([seed, i]).integers(0, 255, (4, 5, 3), np.uint8)
            PIL.Image.fromarray(pixels).save(file)
        (tmp_path / f"{task}.yaml").write_text(TASK.format(name=task))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def run(folder: Path, broken: str = "pass", fingerprint: str = "good", tasks: str = "one two") -> list[str]:
    (folder / "m.py").write_text(MODEL.format(broken=broken, fingerprint=fingerprint))
    asked = [part for task in tasks.split() for part in ("--task", f"{task}.yaml")]
    return ["run", "--model", "m.py:M", *asked, "--name", "cand"]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "results" / "runs" / "cand").iterdir())


def test_a_broken_model_under_the_label_of_a_good_one(folder: Path, command: Command) -> None:
    assert command("run", "--model", "chance", "--task", "one.yaml", "--task", "two.yaml")[0] == 0
    assert command(*run(folder))[0] == 0
    good = files(folder)
    assert len(good) == 4, "no mark is left where all went well"
    assert command("check", "cand", "--baseline", "chance")[0] in (0, 1)

    assert command(*run(folder, "raise RuntimeError('a bug of yesterday')", "broken"))[0] == 1
    assert set(good) < set(files(folder)), "nothing is lost"
    code, out, _ = command("check", "cand", "--baseline", "chance", "--format", "json")
    made = json.loads(out)
    assert (code, made["verdict"], made["rows"]) == (2, "not_comparable", [])
    code, out, _ = command("leaderboard")
    assert code == 0
    assert "left out: 2 records of another model that was called cand before" in " ".join(out.split())

    assert command(*run(folder, fingerprint="mended"))[0] == 0
    made = json.loads(command("check", "cand", "--baseline", "chance", "--format", "json")[1])
    assert len(made["rows"]) == 2
    assert made["candidate_fingerprint"] != made["baseline_fingerprint"]


def test_one_task_of_the_new_weights_is_no_run(folder: Path, command: Command) -> None:
    assert command("run", "--model", "chance", "--task", "one.yaml", "--task", "two.yaml")[0] == 0
    assert command(*run(folder))[0] == 0
    assert command(*run(folder, fingerprint="other", tasks="two"))[0] == 0
    code, out, _ = command("check", "cand", "--baseline", "chance", "--format", "json")
    made = json.loads(out)
    assert (code, made["verdict"]) == (2, "not_comparable")
    assert [each["task"] for each in made["incomparable"]] == ["one"]
    rows = json.loads(command("leaderboard", "--format", "json")[1])
    standing = {(row["model"], row["task"]) for row in rows if row["primary"] and row["standing"]}
    assert standing == {("chance", "one"), ("chance", "two"), ("cand", "two")}


def test_a_run_that_was_killed_leaves_word(folder: Path, command: Command) -> None:
    assert command(*run(folder))[0] == 0
    killed = run(folder, "os.kill(os.getpid(), signal.SIGKILL)", "killed")
    assert subprocess.run([sys.executable, "-m", "mmbench", *killed], check=False).returncode == -9
    code, _, err = command("show", "cand")
    assert code == 2
    assert "cand on one@1 was stopped before its end; run it again" in err
    assert command(*run(folder, fingerprint="killed"))[0] == 0
    assert command("show", "cand")[0] == 0


def test_a_folder_of_failures_has_a_board_that_says_so(folder: Path, command: Command) -> None:
    failing = run(folder, tasks="one")
    text = (folder / "m.py").read_text()
    (folder / "m.py").write_text(text.replace("return np.stack([np.full", "return 7 or ([np.full"))
    assert command(*failing)[0] == 1
    code, out, _ = command("leaderboard")
    assert code == 0
    assert "no scores: cand on one@1 failed (embed_texts got 2 inputs" in " ".join(out.split())
    assert command("check", "cand", "--baseline", "cand")[0] == 2


def test_weights_that_are_gone_for_a_control_leave_the_record_of_the_question(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmbench.harness.errors import WeightsUnavailable
    from mmbench.harness.run import session

    def control_of(sitting: Sitting, settings: object) -> None:
        if sitting.control and sitting.task.name == "one":
            raise WeightsUnavailable("weights are gone")

    monkeypatch.setattr(session, "control_of", control_of)
    code, _, err = command(*run(folder), "--controls", "blind")
    assert (code, err.count("weights are gone")) == (1, 1)
    shown = json.loads(command("show", "cand", "--format", "json")[1])
    assert {item["task"] for item in shown} == {"one"}, "asked before its control, and so was not lost"
    assert "cand on one@1 (blind), two@1, two@1 (blind) failed (weights are gone)" in command("show", "cand")[2]
