"""Coordinates that a reply writes as numbers: their scales, and the pixels that they mean."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import shown

OVERHANG = 0.01
"""How far a coordinate may lie outside, in parts of the scale, and still be put to the edge."""

LEAST_PIXELS, MOST_PIXELS = 56 * 56, 16384 * 28 * 28
"""Between these sizes Qwen2.5-VL sees a picture, unless its processor is told otherwise."""
Bounds = tuple[int, int]
"""The two."""
BOUNDS: Bounds = (LEAST_PIXELS, MOST_PIXELS)


class Scale(NamedTuple):
    """A convention of written numbers."""

    full: float
    """What stands for the whole width or height; 0: that many pixels of the picture."""
    resized: bool = False
    """Whether the pixels are of the picture as Qwen2.5-VL resizes it."""
    rows_first: bool = False
    """Whether y stands before x."""
    percent: bool = False
    """Whether a number may have a `%`."""

    def sides(self, width: int, height: int, least_pixels: int, most_pixels: int) -> tuple[float, float]:
        """Return what stands for the whole width and height of a picture."""
        if self.full:
            return self.full, self.full
        return resized(width, height, least_pixels, most_pixels) if self.resized else (width, height)


SCALES = {
    "qwen2.5-vl": Scale(0, resized=True),
    "thousand": Scale(1000),
    "thousand-yxyx": Scale(1000, rows_first=True),
    "unit": Scale(1),
    "percent": Scale(100, percent=True),
    "pixels": Scale(0),
}


def within(values: Sequence[float], sides: tuple[float, float]) -> list[float] | None:
    """Return x, y, x, y … in parts of width and height; None if one is outside by more than an overhang.

    >>> within([500, 1005], (1000, 1000)), within([500, 1500], (1000, 1000))
    ([0.5, 1.0], None)
    """
    parts = [value / sides[i % 2] for i, value in enumerate(values)]
    if min(parts) < -OVERHANG or max(parts) > 1 + OVERHANG:
        return None
    return [min(max(part, 0.0), 1.0) for part in parts]


def check_picture(reply: object, width: object, height: object) -> None:
    """Raise ArgumentError for a reply that is no text, or sides that are no whole numbers of pixels."""
    if not isinstance(reply, str):
        raise ArgumentError(f"a reply is a text, not {type(reply).__name__}")
    for side, name in ((width, "width"), (height, "height")):
        if isinstance(side, bool) or not isinstance(side, (int, float, np.integer)) or not side >= 1 or side % 1:
            raise ArgumentError(f"{name} is a whole number of pixels from 1, not {shown(side)}")


def resized(
    width: int, height: int, least_pixels: int = LEAST_PIXELS, most_pixels: int = MOST_PIXELS, factor: int = 28
) -> tuple[int, int]:
    """Return the width and height to which Qwen2-VL and its successors resize a picture: multiples of `factor`.

    Each side is rounded, half to even; a picture that is then too large or too small in all is scaled before it is cut
    down or up. Source: `smart_resize` of qwen-vl-utils. Raises ArgumentError for a picture that is too narrow.

    >>> resized(1708, 845), resized(10_000, 5_000, most_pixels=1_003_520)
    ((1708, 840), (1400, 700))
    """
    if max(width, height) > 200 * min(width, height):
        told = f"Qwen2.5-VL takes no picture of {width} x {height} pixels"
        raise ArgumentError(f"{told}: one side is over 200 times the other")
    high, wide = (max(factor, round(side / factor) * factor) for side in (height, width))
    if high * wide > most_pixels:
        scale = math.sqrt(height * width / most_pixels)
        high, wide = (max(factor, math.floor(side / scale / factor) * factor) for side in (height, width))
    elif high * wide < least_pixels:
        scale = math.sqrt(least_pixels / (height * width))
        high, wide = (math.ceil(side * scale / factor) * factor for side in (height, width))
    return wide, high
