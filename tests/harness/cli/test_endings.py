"""How a run ends: what has no scores and why, the exit status, an adapter's own tracebacks, and what Ctrl-C leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.harness.models.abilities import misspelt

Command = Callable[..., tuple[int, str, str]]

MODEL = """
import glob
import os
import time
import numpy as np

class M:
    fingerprint = "m"
    batch_size = 2

    def load_weights(self):
        {loading}

    def {method}(self, images):
        for image in images:
            self.look(image)
        return np.stack([np.asarray(image.resize((2, 2)), np.float32).ravel() for image in images])

    def look(self, image):
        {broken}

    def embed_texts(self, texts):
        return np.stack([np.full(12, len(text), np.float32) + np.arange(12) for text in texts])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: six pictures, two of them dark, with a task that classifies and one that asks."""
    (tmp_path / "pictures").mkdir()
    rows = []
    for i, label in enumerate(["cat", "dog"] * 3):
        pixels = np.full((4, 5, 3), 10 + i if i < 2 else 40 * i, np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "pictures" / f"{i}.png")
        rows.append(f"pictures/{i}.png,{label},What is it?,{label}\n")
    (tmp_path / "photos.csv").write_text("image,label,question,answers\n" + "".join(rows))
    (tmp_path / "asked.csv").write_text("photo,label,question,answers\n" + "".join(rows))
    (tmp_path / "animals.yaml").write_text(
        "name: animals\nfamily: zero-shot-classification\nsource: {kind: csv, path: photos.csv}\n"
    )
    (tmp_path / "ask.yaml").write_text("name: ask\nfamily: vqa\nsource: {kind: csv, path: asked.csv}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "300")  # no cell is folded
    return tmp_path


def model(folder: Path, method: str = "embed_images", broken: str = "pass", loading: str = "pass") -> tuple[str, ...]:
    (folder / "m.py").write_text(MODEL.format(method=method, broken=broken, loading=loading))
    return "run", "--model", "m.py:M"


DARK = "if np.asarray(image).mean() < 20: raise ValueError('too dark')"


def test_a_misspelt_method_ends_with_a_table_and_status_1(folder: Path, command: Command) -> None:
    asked = (*model(folder, "embed_image"), "--task", "animals.yaml")
    code, out, err = command(*asked)
    assert (code, out) == (1, "")
    assert "Without scores" in err and "next step" in err
    assert "it has 'embed_image': did you mean" in " ".join(err.split())
    assert "call it embed_images in the adapter" in " ".join(err.split())
    code, out, _ = command(*asked, "--model", "chance", "--format", "json")
    assert code == 1, "one named model was scored on nothing, the other on all"
    rows = json.loads(out)
    reasons = {row["model"]: row.get("reason") for row in rows}
    assert reasons["chance"] is None and "did you mean 'embed_images'?" in reasons["M"]
    assert {row["value"] for row in rows if row["model"] == "M"} == {None}


@pytest.mark.parametrize(
    ("has", "found"),
    [
        ("embed_image", {"embed_images": "embed_image"}),
        ("embedTexts", {"embed_texts": "embedTexts"}),
        ("encode_image", {"embed_images": "encode_image"}),
        ("encode_text", {"embed_texts": "encode_text"}),
        ("generate_text", {"generate": "generate_text"}),
        ("score_text", {"score_texts": "score_text"}),
        ("prepare_image", {}),
        ("forward", {}),
        ("load_weights", {}),
    ],
)
def test_methods_that_come_near_an_ability(has: str, found: dict[str, str]) -> None:
    assert misspelt(type("Some", (), {has: lambda self, given: given})()) == found


def test_looking_for_a_misspelt_method_asks_no_property() -> None:
    class Lazy:
        @property
        def embed_image(self) -> None:
            raise AssertionError

    assert misspelt(Lazy()) == {}


def test_a_forgotten_column_of_pictures_is_named(folder: Path, command: Command) -> None:
    code, _, err = command("run", "--model", "chance", "--task", "ask.yaml")
    said = " ".join(err.split())
    assert code == 1
    assert "no column is called 'image' (columns: photo, label, question, answers)" in said
    assert "fields: {image: COLUMN}" in said


def test_a_task_that_cannot_be_asked_beside_one_that_was_is_no_failure(folder: Path, command: Command) -> None:
    code, out, _ = command("run", "--model", "chance", "--task", "animals.yaml", "--task", "ask.yaml")
    assert code == 0
    assert out.index("Scores") < out.index("Without scores")


@pytest.mark.parametrize(("most", "status"), [(None, 1), (1, 1), (2, 0), (9, 0)])
def test_errors_up_to_a_number_leave_status_0(folder: Path, command: Command, most: int | None, status: int) -> None:
    asked = (*model(folder, broken=DARK), "--task", "animals.yaml")
    code, out, _ = command(*asked, *(() if most is None else ("--max-errors", str(most))))
    assert code == status
    said = " ".join(out.split())
    assert "2 items without a score; the first: ValueError: too dark" in said
    assert "mmbench show M --task animals --wrong" in said


def test_a_model_without_any_score_fails_whatever_number_of_errors_is_let_pass(folder: Path, command: Command) -> None:
    asked = (*model(folder, broken="raise ValueError('no')"), "--task", "animals.yaml")
    code, out, _ = command(*asked, "--max-errors", "100", "--format", "json")
    assert (code, {row["value"] for row in json.loads(out)}) == (1, {None})
    assert {row["reason"] for row in json.loads(out)} == {"ValueError: no"}


def test_debug_shows_the_adapters_own_code_once_a_kind(folder: Path, command: Command) -> None:
    asked = (*model(folder, broken=DARK), "--task", "animals.yaml")
    _, _, err = command(*asked, "--debug")
    assert err.count("Traceback (most recent call last)") == 1
    shown = err[err.index("Traceback") :]
    assert "in look" in shown and "ValueError: too dark" in shown
    assert os.sep + "harness" + os.sep not in shown
    assert "Traceback" not in command(*asked)[2]


def test_in_python_an_ending_is_a_row(folder: Path) -> None:
    made = mmbench.run("chance", task=["animals.yaml", "ask.yaml"])
    (end,) = made.endings()
    assert (end.model, end.tasks, made.exit_code) == ("chance", ("ask@1",), 0)
    assert end.as_json()["step"] == end.step


def test_the_loading_of_a_model_is_told_and_is_no_part_of_its_speed(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "perf_counter", time.perf_counter)  # is put back after the test
    passing = "clock = time.perf_counter; time.perf_counter = lambda: clock() + 1e6"
    asked = (*model(folder, loading=passing), "--task", "animals.yaml")
    _, _, err = command(*asked)
    assert err.splitlines()[0] == "loading M"
    (file,) = (folder / "results" / "runs" / "M").glob("*.json")
    record = json.loads(file.read_text())
    assert record["seconds"] < 1e6
    assert record["items_per_second"] == pytest.approx(6 / record["seconds"], rel=0.1)
    assert "loading" not in command(*asked)[2], "all is remembered, and nothing is loaded"


WAIT = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from mmbench.harness.cli.app import main
main()
"""


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(folder: Path) -> None:
    # Folders, not a file: an interrupt within the closing of a file that nobody holds would be lost to Python.
    slow = "os.mkdir(f'looked{len(os.listdir())}'); time.sleep(0.2 if len(glob.glob('looked*')) < 4 else 3600)"
    asked = [*model(folder, broken=slow), "--task", "animals.yaml"]
    process = subprocess.Popen([sys.executable, "-c", WAIT, *asked], stderr=subprocess.PIPE, text=True)  # noqa: S603
    while process.poll() is None and len([*folder.glob("looked*")]) < 4:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "stopped in task 1 of 1 · M · animals@1; kept: 0 records, and" in err
    assert "of this task in the store. To go on from there, run the same again: mmbench run --model m.py:M" in err


def test_the_next_command_can_be_pasted(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    *_, err = command("run", "--model", "chance", "--task", "digits", "--limit", "2", "--output", "my results")
    assert err.endswith("Next: mmbench leaderboard --output 'my results'\n")
    Path("notes").write_text("no record")
    for arguments, said in (
        (("leaderboard", "--output", "no such"), "make one with: mmbench run --output 'no such'"),
        (("leaderboard", "--output", "notes"), "notes is a file, and results are a folder"),
        (("show", "notes"), "notes is no record of a run; records are the .json files below results/runs"),
    ):
        status, _, err = command(*arguments)
        assert (status, said in err) == (2, True), err


def test_a_thread_that_nobody_stops_keeps_no_process(folder: Path) -> None:
    staying = "import threading; threading.Thread(target=time.sleep, args=(3600,)).start()"
    asked = [*model(folder, loading=staying), "--task", "animals.yaml", "--format", "json"]
    ending = "from mmbench.harness.cli import app, streams; streams.PATIENCE = 0.1; app.script()"
    run = [sys.executable, "-c", ending, *asked]
    made = subprocess.run(run, capture_output=True, text=True, timeout=600, check=True)  # noqa: S603
    assert json.loads(made.stdout)[0]["n"] == 6


def test_threads_that_wait_for_work_delay_no_end_and_exit_handlers_run(folder: Path) -> None:
    pool = "import atexit; from concurrent.futures import ThreadPoolExecutor; list(ThreadPoolExecutor(2).map(abs, [1]))"
    asked = [*model(folder, loading=f"{pool}; atexit.register(print, 'left')"), "--task", "animals.yaml"]
    ending = "from mmbench.harness.cli import app, streams; streams.PATIENCE = 3600; app.script()"
    run = [sys.executable, "-c", ending, *asked, "--format", "json"]
    made = subprocess.run(run, capture_output=True, text=True, timeout=600, check=True)  # noqa: S603
    assert json.loads(made.stdout)[0]["n"] == 6
    assert made.stderr.endswith("left\n")
