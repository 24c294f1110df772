"""Cells that hold boxes, and boxes as texts: in pixels, by the format that a task declares."""

import json
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from mmbench.benchmarks.sources.cells import is_number, listed_cells, shown
from mmbench.harness.errors import DataError
from mmbench.harness.media.crop import Region
from mmbench.harness.replies.boxes import Box
from mmbench.harness.tasks.source import Cell, Row

BoxFormat = Literal["xyxy", "xywh"]
"""Corners left, top, right, bottom; or left, top, width, height, as COCO and RefCOCO have them."""


def boxes(cell: Cell, form: BoxFormat, row: Row) -> tuple[Box, ...]:
    """Return the boxes of a cell, x1 y1 x2 y2 in pixels: those of a list, or a single one. Raises DataError."""
    held = listed_cells(cell, row.where)
    if held and all(map(is_number, held)):
        held = [held]
    return tuple(_box(each, form, row) for each in held)


def _box(cell: Cell, form: BoxFormat, row: Row) -> Box:
    sides = listed_cells(cell, row.where)
    if len(sides) != 4 or not all(is_number(side) and math.isfinite(side) for side in sides):
        raise DataError(f"{row.where}: expected a box of four numbers, {form}, found {shown(cell)}")
    x, y, third, fourth = (float(side) for side in sides)
    box = (x, y, third, fourth) if form == "xyxy" else (x, y, x + third, y + fourth)
    if not (box[2] > box[0] and box[3] > box[1]):
        other = "xywh" if form == "xyxy" else "xyxy"
        raise DataError(
            f"{row.where}: the box {shown(cell)} has no area as {form}; if its numbers are {other}, write "
            f"`box_format: {other}`"
        )
    if max(box) <= 1 and (box[2] - box[0]) * (box[3] - box[1]) < 1:
        raise DataError(
            f"{row.where}: the box {shown(cell)} lies within one pixel; boxes are in pixels: multiply shares by the "
            "width and the height of the picture"
        )
    return box


def beyond(boxes: Sequence[tuple[Box, tuple[int, int]]]) -> list[str]:
    """Return a note on boxes that reach beyond their pictures, as those of pictures of another size do."""
    far = sum(
        min(x1, y1) < -1 - _SLACK * max(size) or x2 > size[0] * (1 + _SLACK) + 1 or y2 > size[1] * (1 + _SLACK) + 1
        for (x1, y1, x2, y2), size in boxes
    )
    return [f"true boxes that reach beyond their pictures, as of pictures of another size: {far}"] if far else []


_SLACK = 0.01
"""Part of a side by which people draw beyond it."""


def as_text(places: Sequence[float]) -> str:
    """Return a box or a point as a text, to a tenth of a pixel.

    >>> as_text((12.04, 30.0, 50.55, 80.25))
    '[12, 30, 50.5, 80.2]'
    """
    return json.dumps([int(each) if each.is_integer() else each for each in (round(float(p), 1) for p in places)])


def as_exact(box: Box) -> str:
    """Return a box as a text that `from_exact` reads, every digit kept."""
    return " ".join(map(repr, box))


def from_exact(written: str) -> Box:
    """Return the box of `as_exact`."""
    x1, y1, x2, y2 = map(float, written.split())
    return x1, y1, x2, y2


def part_of(box: Box, width: int, height: int) -> Region:
    """Return a box in parts of width and height."""
    x1, y1, x2, y2 = (place / (height if i % 2 else width) for i, place in enumerate(box))
    return x1, y1, x2, y2


def mean_region(boxes: Sequence[tuple[Box, tuple[int, int]]]) -> Region:
    """Return the mean box in parts of width and height, of boxes with the sizes of their pictures."""
    x1, y1, x2, y2 = np.mean([part_of(box, *size) for box, size in boxes], axis=0).tolist()
    return x1, y1, x2, y2


def told(true: Sequence[Box], *, masked: bool) -> str:
    """Return where a thing is, for a person."""
    return "a mask" if masked else " ".join(map(as_text, true))
