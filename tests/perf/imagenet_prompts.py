"""All 1000 ImageNet classes in all 80 templates over real photographs, beside plain code; takes many minutes.

Run as `python tests/perf/imagenet_prompts.py --photos FOLDER`. The plain side shares only open_clip with the package.
Prints the largest difference of cosines and both accuracies; exits 1 when they differ.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from vit import Tower, photographs, tower

from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.benchmarks.named import class_list, template_list
from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from mmbench.harness.types import Option, Sample

MOST_DIFFERENCE = 1e-6


def main() -> int:
    """Print the figures; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[3] / "shared" / "data" / "photos")
    parser.add_argument("--classes", type=int, default=1000)
    given = parser.parse_args()
    files, labels = photographs(given.photos, 200)
    names = class_list("imagenet", Path())[: given.classes]
    templates = template_list("openai-imagenet", Path())
    made = tower()

    started = time.perf_counter()
    ours = through_the_store(made, files, names, templates)
    middle = time.perf_counter()
    plain = by_plain_code(made, files, names)
    print(f"{len(names)} classes x {len(templates)} templates over {len(files)} photographs")
    print(f"seconds: ours {middle - started:.0f}, plain {time.perf_counter() - middle:.0f}")
    difference = float(np.abs(ours - plain).max())
    target = np.array([names.index(label) if label in names else -1 for label in labels])
    accuracies = [float(np.mean(scores.argmax(1) == target)) for scores in (ours, plain)]
    print(f"largest difference of cosines {difference:.2e} (less than {MOST_DIFFERENCE:g})")
    print(f"accuracy: ours {accuracies[0]:.4f}, plain {accuracies[1]:.4f}")
    return 0 if difference < MOST_DIFFERENCE and accuracies[0] == accuracies[1] else 1


def through_the_store(made: Tower, files: list[Path], names: tuple[str, ...], templates: tuple[str, ...]) -> Any:
    """Return (files, classes) cosines through subject and store."""
    adapter = OpenClip(made.model, made.preprocess, made.tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.sqlite")
        engine = LocalEngine(adapter)
        subject = Subject("vit", adapter, store, engine)
        options = [Option(name, tuple(t.replace("{}", name) for t in templates)) for name in names]
        samples = [Sample(str(i), (Image.from_path(file),)) for i, file in enumerate(files)]
        scores = np.stack([choice.scores for choice in subject.choose(samples, options)])  # type: ignore[misc]
        engine.close()
        store.close()
    return scores


def by_plain_code(made: Tower, files: list[Path], names: tuple[str, ...]) -> Any:
    """Return (files, classes) cosines: texts of one class at a time, cut behind the longest of them."""
    import open_clip
    import PIL.Image
    import torch

    model = made.model
    with torch.inference_mode():
        pictures = torch.cat([model.encode_image(made.preprocess(PIL.Image.open(f))[None]) for f in files])
        weights = []
        for name in names:
            tokens = made.tokenizer([template(name) for template in open_clip.OPENAI_IMAGENET_TEMPLATES])
            ends = tokens.argmax(-1)
            length = int(ends.max()) + 1
            x = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
            x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
            x = x[torch.arange(len(x)), ends] @ model.text_projection
            mean = (x / x.norm(dim=-1, keepdim=True)).mean(0)
            weights.append(mean / mean.norm())
        unit = pictures / pictures.norm(dim=-1, keepdim=True)
    return (unit @ torch.stack(weights).T).numpy()


if __name__ == "__main__":
    sys.exit(main())
