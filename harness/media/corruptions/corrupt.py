"""Corrupted pictures: derived from a picture, drawn when their pixels are asked for, and the same on every machine."""

from typing import Any

import numpy as np
import PIL.Image

from mmbench.harness.digest import digest_json
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.corruptions.table import CORRUPTIONS
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import Pixels

VERSION = 1
"""Raised whenever the same picture would give other pixels."""

SIDE = 224
"""Pixels of the shorter side, for which the strengths are made."""

_LONGEST = 8 * SIDE
"""Most pixels of the longer side: a strip is narrower instead."""


def scaled(image: Image) -> Image:
    """Return the whole picture at the size at which pictures are corrupted."""
    return image.derive(at_scale, {}, VERSION)


def corrupt(image: Image, corruption: str, severity: int) -> Image:
    """Return a picture scaled and corrupted. One that cannot be read stays unreadable, and its error the same."""
    try:
        digest = image.digest
    except Unreadable as error:  # never the picture itself, which may be readable the next time
        return Image.unreadable(str(error), image.locator)
    seed = digest_json([digest, corruption, severity])
    return image.derive(corrupted, {"corruption": corruption, "severity": severity, "seed": seed}, VERSION)


def at_scale(parent: Pixels | None, /, **params: Any) -> Pixels:  # noqa: ARG001 - an operation has them
    """Return pixels at that size, by Pillow's bilinear filter; the operation behind `scaled`."""
    if parent is None:
        raise ValueError("there is no picture to scale")
    return parent.resize(size_at_scale(*parent.size), PIL.Image.Resampling.BILINEAR)


def size_at_scale(width: int, height: int) -> tuple[int, int]:
    """Return width and height at which a picture is corrupted.

    >>> size_at_scale(640, 480), size_at_scale(8, 8), size_at_scale(10, 1000)
    ((299, 224), (224, 224), (18, 1792))
    """
    factor = min(SIDE / min(width, height), _LONGEST / max(width, height))
    return max(round(width * factor), 1), max(round(height * factor), 1)


def corrupted(parent: Pixels | None, /, **params: Any) -> Pixels:
    """Return corrupted pixels; the operation behind `corrupt`."""
    kind = CORRUPTIONS[params["corruption"]]
    random = np.random.default_rng(int(params["seed"], 16))
    clean = np.asarray(at_scale(parent))
    return PIL.Image.fromarray(kind.apply(clean, kind.strengths[params["severity"] - 1], random))
