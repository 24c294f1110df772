"""A cold run must cost little more than preparing and encoding the pictures; exits 1 when a target is missed.

Run as `python tests/perf/cold_run.py [--photos FOLDER]`. Start-up is apart: imports and weights are there before.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vit import Tower, photographs, tower

from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from mmbench.harness.types import Sample

MOST_CPU = 1.05
MOST_WALL = 1.25
ROUNDS = 3


def main() -> int:
    """Print both ratios; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[3] / "shared" / "data" / "photos")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    files, _ = photographs(given.photos, given.count)
    made = tower()
    adapter = OpenClip(made.model, made.preprocess, made.tokenizer)
    adapter.embed_images([adapter.prepare_image(Image.from_path(file).pil()) for file in files[:4]])

    bare_cpu, bare_wall, cold_cpu, cold_wall = [], [], [], []
    for _ in range(ROUNDS):  # in turns, so that whatever else the machine does meets both
        encode = encoder(made, files, given.batch)
        cpu, _, wall = encode
        bare_cpu.append(cpu)
        bare_wall.append(wall)
        cpu, wall = timed(lambda: cold(adapter, files, given.batch))
        cold_cpu.append(cpu)
        cold_wall.append(wall)
    cpu_ratio = min(cold_cpu) / min(bare_cpu)
    wall_ratio = min(cold_wall) / min(bare_wall)
    print(f"{len(files)} pictures, batches of {given.batch}")
    print(f"CPU: bare prepare + encode {min(bare_cpu):.1f} s, cold run {min(cold_cpu):.1f} s, ratio {cpu_ratio:.3f}")
    print(f"wall: bare encode alone {min(bare_wall):.1f} s, cold run {min(cold_wall):.1f} s, ratio {wall_ratio:.3f}")
    print(f"limits: CPU {MOST_CPU}, wall {MOST_WALL}")
    return 0 if cpu_ratio <= MOST_CPU and wall_ratio <= MOST_WALL else 1


def encoder(made: Tower, files: list[Path], batch: int) -> tuple[float, float, float]:
    """Return (CPU seconds of prepare and encode, their wall seconds, wall seconds of encode alone)."""
    import PIL.Image
    import torch

    cpu, started, encoding = time.process_time(), time.perf_counter(), 0.0
    with torch.inference_mode():
        for at in range(0, len(files), batch):
            pictures = [made.preprocess(PIL.Image.open(file)) for file in files[at : at + batch]]
            stacked = torch.stack(pictures)
            before = time.perf_counter()
            made.model.encode_image(stacked).numpy()
            encoding += time.perf_counter() - before
    return time.process_time() - cpu, time.perf_counter() - started, encoding


def cold(adapter: OpenClip, files: list[Path], batch: int) -> None:
    """Ask for every picture through a new store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.sqlite")
        engine = LocalEngine(adapter, batch)
        subject = Subject("vit", adapter, store, engine, fingerprint="vit")
        answered = sum(1 for _ in subject.features(Sample(file.name, (Image.from_path(file),)) for file in files))
        assert answered == len(files) == store.meter.asked
        engine.close()
        store.close()


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return (CPU seconds of all threads, wall seconds)."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    sys.exit(main())
