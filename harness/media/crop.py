"""Crops: a region of a picture as a picture of its own."""

import math
from typing import Any

from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import Pixels

VERSION = 1
"""Raised whenever the same region would give other pixels."""

Region = tuple[float, float, float, float]
"""Left, top, right and bottom in parts of width and height, 0 to 1."""


def crop(image: Image, region: Region) -> Image:
    """Return a region of a picture, all pixels that it touches; drawn only when its pixels are asked for."""
    return image.derive(cropped, {"region": list(region)}, VERSION)


def cropped(parent: Pixels | None, /, **params: Any) -> Pixels:
    """Return the pixels of a region; the operation behind `crop`."""
    if parent is None:
        raise ValueError("a region needs a picture that it is of")
    (left, right), (top, bottom) = (
        _span(params["region"][axis], params["region"][axis + 2], side) for axis, side in enumerate(parent.size)
    )
    return parent.crop((left, top, right, bottom))


def _span(low: float, high: float, side: int) -> tuple[int, int]:
    """Return the first pixel and the one behind the last, at least one.

    >>> _span(0.25, 0.5, 8), _span(1.0, 1.0, 8)
    ((2, 4), (7, 8))
    """
    # Rounded: what was divided by the side and is multiplied by it again may be off by a little.
    first = min(max(math.floor(round(low * side, 6)), 0), side - 1)
    return first, min(max(math.ceil(round(high * side, 6)), first + 1), side)
