"""What a person who trains does: every checkpoint from the command line, and the model itself between two steps."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench

ARCHITECTURE = "mmbench-untrained-tiny"
RUN = ("run", "--task", "task.yaml", "--store", "store.sqlite")
LONG = "a photo of a " + "very " * 100 + "{}."


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints of a small tower, and a task over six pictures with a template that is too long."""
    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("training")
    configs = Path(mmbench.__file__).parents[2] / "adapters" / "open_clip" / "configs"
    open_clip.add_model_config(configs / f"{ARCHITECTURE}.json")
    for seed, name in ((1, "epoch_2.pt"), (2, "epoch_10.pt")):
        torch.manual_seed(seed)
        torch.save({"epoch": seed, "state_dict": open_clip.create_model(ARCHITECTURE).state_dict()}, folder / name)
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (folder / "data" / label).mkdir(parents=True)
        for i in range(3):
            pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(folder / "data" / label / f"{i}.png")
    (folder / "task.yaml").write_text(
        "name: pets\nfamily: zero-shot-classification\nsource: {kind: folder, path: data}\n"
        f"templates: ['a photo of a {{}}.', '{LONG}']\n"
    )
    return folder


@pytest.mark.slow
def test_each_checkpoint_of_a_pattern_has_a_line(
    world: Path, command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world)
    code, out, err = command(*RUN, "--model", f"open_clip:{ARCHITECTURE}@*.pt", "--format", "json")
    assert code == 0, err
    rows: list[dict[str, Any]] = json.loads(out)
    assert [row["model"] for row in rows if row["primary"]] == ["epoch_2", "epoch_10"]
    assert err.count("2 texts longer than the model's context, and cut") == 2
    records = [json.loads(file.read_text()) for file in sorted(world.glob("results/runs/*/*.json"))]
    assert [record["truncated_texts"] for record in records] == [2, 2]
    assert len({record["fingerprint"] for record in records}) == 2
    assert len({record["protocol"] for record in records}) == 1
    assert str(world) not in json.dumps(records)


@pytest.mark.slow
def test_a_model_in_memory_between_two_steps(world: Path) -> None:
    import open_clip
    import torch

    model, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE)
    model.train()
    adapter = mmbench.OpenClip(model, preprocess, open_clip.get_tokenizer(ARCHITECTURE))
    where = {"task": str(world / "task.yaml"), "output": world / "memory", "store": world / "memory.sqlite"}
    first = mmbench.run(model=adapter, name="step-1", **where)
    again = mmbench.run(model=adapter, name="step-1", **where)
    with torch.no_grad():
        model.visual.proj.mul_(-1.0)
    second = mmbench.run(model=adapter, name="step-2", **where)
    assert model.training
    assert [run.records[0].asked for run in (first, again, second)] == [10, 0, 10]
    assert first.table()["value"].tolist() == again.table()["value"].tolist()
    assert set(mmbench.load(world / "memory").leaderboard()["model"]) == {"step-1", "step-2"}


@pytest.mark.slow
def test_weights_that_cannot_be_fetched_are_one_sentence(world: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmbench", *RUN, "--model", "clip-vitb32"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=world,
        env={**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"},
    )
    assert done.returncode == 1
    assert "http://127.0.0.1:9 cannot be reached" in done.stderr
    for way_out in ("--offline", "open_clip:ARCH@FILE", "tiny-coca"):
        assert way_out in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
