"""A killed run goes on where it stopped, and a finished one needs the model no more."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.engine.packing import unpack_arrays

COUNT = 200
BATCH = 8

ADAPTER = """
import os
import time
from pathlib import Path

import numpy as np

LOG = Path(__file__).with_name("log.txt")
GONE = Path(__file__).with_name("gone")
HOLD = Path(__file__).with_name("hold")


class Slow:
    fingerprint = "slow"
    batch_size = {batch}

    def embed_images(self, images):
        assert not GONE.exists(), "asked again"
        with LOG.open("a") as log:
            log.write(f"{{len(images)}}\\n")
        time.sleep(3600 if HOLD.exists() and len(LOG.read_text().split()) >= int(HOLD.read_text()) else {pause})
        rows = np.stack([np.asarray(image, np.float32).reshape(-1)[:12] / 255 for image in images])
        # As on a device, the last digits depend on the batch.
        return rows + np.float32(1e-8) * len(images)

    def embed_texts(self, texts):
        assert not GONE.exists(), "asked again"
        return np.stack([np.random.default_rng(len(text)).standard_normal(12) for text in texts]).astype(np.float32)
"""

RUN = """
import json, sys
import mmbench

run = mmbench.run("adapter.py:Slow", task="task.yaml", output="out", store="store.sqlite")
assert not run.problems, run.problems
assert "torch" not in sys.modules
record = run.records[0]
scores = {score.metric: [score.value, score.low, score.high, score.n] for score in record.scores}
print(json.dumps({"scores": scores, "asked": record.asked, "remembered": record.remembered, "exit": run.exit_code}))
"""


@dataclass(frozen=True)
class Bench:
    """A folder with pictures, a task, an adapter, a store and what comes of them."""

    folder: Path

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUN], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def finish(self) -> dict[str, object]:
        child = self.start()
        out, err = child.communicate(timeout=600)
        assert child.returncode == 0, err
        return json.loads(out)

    def batches(self) -> list[int]:
        log = self.folder / "log.txt"
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    def committed(self) -> int:
        """Return how many pictures are remembered."""
        return len(self.answers("image"))

    def answers(self, kind: str) -> dict[bytes, np.ndarray]:
        if not (self.folder / "store.sqlite").exists():
            return {}
        store = sqlite3.connect(self.folder / "store.sqlite", timeout=60)
        try:
            rows = store.execute("SELECT key, value FROM answers WHERE kind=?", (kind,)).fetchall()
        except sqlite3.OperationalError:  # the tables are not made yet
            return {}
        finally:
            store.close()
        return {key: unpack_arrays(value) for key, value in rows}

    def kill_when(self, ready: "Ready") -> None:
        """Start a run and kill it as soon as `ready` says so; however late that is, it has not got far beyond."""
        hold = self.folder / "hold"
        hold.write_text(str(ready.batches + (1 if ready.after else 0)))
        child = self.start()
        try:
            while not ready(self):
                assert child.poll() is None, "the run ended before it could be killed"
                time.sleep(0.001)
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.communicate(timeout=600)
            hold.unlink()
        assert child.returncode == -signal.SIGKILL


class Ready:
    """True some milliseconds after a number of batches were begun."""

    def __init__(self, batches: int, after: float = 0.0) -> None:
        self.batches = batches
        self.after = after
        self.since: float | None = None

    def __call__(self, bench: Bench) -> bool:
        if self.since is None and len(bench.batches()) >= self.batches:
            self.since = time.monotonic()
        return self.since is not None and time.monotonic() >= self.since + self.after


def make(folder: Path, pause: float) -> Bench:
    folder.mkdir()
    rows = []
    random = np.random.default_rng(5)
    for n in range(COUNT):
        name = f"{n:03}.png"
        PIL.Image.fromarray(random.integers(0, 256, (4, 4, 3), dtype=np.uint8)).save(folder / name)
        rows.append({"image": name, "label": ["a", "bb", "ccc"][n % 3]})
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "task.yaml").write_text(
        "name: small\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: data.jsonl}\n"
    )
    (folder / "adapter.py").write_text(ADAPTER.format(batch=BATCH, pause=pause))
    return Bench(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, dict[str, object]]:
    """A run that nobody interrupted."""
    bench = make(tmp_path_factory.mktemp("resume") / "whole", 0.0)
    return bench, bench.finish()


def agree(bench: Bench, got: dict[str, object], whole: tuple[Bench, dict[str, object]]) -> None:
    expected_bench, expected = whole
    assert got["scores"] == expected["scores"]
    assert got["exit"] == 0
    for kind, count in (("image", COUNT), ("text", 3)):
        left, right = bench.answers(kind), expected_bench.answers(kind)
        assert len(left) == count
        assert left.keys() == right.keys()
        assert all(np.allclose(left[key], right[key], atol=1e-6, rtol=0) for key in left)


@pytest.mark.slow
@pytest.mark.parametrize(
    "ready",
    [Ready(1), Ready(12, 0.021), Ready(25)],
    ids=["in the first batch", "about a commit", "in the last batch"],
)
def test_a_killed_run_goes_on_where_it_stopped(
    tmp_path: Path, whole: tuple[Bench, dict[str, object]], ready: Ready
) -> None:
    bench = make(tmp_path / "killed", 0.02)
    bench.kill_when(Ready(ready.batches, ready.after))
    begun, kept = sum(bench.batches()), bench.committed()
    assert begun - BATCH <= kept <= begun, "every batch but the one in flight is kept"
    got = bench.finish()
    assert sum(bench.batches()) == begun + COUNT - kept
    assert sum(bench.batches()) <= COUNT + BATCH
    assert got["asked"] + got["remembered"] == COUNT + 3
    assert got["remembered"] >= kept
    agree(bench, got, whole)


@pytest.mark.slow
def test_a_run_killed_again_and_again_comes_to_its_end(tmp_path: Path, whole: tuple[Bench, dict[str, object]]) -> None:
    bench = make(tmp_path / "killed", 0.004)
    random = np.random.default_rng(0)
    kills = 4
    for _ in range(kills):
        bench.kill_when(Ready(len(bench.batches()) + int(random.integers(1, 6)), float(random.uniform(0, 0.008))))
    got = bench.finish()
    assert COUNT <= sum(bench.batches()) <= COUNT + kills * BATCH
    agree(bench, got, whole)


@pytest.mark.slow
def test_a_finished_run_needs_the_model_no_more(whole: tuple[Bench, dict[str, object]]) -> None:
    bench, expected = whole
    assert sum(bench.batches()) == COUNT
    (bench.folder / "gone").touch()
    got = bench.finish()
    assert got["scores"] == expected["scores"]
    assert (got["asked"], got["remembered"]) == (0, COUNT + 3)
