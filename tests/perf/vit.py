"""What the scripts beside it share: photographs, and a ViT-B-32 with fixed random weights."""

import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

ARCHITECTURE = "ViT-B-32"


@dataclass(frozen=True)
class Tower:
    """An open_clip model with what goes before its towers."""

    model: Any
    preprocess: Any
    tokenizer: Any


def tower(architecture: str = ARCHITECTURE) -> Tower:
    """Return an architecture with the weights of seed 0."""
    import open_clip
    import torch

    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(architecture)
    return Tower(model.eval(), preprocess, open_clip.get_tokenizer(architecture))


def photographs(folder: Path, count: int) -> tuple[list[Path], list[str]]:
    """Return (files, labels): those of `labels.csv` in `folder`, or generated JPEGs where there is no such folder."""
    if (folder / "labels.csv").is_file():
        with (folder / "labels.csv").open() as file:
            rows = list(csv.DictReader(file))[:count]
        return [folder / row["file"] for row in rows], [row["class_name"] for row in rows]
    made = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(0)
    files = []
    for i in range(count):
        coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        files.append(made / f"{i}.jpg")
        PIL.Image.fromarray(coarse).resize((500, 375), PIL.Image.Resampling.BICUBIC).save(files[-1], quality=92)
    return files, [f"thing {i}" for i in range(count)]
