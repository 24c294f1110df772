"""The gate names what damage broke, of a real model, and nothing else; an untouched one holds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mmbench
from mmbench.harness.cli.app import main
from tests.lazy import safetensors, torch

TINY = Path(mmbench.__file__).parent / "adapters" / "tiny" / "models" / "tiny-coca"
Gate = Callable[..., tuple[int, Any]]
TASKS = ["scenes-colour", "scenes-shape"]

FLIPPED = """
import re

from mmbench.adapters.open_clip.adapter import from_spec


class Flipped:
    # tiny-coca, to whom a circle is a square and a square a circle

    def __init__(self):
        self._model = from_spec("mmbench/tiny-coca", device="cpu", dtype="fp32", offline=True)
        self.fingerprint = "flipped " + self._model.fingerprint
        self.prepare_image = self._model.prepare_image
        self.embed_images = self._model.embed_images

    def embed_texts(self, texts):
        swap = {"circle": "square", "square": "circle"}
        return self._model.embed_texts([re.sub("circle|square", lambda word: swap[word[0]], text) for text in texts])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with records of the model as it is, run twice, and of two damaged ones."""
    folder = tmp_path_factory.mktemp("damage")
    noised = folder / "noised"
    shutil.copytree(TINY, noised)
    weights = safetensors.load_file(noised / "open_clip_model.safetensors")
    torch.manual_seed(0)
    for name, each in weights.items():
        if name.startswith("visual.") and each.is_floating_point() and each.ndim > 1:
            weights[name] = (each + 0.5 * each.float().std() * torch.randn(each.shape)).to(each.dtype)
    safetensors.save_file(weights, noised / "open_clip_model.safetensors")
    (folder / "flipped.py").write_text(FLIPPED)
    models = {"before": "tiny-coca", "again": "tiny-coca", "noised": f"open_clip:{noised}"}
    models["flipped"] = f"{folder / 'flipped.py'}:Flipped"
    for name, model in models.items():
        made = mmbench.run(model=model, task=TASKS, name=name, output=folder / "results", store=folder / "store.sqlite")
        assert made.exit_code == 0
    return folder


@pytest.fixture
def gate(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Runs a command that prints JSON in the folder, and returns its exit status and what it printed."""
    monkeypatch.chdir(folder)

    def call(*arguments: str) -> tuple[int, Any]:
        monkeypatch.setattr("sys.argv", ["mmbench", *arguments, "--format", "json"])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return call


def verdicts(made: Any) -> dict[str, str]:
    return {row["task"]: row["verdict"] for row in made["rows"]}


@pytest.mark.slow
def test_two_runs_of_one_model_are_tied_and_hold(
    gate: Gate,
) -> None:
    assert set(verdicts(gate("compare", "before", "again")[1]).values()) == {"tied"}
    code, made = gate("check", "again", "--baseline", "before", "--strict")
    assert (code, made["verdict"]) == (0, "held")


@pytest.mark.slow
def test_one_class_flipped_is_named(gate: Gate) -> None:
    code, made = gate("check", "flipped", "--baseline", "before")
    assert code == 1
    assert verdicts(made) == {"scenes-colour": "held", "scenes-shape": "regressed"}


@pytest.mark.slow
def test_noised_weights_are_named(gate: Gate) -> None:
    code, made = gate("check", "noised", "--baseline", "before")
    fell = {row["task"] for row in made["rows"] if float(row["difference"]) < -0.03}
    assert code == 1
    assert fell and {task for task, verdict in verdicts(made).items() if verdict == "regressed"} == fell
