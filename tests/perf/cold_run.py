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
ROUNDS = 3


def main() -> int:
    """Print the ratio; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[3] / "shared" / "data" / "photos")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    files, _ = photographs(given.photos, given.count)
    made = tower()
    adapter = OpenClip(made.model, made.preprocess, made.tokenizer)
    adapter.embed_images([adapter.prepare_image(Image.from_path(file).pil()) for file in files[:4]])

    bare, cold_run = [], []
    for _ in range(ROUNDS):  # in turns, so that whatever else the machine does meets both
        bare.append(spent(lambda: encode(made, files, given.batch)))
        cold_run.append(spent(lambda: cold(adapter, files, given.batch)))
    ratio = min(cold_run) / min(bare)
    print(f"{len(files)} pictures, batches of {given.batch}")
    print(f"CPU: bare prepare + encode {min(bare):.1f} s, cold run {min(cold_run):.1f} s", end=", ")
    print(f"ratio {ratio:.3f}, target {MOST_CPU}")
    return 0 if ratio <= MOST_CPU else 1


def encode(made: Tower, files: list[Path], batch: int) -> None:
    """Prepare and encode every picture without the harness."""
    import PIL.Image
    import torch

    with torch.inference_mode():
        for at in range(0, len(files), batch):
            pictures = [made.preprocess(PIL.Image.open(file)) for file in files[at : at + batch]]
            made.model.encode_image(torch.stack(pictures)).numpy()


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


def spent(work: Callable[[], Any]) -> float:
    """Return CPU seconds of all threads."""
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    sys.exit(main())
