"""Coordinates that a reply writes as numbers: their scales, how they are written, and the pixels that they mean."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import shown

OVERHANG = 0.01
"""How far a coordinate may lie outside, in parts of the scale, and still be put to the edge."""

LEAST_PIXELS, MOST_PIXELS = 56 * 56, 16384 * 28 * 28
"""Between these sizes Qwen2.5-VL sees a picture, unless its processor is told otherwise."""

NUMBER = r"[-+]?(?:[0-9]{1,7}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})"
_GAP = r"\s{0,20}(?:[,;]\s{0,20}|\s|>\s{0,20}<)"


class Grammar:
    """Patterns of four numbers together, of a point, and of a text with no other numbers than four."""

    def __init__(self, after: str) -> None:
        number = f"({NUMBER}){after}"
        self.four = re.compile(r"[\[(<{>]\s{0,20}" + _GAP.join([number] * 4) + r"\s{0,20}[\])>}<]")
        self.point = re.compile(r"[\[(]\s{0,20}" + number + _GAP + number + r"\s{0,20}[\])]")
        self.alone = re.compile(
            r"(?:[^0-9.+\-[({<]|[.+-](?![0-9.]))*" + r"\s{0,9},\s{0,9}".join([number] * 4) + "[^0-9]*"
        )


PLAIN, PERCENT = Grammar(""), Grammar(r"\s?%?")


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

    @property
    def grammar(self) -> Grammar:
        """How its numbers are written."""
        return PERCENT if self.percent else PLAIN

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

BESIDE = re.compile(r"[ \t]{0,9},?[ \t]{0,9}")
"""What may stand between two points that belong together."""


def side_by_side(text: str, point: re.Pattern[str]) -> list[list[re.Match[str]]]:
    """Return the points of a text, those side by side together."""
    runs: list[list[re.Match[str]]] = []
    for match in point.finditer(text):
        if runs and BESIDE.fullmatch(text, runs[-1][-1].end(), match.start()):
            runs[-1].append(match)
        else:
            runs.append([match])
    return runs


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
