"""Boxes: how far two overlap."""

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import flag, numbers
from mmbench.harness.numerics.arrays import Floats

Box: TypeAlias = tuple[float, float, float, float]
"""Corners x1 y1 x2 y2."""


def iou(a: npt.ArrayLike, b: npt.ArrayLike, inclusive: bool = False) -> Any:
    """Return the intersection over union of boxes x1 y1 x2 y2, 0..1: a number for two (4,), else (n,) of (n, 4) each.

    A single box on one side stands for all of the other. nan where both are points, whose union has no area. Corners at
    `x2` and `y2` are outside the box; `inclusive` counts their pixels in, as older scripts of RefCOCO do, which is
    another number. Raises ArgumentError, a ValueError, also for corners in the wrong order.

    >>> iou([0, 0, 10, 10], [5, 0, 15, 10])
    0.3333333333333333
    >>> iou([[0, 0, 2, 2], [0, 0, 1, 1]], [[0, 0, 2, 1], [4, 4, 5, 5]]).tolist()
    [0.5, 0.0]
    """
    one, other = _boxes(a, "a"), _boxes(b, "b")
    if len({len(each) for each in (one, other)} - {1}) > 1:
        raise ArgumentError(f"a has {len(one)} boxes and b {len(other)}; give one of each, or a single one on one side")
    more = 1.0 if flag(inclusive, "inclusive") else 0.0
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2]) + more
    shared = np.prod(np.maximum(sides, 0.0), axis=1)
    union = _area(one, more) + _area(other, more) - shared
    made = np.divide(shared, union, out=np.full_like(union, np.nan), where=union > 0)
    return float(made[0]) if np.ndim(a) == np.ndim(b) == 1 else made


def overlap(one: Box, other: Box) -> float:
    """Return `iou` of two boxes, and 0 where both are points; a tenth of the time. Raises ArgumentError as that does.

    >>> overlap((0, 0, 10, 10), (5, 0, 15, 10)), overlap((1, 1, 1, 1), (1, 1, 1, 1))
    (0.3333333333333333, 0.0)
    """
    for given, what in ((one, "a"), (other, "b")):
        left, top, right, bottom = given
        if not (left <= right and top <= bottom and all(map(math.isfinite, given))):
            _boxes(given, what)
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _size(one) + _size(other) - shared
    return shared / union if union > 0 else 0.0


def _size(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _boxes(given: npt.ArrayLike, what: str) -> Floats:
    made = numbers(given, what)
    if made.ndim not in (1, 2) or made.shape[-1] != 4:
        raise ArgumentError(f"{what} is of shape {made.shape}; give a box of 4 numbers, x1 y1 x2 y2, or a list of them")
    if not np.isfinite(made).all():
        raise ArgumentError(f"{what} holds NaN or an infinite number; an item without a box has no overlap to compute")
    made = made.reshape(-1, 4)
    if (made[:, 2:] < made[:, :2]).any():
        raise ArgumentError(f"{what} has a box whose second corner is left of or above the first: x1 y1 x2 y2 is meant")
    return made


def _area(boxes: Floats, more: float) -> Floats:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2] + more, axis=1))
