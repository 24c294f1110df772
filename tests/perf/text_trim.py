"""Times the trimmed text tower against open_clip's padded one on ImageNet prompts; exits 1 when a target is missed.

Run as `python tests/perf/text_trim.py [PROMPTS]`. Both sides tokenise and use the same batches. What is compared is
processor time on one thread: the ratio is then the same on a busy machine, where threads wait for each other.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import open_clip
import torch

from mmbench.adapters.open_clip.adapter import OpenClip

Vectors = npt.NDArray[np.float32]
Side = Callable[[list[str]], Vectors]

PROMPTS = 2000
BATCH = 256
LEAST_RATIO = 6.0
MOST_DIFFERENCE = 1e-6
ARCHITECTURE = "ViT-B-32"


def main(count: int) -> int:
    """Print the ratio and the largest difference of unit vectors; return the exit status."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE)
    model.eval()
    tokenizer = open_clip.get_tokenizer(ARCHITECTURE)
    adapter = OpenClip(model, preprocess, tokenizer)
    texts = prompts(count)

    def padded(batch: list[str]) -> Vectors:
        with torch.inference_mode():
            vectors: Vectors = model.encode_text(tokenizer(batch)).numpy()
        return vectors

    for side in (padded, adapter.embed_texts):  # threads, allocator and the tokenizer's memory of words: warm for both
        side(texts[:8])
    (ours, short), (theirs, long) = alternated(adapter.embed_texts, padded, texts)
    raw = float(np.abs(ours - theirs).max())
    unit = float(np.abs(normalised(ours) - normalised(theirs)).max())
    ratio = long / short
    print(
        f"a batch of {BATCH}: padded {long:.2f} s, trimmed {short:.2f} s, ratio {ratio:.2f} (at least {LEAST_RATIO:g})"
    )
    print(f"largest difference: {raw:.2e} raw, {unit:.2e} of unit vectors (less than {MOST_DIFFERENCE:g})")
    return 0 if ratio >= LEAST_RATIO and unit < MOST_DIFFERENCE else 1


def prompts(count: int) -> list[str]:
    """Return a seeded sample of the class names in the templates of Radford et al. 2021."""
    names, templates = open_clip.IMAGENET_CLASSNAMES, open_clip.OPENAI_IMAGENET_TEMPLATES
    chosen = random.Random(0).sample(range(len(names) * len(templates)), count)
    return [templates[index % len(templates)](names[index // len(templates)]) for index in chosen]


def alternated(first: Side, second: Side, texts: list[str]) -> list[tuple[Vectors, float]]:
    """Return all vectors and the median processor seconds of a batch, for both sides.

    The sides take turns at each batch, so that whatever slows the processor slows both alike.
    """
    vectors: tuple[list[Vectors], list[Vectors]] = ([], [])
    seconds: tuple[list[float], list[float]] = ([], [])
    for at in range(0, len(texts), BATCH):
        for which, side in enumerate((first, second)):
            start = time.process_time()
            vectors[which].append(side(texts[at : at + BATCH]))
            seconds[which].append(time.process_time() - start)
    return [(np.concatenate(parts), statistics.median(spent)) for parts, spent in zip(vectors, seconds, strict=True)]


def normalised(vectors: Vectors) -> Vectors:
    """Return unit rows."""
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PROMPTS))
