"""Attribution maps: how far a score depends on each part of a picture, and how far such a map can be believed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import matrix, number, numbers, vector, whole
from mmbench.harness.metrics.boxes import Box
from mmbench.harness.numerics.arrays import Floats

Places = npt.NDArray[np.int64]
Inside = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Patch:
    """Pixels of a picture, the ends outside."""

    left: int
    top: int
    right: int
    bottom: int


def patches(height: int, width: int, side: int, stride: int) -> list[Patch]:
    """Return square patches, row by row, that cover a picture; the last of a row or column ends with the picture.

    >>> [(patch.left, patch.right) for patch in patches(4, 10, 4, 3)]
    [(0, 4), (3, 7), (6, 10)]
    """
    whole(stride, "the stride", 1, whole(side, "the side of a patch"))
    return [
        Patch(left, top, min(left + side, width), min(top + side, height))
        for top in _starts(height, side, stride)
        for left in _starts(width, side, stride)
    ]


def _starts(length: int, side: int, stride: int) -> range:
    return range(0, max(length - side, 0) + stride, stride) if length > side else range(1)


def occlusion_map(hidden: Sequence[Patch], drops: npt.ArrayLike, height: int, width: int) -> Floats:
    """Return (height, width): the mean drop of a score over the patches that hide a pixel.

    A drop is the score less that of the picture with the patch replaced (Zeiler and Fergus 2014, 4.2); above 0 the
    patch speaks for what is scored. A pixel that no patch hides has 0.

    >>> occlusion_map(patches(1, 4, 2, 2), [1.0, -1.0], 1, 4).tolist()
    [[1.0, 1.0, -1.0, -1.0]]
    """
    told = vector(drops, "drops")
    if len(told) != len(hidden):
        raise ArgumentError(f"there are {len(hidden)} patches and {len(told)} drops; give one of each")
    total, covered = np.zeros((height, width)), np.zeros((height, width))
    for patch, drop in zip(hidden, told, strict=True):
        where = slice(patch.top, patch.bottom), slice(patch.left, patch.right)
        total[where] += drop
        covered[where] += 1
    return total / np.maximum(covered, 1)


def rise_mask(grid: npt.ArrayLike, shift: tuple[float, float], height: int, width: int) -> Floats:
    """Return the (height, width) mask of an (s, s) grid of 0 and 1, enlarged bilinearly and shifted (down, right).

    As the official script of RISE (Petsiuk et al. 2018, 3.2) makes it: the grid, enlarged to (s + 1) cells of
    ceil(height / s) by ceil(width / s) pixels, is cut at the shift, which is in parts of a cell, from 0 to below 1.

    >>> rise_mask([[0, 1], [0, 1]], (0.0, 0.5), 2, 4).round(3).tolist()
    [[0.0, 0.333, 0.667, 1.0], [0.0, 0.333, 0.667, 1.0]]
    """
    cells = matrix(grid, "the grid", rows=2)
    (rows, down), (columns, right) = (
        _along(length, count, number(part, "a shift", 0, 1))
        for length, count, part in zip((height, width), cells.shape, shift, strict=True)
    )
    above, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    below, beside = np.minimum(above + 1, down), np.minimum(left + 1, right)
    lower, later = (rows - above)[:, None], (columns - left)[None, :]
    across = cells[:, left] * (1 - later) + cells[:, beside] * later
    return np.asarray(across[above] * (1 - lower) + across[below] * lower)


def _along(length: int, count: int, shift: float) -> tuple[Floats, int]:
    """Return where in a row of `count` cells the pixels lie, mirrored at its ends, and the number of the last cell."""
    cell = -(-length // count)
    enlarged = (count + 1) * cell
    pixels = np.arange(length) + int(shift * cell)
    places = np.abs((pixels + 0.5) * (count / enlarged) - 0.5)
    last = count - 1
    return np.where(places > last, 2 * last - places, places), last


def rise_map(masks: Iterable[npt.ArrayLike], scores: npt.ArrayLike, keep: float | None = None) -> Floats:
    """Return (height, width): the mean of (n,) scores, weighted by the (height, width) masks they came by.

    Divided by the summed masks, or by n times `keep`, the share that a mask shows, as the paper has it: pixels at the
    border, which shifted masks show less or more often, then differ by that alone. Masks are taken one at a time.

    >>> rise_map([[[1, 0]], [[0, 1]], [[1, 1]]], [0.8, 0.2, 0.5]).round(3).tolist()
    [[0.65, 0.35]]
    >>> rise_map([[[1, 0]], [[0, 1]], [[1, 1]]], [0.8, 0.2, 0.5], keep=0.5).round(3).tolist()
    [[0.867, 0.467]]
    """
    told = vector(scores, "scores")
    if keep is not None:
        number(keep, "the share that a mask shows", 1e-9, 1)
    total: Floats | None = None
    shown: Floats | None = None
    taken = 0
    for mask, score in zip(masks, told, strict=True):
        one = numbers(mask, "a mask")
        total = one * score if total is None else total + one * score
        shown = one if shown is None else shown + one
        taken += 1
    assert total is not None and shown is not None  # noqa: S101 - a vector has at least one number
    if keep is not None:
        return total / (taken * keep)
    return np.divide(total, shown, out=np.zeros_like(total), where=shown > 0)


def by_salience(saliency: npt.ArrayLike) -> Places:
    """Return the places of an (height, width) map in its flat form, the most salient first, equal ones as they stand.

    >>> by_salience([[0.1, 0.5], [0.5, -1]]).tolist()
    [1, 2, 0, 3]
    """
    return np.argsort(-matrix(saliency, "the map"), axis=None, kind="stable")


def exchanged(
    picture: npt.NDArray[np.generic], other: npt.NDArray[np.generic], order: Places, count: int
) -> npt.NDArray[np.generic]:
    """Return an (height, width, …) picture in which the first `count` places of an order are those of another.

    >>> exchanged(np.array([[1, 2], [3, 4]]), np.zeros((2, 2), int), np.array([2, 0, 1, 3]), 2).tolist()
    [[0, 2], [0, 4]]
    """
    made = picture.copy()
    flat, given = made.reshape(-1, *picture.shape[2:]), other.reshape(-1, *picture.shape[2:])
    flat[order[:count]] = given[order[:count]]
    return made


def counts(pixels: int, steps: int) -> list[int]:
    """Return how many pixels are exchanged at each point of a curve, from none to all.

    >>> counts(10, 4)
    [0, 3, 6, 9, 10]
    """
    each = -(-whole(pixels, "the number of pixels") // whole(steps, "the number of steps"))
    return [*range(0, pixels, each), pixels]


def curve_area(scores: npt.ArrayLike) -> float:
    """Return the area under the scores of a deletion or insertion, the first with none exchanged, the last with all.

    By the trapezoidal rule over a width of 1 (Petsiuk et al. 2018, 4.2). Of a deletion lower is better, of an insertion
    higher; both depend on the model, so that they say something beside those of a random map alone.

    >>> curve_area([1.0, 0.5, 0.0])
    0.5
    """
    made = vector(scores, "scores")
    if len(made) < 2:
        raise ArgumentError("a curve has at least its two ends")
    return float((made.sum() - made[0] / 2 - made[-1] / 2) / (len(made) - 1))


def inside(boxes: Sequence[Box], height: int, width: int) -> Inside:
    """Return which pixels lie in one of the boxes x1 y1 x2 y2, by their centres; x2 and y2 are outside.

    >>> inside([(1, 0, 3, 1)], 2, 4).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    made = np.zeros((height, width), dtype=bool)
    for left, top, right, bottom in boxes:
        made |= (left <= x) & (x < right) & (top <= y) & (y < bottom)
    return made


def energy_inside(saliency: npt.ArrayLike, within: Inside) -> float | None:
    """Return which share of the positive part of a map lies inside (Wang et al. 2020); None where none is positive.

    A map that knows nothing has the share of the area, `within.mean()`.

    >>> energy_inside([[3.0, 1.0], [-5.0, 0.0]], np.array([[True, False], [True, False]]))
    0.75
    """
    positive = np.maximum(matrix(saliency, "the map"), 0.0)
    total = float(positive.sum())
    return float(positive[within].sum()) / total if total > 0 else None


def pointing_hit(saliency: npt.ArrayLike, within: Inside, tolerance: float = 0.0) -> bool:
    """Tell whether the peak of a map lies inside, or no further from it than the tolerance, in pixels.

    The pointing game of Zhang et al. 2016, 3.3, who let 15 pixels pass. Of several peaks the first counts.

    >>> left = np.array([[True, False, False]])
    >>> pointing_hit([[0, 0, 1]], left), pointing_hit([[0, 0, 1]], left, tolerance=2)
    (False, True)
    """
    made = matrix(saliency, "the map")
    row, column = np.unravel_index(int(made.argmax()), made.shape)
    rows, columns = np.nonzero(within)
    if not len(rows):
        return False
    nearest = np.hypot(rows - row, columns - column).min()
    return bool(nearest <= number(tolerance, "the tolerance", 0))
