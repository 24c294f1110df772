"""An accelerator must not wait for the harness; prints pictures a second; exits 1 when a target is missed on a GPU.

Run as `python tests/perf/accelerator.py [--device cuda] [--architecture ViT-B-32] [--photos FOLDER]`. By the clock,
since a GPU's work takes no processor seconds; on a CPU, which all of it shares, nothing is judged. Weights are random.

- forward: pictures prepared before, through store and engine, against the bare forward pass of the same batches;
- decoding: picture files through the same, against decoding and preparing them on all cores, or the forward pass where
  that takes longer;
- again: the same pictures once they are remembered, against the first time.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from vit import Tower, photographs, tower

from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from mmbench.harness.types import Failure, Sample

LEAST_FORWARD, LEAST_DECODING, MOST_AGAIN = 0.9, 0.9, 0.02


def main() -> int:
    """Print the figures; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--architecture", default="ViT-B-32")
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[3] / "shared" / "data" / "photos")
    parser.add_argument("--pictures", type=int, help="8192 on a GPU, 64 on a CPU")
    parser.add_argument("--batch", type=int, help="256 on a GPU, 16 on a CPU")
    given = parser.parse_args()
    on_gpu = given.device != "cpu"
    count, batch = given.pictures or (8192 if on_gpu else 64), given.batch or (256 if on_gpu else 16)
    made = tower(given.architecture)
    made.model.to(given.device, torch.float16 if on_gpu else torch.float32)
    what = torch.cuda.get_device_name(given.device) if on_gpu else "CPU"
    print(f"{given.architecture}, {what}, {'fp16' if on_gpu else 'fp32'}, {count} pictures, batches of {batch}")
    with tempfile.TemporaryDirectory(prefix="mmbench-accelerator-") as folder:
        files = copies(photographs(given.photos, 200)[0], count, Path(folder))
        forward(made, 2 * batch, batch, given.device)  # the first calls choose kernels and take memory
        bare = timed(lambda: forward(made, count, batch, given.device))
        pixels = made.preprocess(PIL.Image.open(files[0]))
        prepared = Asked(Tower(made.model, lambda _: pixels, made.tokenizer), batch, Path(folder) / "prepared")
        through = timed(lambda: prepared.ask(dots(count)))
        decoded = timed(lambda: decode(made, files))
        asked = Asked(made, batch, Path(folder) / "decoded")
        first = timed(lambda: asked.ask(map(Image.from_path, files)))
        again = timed(lambda: asked.ask(map(Image.from_path, files)))
    shares = bare / through, max(decoded, bare) / first, again / first
    print(f"forward:  {count / bare:8,.0f}/s bare, {count / through:8,.0f}/s through mmbench, {shares[0]:.3f} of it")
    print(f"decoding: {count / decoded:8,.0f}/s bare, {count / first:8,.0f}/s through mmbench, {shares[1]:.3f} of it")
    print(f"again: {again:.2f} s after {first:.2f} s, {shares[2]:.4f}")
    missed = shares[0] < LEAST_FORWARD or shares[1] < LEAST_DECODING or shares[2] > MOST_AGAIN
    return int(on_gpu and missed)


class Asked:
    """A model behind a store of its own."""

    def __init__(self, made: Tower, batch: int, path: Path) -> None:
        self._made, self._batch, self._path = made, batch, path

    def ask(self, images: Iterable[Image]) -> None:
        """Ask for the vector of each picture."""
        adapter = OpenClip(self._made.model, self._made.preprocess, self._made.tokenizer)
        store, engine = Store(self._path), LocalEngine(adapter, self._batch)
        subject = Subject("vit", adapter, store, engine, fingerprint="vit")
        for answer in subject.features(Sample(str(i), (image,)) for i, image in enumerate(images)):
            assert not isinstance(answer, Failure), answer
        engine.close()
        store.close()


def forward(made: Tower, count: int, batch: int, device: str) -> None:
    """Encode so many pictures that lie where the model is."""
    dtype = next(made.model.parameters()).dtype
    size = made.model.visual.image_size
    pixels = torch.zeros(batch, 3, *(size if isinstance(size, tuple) else (size, size)), dtype=dtype, device=device)
    with torch.inference_mode():
        for start in range(0, count, batch):
            made.model.encode_image(pixels[: count - start]).float().cpu()


def decode(made: Tower, files: list[Path]) -> None:
    """Decode and prepare files on all cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda file: made.preprocess(PIL.Image.open(file)), files):
            pass
    torch.set_num_threads(threads)


def dots(count: int) -> list[Image]:
    """Return so many pictures of one pixel, no two of them alike."""
    colours = np.arange(count, dtype="<u4").view(np.uint8).reshape(-1, 1, 1, 4)[..., :3]
    return [Image.from_array(np.ascontiguousarray(colour), "a dot") for colour in colours]


def copies(photos: list[Path], count: int, folder: Path) -> list[Path]:
    """Return so many files of different pictures: the photographs, each cut in as many ways as are needed."""
    files = []
    for i in range(count):
        left, top = divmod(i // len(photos), 16)
        picture = PIL.Image.open(photos[i % len(photos)]).convert("RGB")
        files.append(folder / f"{i}.jpg")
        picture.crop((left, top, picture.width, picture.height)).save(files[-1], quality=92)
    return files


def timed(work: Callable[[], Any]) -> float:
    """Return how many seconds something takes, by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
