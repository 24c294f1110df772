"""Times CLIP through transformers against open_clip with the same weights; exits 1 where it takes 1.1 times as long.

Run as `python tests/perf/hf_clip.py [PICTURES]`. Each side prepares the same pictures, embeds them, and embeds the same
texts. What is compared is processor time on one thread, the sides taking turns at each batch.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from vit import photographs, tower

from mmbench.adapters.hf.adapter import from_spec
from mmbench.adapters.open_clip.adapter import OpenClip
from tests.adapters.hf.converted import convert

PICTURES = 64
BATCH = 16
MOST = 1.1
TEMPLATES = ("a photo of a {}.", "a photo of the large {} that sleeps on an old wooden chair.", "{}", "art of the {}!")


def main(count: int) -> int:
    """Print both times, their ratio and the largest difference; return the exit status."""
    import torch

    torch.set_num_threads(1)
    files, labels = photographs(Path(__file__).parents[3] / "shared" / "data" / "photos", count)
    pictures = [PIL.Image.open(file).convert("RGB") for file in files]
    texts = [template.format(label) for label in labels for template in TEMPLATES]
    made = tower()
    with tempfile.TemporaryDirectory(prefix="mmbench-hf-clip-") as folder:
        convert(made.model, Path(folder))
        ours: Any = from_spec(folder, device="cpu", dtype="fp32", offline=True)
        theirs: Any = OpenClip(made.model, made.preprocess, made.tokenizer)
        worst = 0.0
        for what, rows, size in (("pictures", pictures, BATCH), ("texts", texts, 4 * BATCH)):
            sides = [_asked(side, what) for side in (ours, theirs)]
            for side in sides:
                side(rows[:4])  # loading, threads and allocator: warm for both
            (short, a), (long, b) = _alternated(sides, rows, size)
            far = float(np.median(np.abs(a - b).max(axis=1) / np.linalg.norm(b, axis=1)))
            print(f"{what}: hf {short:.3f} s, open_clip {long:.3f} s a batch; {short / long:.2f} (at most {MOST})")
            print(f"  median difference {far:.1e}")
            worst = max(worst, short / long)
    return int(worst > MOST)


def _asked(adapter: Any, what: str) -> Callable[[list[Any]], Any]:
    if what == "texts":
        return lambda texts: adapter.embed_texts(texts)
    return lambda seen: adapter.embed_images([adapter.prepare_image(each) for each in seen]).embedding


def _alternated(sides: list[Callable[[list[Any]], Any]], rows: list[Any], size: int) -> list[tuple[float, Any]]:
    seconds: list[list[float]] = [[], []]
    found: list[list[Any]] = [[], []]
    for at in range(0, len(rows), size):
        for which, side in enumerate(sides):
            start = time.process_time()
            found[which].append(side(rows[at : at + size]))
            seconds[which].append(time.process_time() - start)
    return [(statistics.median(spent), np.concatenate(parts)) for spent, parts in zip(seconds, found, strict=True)]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES))
