"""Small tasks of one run must fill the batches of a model as one large task does; exits 1 when a target is missed.

Run as `python tests/perf/work_order.py [--tasks 20] [--pictures 37] [--batch 32]`. Nothing foreseen, which is one task
after another, against pictures of all tasks in one stream:
- batches and those part-filled, counted: an accelerator takes about as long for each, however full;
- CPU seconds of the harness alone, with a model that takes none: pictures that are foreseen are read twice for their
  digest, which tasks as small as these are in whole.
"""

import argparse
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import numpy.typing as npt
import PIL.Image

import mmbench
from mmbench.harness.run.foresight import Foresight

MOST_PART_FILLED = 1
MOST_CPU = 1.30
ROUNDS = 5


class Model:
    """Vectors of the first pixels, in batches of one size."""

    fingerprint = "model"

    def __init__(self, batch: int) -> None:
        self.batch_size = batch
        self.batches: list[int] = []

    def embed_images(self, images: list[PIL.Image.Image]) -> npt.NDArray[np.float32]:
        """Return sixteen levels of each."""
        self.batches.append(len(images))
        return np.stack([np.asarray(image, np.float32).ravel()[:16] for image in images])

    def embed_texts(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return a vector by the length of each text."""
        return np.stack([np.float32([len(text), 1] * 8) for text in texts])


def main() -> int:
    """Print the figures beside their targets; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=37)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mmbench-order-") as made:
        folder = Path(made)
        tasks = written(folder, given.tasks, given.pictures)
        spent(tasks, given.batch, folder / "first", foreseen=True)  # all is imported
        cpu: dict[bool, list[float]] = {False: [], True: []}
        batches: dict[bool, list[int]] = {}
        for turn in range(2 * ROUNDS):  # in turns, so that whatever else the machine does meets both
            on = turn % 2 == 1
            seconds, batches[on] = spent(tasks, given.batch, folder / f"{turn}", foreseen=on)
            cpu[on].append(seconds)
    part = {on: sum(size < given.batch for size in sizes) for on, sizes in batches.items()}
    before, after = min(cpu[False]), min(cpu[True])
    print(f"{given.tasks} tasks of {given.pictures} pictures, batches of {given.batch}: one after another, one stream")
    print(f"batches: {len(batches[False])}, {len(batches[True])}; part-filled: {part[False]}, {part[True]}", end="; ")
    print(f"target {MOST_PART_FILLED}")
    print(f"harness: {before:.2f} CPU s, {after:.2f} CPU s, ratio {after / before:.2f}, target {MOST_CPU}")
    return int(part[True] > MOST_PART_FILLED or after / before > MOST_CPU)


def written(folder: Path, tasks: int, pictures: int) -> list[Path]:
    """Write tasks of pictures in files of their own."""
    random = np.random.default_rng(0)
    made = []
    for number in range(tasks):
        own = folder / f"task{number}"
        own.mkdir()
        rows = ["image,label"]
        for place in range(pictures):
            pixels = random.integers(0, 256, (96, 96, 3), np.uint8)
            PIL.Image.fromarray(pixels).save(own / f"{place}.jpg")
            rows.append(f"{place}.jpg,{'ab'[place % 2]}")
        (own / "data.csv").write_text("\n".join(rows))
        made.append(own / "task.yaml")
        made[-1].write_text(
            f"name: t{number}\nfamily: zero-shot-classification\nsource: {{kind: csv, path: data.csv}}\n"
        )
    return made


def spent(tasks: list[Path], batch: int, folder: Path, *, foreseen: bool) -> tuple[float, list[int]]:
    """Run all tasks with a new store; return CPU seconds, and the sizes of batches."""
    model = Model(batch)
    nothing: Any = lambda self, most: []  # noqa: ARG005, E731 - in place of a method
    before = _cpu()
    with mock.patch.object(Foresight, "take", Foresight.take if foreseen else nothing):
        made = mmbench.run(model, tasks=tasks, output=folder, store=folder / "store.sqlite", name="model")
    assert not made.problems
    return _cpu() - before, model.batches


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
