"""Three tasks over the same pictures must cost about one pass; exits 1 when the target is missed.

Run as `python tests/perf/shared_features.py [--photos FOLDER]`. Compared are zero-shot classification (1000 ImageNet
classes, one template), retrieval (five captions a picture) and a nearest-class-mean read of the features, through one
store, against three naive passes that each encode every picture and pad every text to the context length.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from vit import Tower, photographs, tower

from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.benchmarks.named import class_list
from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from mmbench.harness.types import Option, Sample

MOST_CPU = 0.25
CAPTIONS = ("a photo of a {}.", "a {} in the wild.", "a close-up of the {}.", "one {}, seen from afar.", "my {}!")
BATCH = 64


def main() -> int:
    """Print the ratio of CPU seconds; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[3] / "shared" / "data" / "photos")
    parser.add_argument("--count", type=int, default=200)
    given = parser.parse_args()
    files, labels = photographs(given.photos, given.count)
    classes = class_list("imagenet", Path())
    prompts = [f"a photo of a {name}." for name in classes]
    captions = [[caption.format(label) for caption in CAPTIONS] for label in labels]
    made = tower()
    adapter = OpenClip(made.model, made.preprocess, made.tokenizer)
    adapter.embed_images([adapter.prepare_image(Image.from_path(file).pil()) for file in files[:2]])
    adapter.embed_texts(prompts[:2])

    ours, (found, hits) = cpu_seconds(lambda: shared(adapter, files, prompts, captions))
    theirs, (expected, expected_hits) = cpu_seconds(lambda: naive(made, files, prompts, captions))
    assert np.array_equal(found, expected), "the two sides disagree on the nearest class"
    assert hits == expected_hits, "the two sides disagree on recall@1"
    ratio = ours / theirs
    print(f"{len(files)} pictures, {len(prompts)} prompts, {sum(map(len, captions))} captions, three tasks")
    print(f"CPU: three naive passes {theirs:.1f} s, one store {ours:.1f} s, ratio {ratio:.3f} (at most {MOST_CPU})")
    return 0 if ratio <= MOST_CPU else 1


def shared(adapter: OpenClip, files: list[Path], prompts: list[str], captions: list[list[str]]) -> Any:
    """The three tasks through subject and store; returns (nearest class, hits at 1)."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.sqlite")
        engine = LocalEngine(adapter)
        subject = Subject("vit", adapter, store, engine, fingerprint="vit")
        samples = [
            Sample(str(i), (Image.from_path(file),), references=tuple(own))
            for i, (file, own) in enumerate(zip(files, captions, strict=True))
        ]
        options = [Option(prompt, (prompt,)) for prompt in prompts]
        nearest = [int(choice.scores.argmax()) for choice in subject.choose(samples, options)]  # type: ignore[union-attr]
        ranks = subject.similarity(samples).image_to_text
        features = np.stack([found.embedding for found in subject.features(samples)])  # type: ignore[union-attr]
        class_means(features)
        assert store.meter.asked == len(files) + len({*prompts, *(c for own in captions for c in own)})
        engine.close()
        store.close()
    return np.array(nearest), float(ranks.hit(1).sum())


def naive(made: Tower, files: list[Path], prompts: list[str], captions: list[list[str]]) -> Any:
    """The three tasks as three scripts would do them; returns (nearest class, hits at 1)."""
    weights = encode_texts(made, prompts)
    nearest = (encode_images(made, files) @ weights.T).argmax(1)
    texts = encode_texts(made, [caption for own in captions for caption in own])
    best = (encode_images(made, files) @ texts.T).argmax(1)
    class_means(encode_images(made, files))
    return nearest, float(np.sum(best // len(CAPTIONS) == np.arange(len(files))))


def encode_images(made: Tower, files: list[Path]) -> Any:
    """Return unit vectors of all pictures."""
    import PIL.Image
    import torch

    parts = []
    with torch.inference_mode():
        for at in range(0, len(files), BATCH):
            batch = torch.stack([made.preprocess(PIL.Image.open(file)) for file in files[at : at + BATCH]])
            parts.append(made.model.encode_image(batch, normalize=True).numpy())
    return np.concatenate(parts)


def encode_texts(made: Tower, texts: list[str]) -> Any:
    """Return unit vectors of all texts, padded to the context length."""
    import torch

    with torch.inference_mode():
        parts = [
            made.model.encode_text(made.tokenizer(texts[at : at + 256]), normalize=True).numpy()
            for at in range(0, len(texts), 256)
        ]
    return np.concatenate(parts)


def class_means(features: Any) -> Any:
    """Return the class of the nearest mean for each vector; ten made-up classes will do for the cost."""
    labels = np.arange(len(features)) % 10
    means = np.stack([features[labels == c].mean(0) for c in range(10)])
    return (features @ means.T).argmax(1)


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return (CPU seconds of all threads, result)."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


if __name__ == "__main__":
    sys.exit(main())
