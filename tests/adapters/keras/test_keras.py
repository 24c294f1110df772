"""Models `keras:` on a real Keras: contract, scores without torch, and transformers' vectors for the same weights."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.slow,  # each process takes half a minute to import keras
    pytest.mark.skipif(importlib.util.find_spec("keras_hub") is None, reason="the extra keras is not installed"),
]
BACKEND = "jax" if importlib.util.find_spec("jax") else "tensorflow"

WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ImportError(f"{{name}} is not to be imported")

sys.meta_path.insert(0, Refuse())
sys.argv = ["mmbench", *sys.argv[1:]]
from mmbench.harness.cli.app import main
main()
"""


def python(*given, backend=BACKEND):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, *given], capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    python(str(HERE / "tiny.py"), "clip", str(folder / "clip"), "0", "siglip", str(folder / "siglip"), "0")
    return [str(folder / "clip"), str(folder / "siglip")]


def test_contract(presets):
    found = json.loads(python(str(HERE / "inside.py"), "contract", *presets).splitlines()[-1])
    assert found["broken"] == {folder: [] for folder in presets}
    assert found["truncates"] == [[False, False, True, False]] * 2
    assert found["scales"][0][0] == pytest.approx(1 / 0.07)
    assert not found["torch"]


def test_scores_without_torch_and_warm_without_keras(presets, tmp_path):
    given = ["run", *(part for each in presets for part in ("--model", f"keras:{each}")), "--task", "digits"]
    given += [
        "--limit",
        "40",
        "--format",
        "json",
        "--output",
        str(tmp_path / "r"),
        "--store",
        str(tmp_path / "s.sqlite"),
    ]
    cold = json.loads(python("-c", WITHOUT.format(names=("torch", "torchvision", "open_clip", "transformers")), *given))
    assert {row["model"] for row in cold} == {"clip", "siglip"}
    assert all(row["coverage"] == 1 for row in cold)
    warm = python("-c", WITHOUT.format(names=("keras", "keras_hub", "tensorflow", "jax", "torch")), *given)
    assert json.loads(warm) == cold


def test_vectors_are_those_of_transformers(presets):
    pytest.importorskip("transformers")
    found = json.loads(python(str(HERE / "inside.py"), "transformers", presets[0]).splitlines()[-1])
    assert max(found["apart"]) < 1e-4
