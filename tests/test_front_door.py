"""The front door: public names, version, completion, and wrong arguments told in the words of the command line."""

import importlib.metadata
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import mmbench


def test_names_are_the_public_ones() -> None:
    assert dir(mmbench) == mmbench.__all__
    for name in ("UsageError", "DataError", "task", "metrics", "Profile"):
        assert name in dir(mmbench)
    assert mmbench.__version__ == importlib.metadata.version("mmbench")
    assert issubclass(mmbench.DataError, mmbench.UsageError)


def test_version(command: Callable[..., tuple[int, str, str]]) -> None:
    assert command("--version") == (0, f"mmbench {mmbench.__version__}\n", "")


def test_shells_complete_commands() -> None:
    environment = {**os.environ, "_MMBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "mmbench lea", "COMP_CWORD": "1"}
    script = Path(sys.executable).with_name("mmbench")
    done = subprocess.run([str(script)], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout.split(), done.stderr) == (["leaderboard"], "")


def asked(**more: object) -> mmbench.Run:
    return mmbench.run("chance", task="digits", limit=5, **more)  # type: ignore[arg-type]


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: asked(route="embd"), "there is no route 'embd'; did you mean 'embed'? (embed, likelihood, generate)"),
    (lambda: mmbench.run("chance", task="digits", limit="10"), "the limit must be a whole number, not '10'"),  # type: ignore[arg-type]
    (lambda: mmbench.run("chance", task="digits", limit=2.5), "the limit must be a whole number, not 2.5"),  # type: ignore[arg-type]
    (lambda: mmbench.run("chance", task="digits", limit=True), "the limit must be a whole number, not True"),
    (lambda: mmbench.run("chance", task="digits", limit=0), "the limit must be at least 1, not 0"),
    (lambda: asked(seed="x"), "the seed must be a whole number, not 'x'"),
    (lambda: asked(seed=-1), "the seed must be at least 0, not -1"),
    (lambda: asked(batch_size=0), "the batch size must be at least 1, not 0"),
    (lambda: asked(batch_size="big"), "the batch size must be a whole number, not 'big'"),
    (lambda: asked(max_minutes=-1), "max_minutes is a number of minutes, not -1"),
    (lambda: asked(max_minutes=float("nan")), "max_minutes is a number of minutes, not nan"),
    (lambda: asked(dtype="fp23"), "unknown dtype 'fp23'; did you mean 'fp32'?; known are auto, fp32, fp16, bf16"),
    (lambda: asked(device=0), "the device is auto, cpu, cuda or cuda:N, not 0"),
    (lambda: asked(controls="blnd"), "there is no control 'blnd'; did you mean 'blind'?"),
    (lambda: asked(controls=["blnd"]), "there is no control 'blnd'; did you mean 'blind'?"),
    (lambda: asked(name=5), "the name of a model is a text, not 5"),
    (lambda: mmbench.run([]), "an empty list names no model and no task; leave it out for the default"),
    (lambda: mmbench.run("chance", task=[]), "an empty list names no model and no task"),
    (lambda: mmbench.run("chance", tasks=[]), "an empty list names no model and no task"),
    (lambda: mmbench.run("chance", task=5), "a task is a name, a YAML file or made by mmbench.task, not 5"),  # type: ignore[arg-type]
    (lambda: mmbench.run("chance", task=[None]), "a task is a name, a YAML file or made by mmbench.task, not None"),  # type: ignore[list-item]
    (lambda: mmbench.run("chance", suite=5), "a suite is a name or a YAML file, not 5"),  # type: ignore[arg-type]
    (lambda: mmbench.run("chance", suite="digts"), "there is no suite 'digts'; did you mean 'digits'?"),
    (lambda: mmbench.score(5, "x.jsonl"), "a task is a name, a YAML file or made by mmbench.task, not 5"),  # type: ignore[arg-type]
    (lambda: mmbench.compare("a", "b", alpha="x"), "alpha is a number between 0 and 1, not x"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_wrong_arguments_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(mmbench.UsageError) as caught:
        call()
    assert reason in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_the_command_line_takes_python_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nfamily: zero-shot-classification\nsource: {kind: builtin, path: sklearn-digits}\n"
    )
    made = mmbench.run("chance", task=Path("mine.yaml"), tasks=["digits"], limit=5, batch_size="auto")
    assert [record.task for record in made.records] == ["mine", "digits"]


def test_what_is_public_goes_through_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"image": np.full((4, 4, 3), 90 * i, np.uint8), "label": "ab"[i % 2]} for i in range(3)]
    task = mmbench.task(family="zero-shot-classification", rows=rows, classes=["a", "b"])
    run = mmbench.run(model=["chance", "chance:1", "pixels"], task=[task, "digits"])
    Path("p.jsonl").write_text('{"id": "0", "prediction": "four"}\n')
    scored = mmbench.score("digits", "p.jsonl")
    held = mmbench.load("results")
    compared, checked = mmbench.compare("chance", "chance-1"), mmbench.check("chance-1", "chance")
    made = pickle.loads(pickle.dumps((task, run, scored, held, compared, checked)))
    assert made[0].protocol_id("d") == task.protocol_id("d")
    assert (made[1].rows(), made[1].endings()) == (run.rows(), run.endings())
    assert made[1].profile().equals(run.profile())
    assert (made[2].rows(), made[2].items()) == (scored.rows(), scored.items())
    assert made[3].leaderboard().equals(held.leaderboard())
    assert (made[4].as_json(), made[5].as_json()) == (compared.as_json(), checked.as_json())
    assert mmbench.run(model="chance", task=made[0]).rows()[0]["value"] == run.rows()[0]["value"]


def test_what_is_given_in_place_of_a_model_a_run_or_a_device_is_named(tmp_path: Path) -> None:
    class Mine:
        fingerprint = "mine"

        def generate(self, prompts: object, settings: object) -> list[str]:
            return []

    with pytest.raises(mmbench.UsageError, match=r"Mine is a class, and a model is an object: give Mine\(\)"):
        mmbench.run(model=Mine, task="digits")
    with pytest.raises(mmbench.UsageError, match="a label, a record file or a folder of records, not a list"):
        mmbench.compare([], "b", output=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(mmbench.UsageError, match="the results folder is a path, not None"):
        mmbench.run(model="chance", task="digits", output=None)  # type: ignore[arg-type]
    with pytest.raises(mmbench.UsageError, match="unknown device 'cudaa'; did you mean 'cuda'"):
        mmbench.run(model="chance", task="digits", device="cudaa")
