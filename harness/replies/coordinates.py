"""Coordinates that a reply writes as numbers: their scales, and the pixels that they mean."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import shown, whole
from mmbench.harness.replies.thoughts import spoken

_LARGEST = 1 << 31
"""Pixels of a side at the most, as picture formats have them."""

OVERHANG = 0.01
"""How far a coordinate may lie outside, in parts of the scale, and still be put to the edge."""

LEAST_PIXELS, MOST_PIXELS = 56 * 56, 16384 * 28 * 28
"""Between these sizes Qwen2.5-VL sees a picture, unless its processor is told otherwise."""


class Seen(NamedTuple):
    """The picture that a reply is about, and how the model saw it, whose pixels some conventions count."""

    width: int
    """Pixels of the picture itself, in which boxes and points are returned."""
    height: int
    size: tuple[int, int] | None = None
    """Width and height in which it was shown; None: those of the picture, resized where the convention resizes."""
    least_pixels: int = LEAST_PIXELS
    most_pixels: int = MOST_PIXELS

    def checked(self) -> "Seen":
        """Return it, or raise ArgumentError where a number of it is no number of pixels."""
        for side, name in ((self.width, "width"), (self.height, "height")):
            wrong = isinstance(side, (bool, np.bool_)) or not isinstance(side, (int, float, np.integer, np.floating))
            if wrong or not 1 <= side <= _LARGEST or side % 1:
                raise ArgumentError(f"{name} is a whole number of pixels from 1, not {shown(side)}")
        if self.size is not None:
            if not isinstance(self.size, (tuple, list)) or len(self.size) != 2:
                raise ArgumentError(f"size is the width and the height of what was shown, not {shown(self.size)}")
            for side in self.size:
                whole(side, "a side of size")
        most = whole(self.most_pixels, "most_pixels")
        whole(self.least_pixels, "least_pixels", most=most)
        return self

    def sides(self, scale: "Scale") -> tuple[float, float]:
        """Return what stands for the whole width and height."""
        if scale.full:
            return scale.full, scale.full
        if self.size is not None:
            return self.size
        if scale.resized:
            return resized(self.width, self.height, self.least_pixels, self.most_pixels)
        return self.width, self.height


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


def text_of(reply: object) -> str:
    """Return a reply without its thoughts, or raise ArgumentError for one that is no text."""
    if not isinstance(reply, str):
        raise ArgumentError(f"a reply is a text, not {type(reply).__name__}")
    return spoken(reply).text


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
