"""Masks as COCO writes them: run lengths, compressed or not, and polygons; decoded as pycocotools does."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import DataError

Mask = npt.NDArray[np.bool_]
"""(height, width), True where the thing is."""

_MOST = 1 << 28
"""Pixels of a mask, at the most."""
_FINE = 5
"""Steps to a pixel in which an outline is followed."""
_LONGEST = 1 << 24
"""Steps of an outline, at the most."""


def mask_of_runs(counts: str | Sequence[int], height: int, width: int) -> Mask:
    """Return the mask of run lengths: how many pixels are off, then on, then off …, down the columns from the left.

    A text holds them compressed. Raises DataError where they are not those of a picture of this size.

    >>> mask_of_runs([1, 2, 1], 2, 2).astype(int).tolist(), mask_of_runs("121", 2, 2).astype(int).tolist()
    ([[0, 1], [1, 0]], [[0, 1], [1, 0]])
    """
    if not 0 < height * width <= _MOST or height < 1:
        raise DataError(f"a mask of {height} x {width} pixels")
    runs = _decompressed(counts) if isinstance(counts, str) else [int(count) for count in counts]
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise DataError(f"the run lengths of a mask of {height} x {width} pixels do not add up to {height * width}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


def mask_of_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> Mask:
    """Return the mask of outlines `[x1, y1, x2, y2, …]` in pixels, all together.

    Which pixels of an edge belong to it is as in pycocotools. Raises DataError for less than three points.

    >>> mask_of_polygons([[1, 0, 3, 0, 3, 2, 1, 2]], 3, 4).astype(int).tolist()
    [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    made = np.zeros((height, width), bool)
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise DataError(f"an outline has x and y of three points or more, found {len(polygon)} numbers")
        made |= _filled(np.asarray(polygon, float).reshape(-1, 2), height, width)
    return made


def _decompressed(text: str) -> list[int]:
    """Return run lengths of groups of five bits, lowest first, behind a bit that says whether one follows.

    From the fourth on each is told as its difference to the one before the last.
    """
    runs: list[int] = []
    value = shift = 0
    for sign in text.encode("ascii", "replace"):
        bits = sign - 48
        if not 0 <= bits < 64 or shift > 30:
            raise DataError(f"{text[:20]!r} … is no compressed mask of COCO")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise DataError(f"{text[:20]!r} … is a compressed mask that is cut off")
    return runs


def _filled(points: npt.NDArray[np.float64], height: int, width: int) -> Mask:
    """Return the inside of one outline: where it is crossed an odd number of times above a pixel of its column."""
    if not np.isfinite(points).all() or np.abs(points).max() > 1e6:
        raise DataError("an outline has a point that is no place in a picture")
    fine = np.trunc(points * _FINE + 0.5).astype(np.int64)
    if np.abs(fine - np.roll(fine, -1, axis=0)).max(axis=1).sum() > _LONGEST:
        raise DataError("an outline is too long for one of a picture")
    steps = [_line(start, end) for start, end in zip(fine, np.roll(fine, -1, axis=0), strict=True)]
    across, down = np.concatenate(steps, axis=1)
    moved = np.flatnonzero(across[1:] != across[:-1])
    column = (np.where(across[moved + 1] < across[moved], across[moved + 1], across[moved + 1] - 1) + 0.5) / _FINE - 0.5
    row = np.ceil(np.clip((np.minimum(down[moved + 1], down[moved]) + 0.5) / _FINE - 0.5, 0, height))
    met = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    crossings = (column[met] * height + row[met]).astype(np.int64)
    odd = np.cumsum(np.bincount(crossings, minlength=height * width + 1)[: height * width]) % 2 == 1
    return np.asarray(odd.reshape(width, height).T)


def _line(start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (2, n) places from one to another, a step along the longer side each."""
    longer = int(np.argmax(np.abs(end - start)))  # of equal ones across
    # As if from the lower end, so that a line is the same both ways.
    low, high = (start, end) if start[longer] <= end[longer] else (end, start)
    steps = np.arange(low[longer], high[longer] + 1)
    slope = (high[1 - longer] - low[1 - longer]) / max(1, high[longer] - low[longer])
    other = np.trunc(low[1 - longer] + slope * (steps - low[longer]) + 0.5).astype(np.int64)
    made = np.stack([steps, other] if longer == 0 else [other, steps])
    return made if low is start else made[:, ::-1]
