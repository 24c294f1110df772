"""Retrieval ranks are counted while blocks of scores stream by, because the full score matrix fits no memory."""

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import ThreadpoolController

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Positives = Sequence[Sequence[int] | IntArray]

TIE = 1e-12
"""Scores this close, relative to the norms, tie: far above float64 rounding, far below what a model can mean."""

ROWS = COLS = 1024
"""Size of a block: large enough for full BLAS speed, small enough that its scores are counted from cache."""

DENSE = 1 / 64
"""Share of undecided entries above which a float64 product of the block is cheaper than pair by pair."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where the best positive of each of n queries stands among the negatives."""

    greater: IntArray
    """(n,) negatives that score strictly above the query's best positive."""
    tied: IntArray
    """(n,) negatives that tie with it."""
    tied_positives: IntArray
    """(n,) positives that tie with it, itself included: at least 1."""
    positives: IntArray
    """(n,) positives of the query."""
    gallery: int
    """Number of items that each query ranks."""

    def expected(self) -> FloatArray:
        """Return the (n,) expected 1-based ranks of the first positive when ties fall in a random order.

        >>> one = np.ones(1, np.int64)
        >>> Ranks(2 * one, 3 * one, one, one, 10).expected()  # rank 3, 4, 5 or 6, equally likely
        array([4.5])
        >>> Ranks(0 * one, 3 * one, 3 * one, 3 * one, 6).expected()  # 3 negatives fall into 4 gaps
        array([1.75])
        """
        return self.greater + 1 + self.tied / (self.tied_positives + 1)

    def hit(self, k: int) -> FloatArray:
        """Return the (n,) probabilities in 0..1 that a positive is among the first k: recall@k of each query.

        >>> one = np.ones(1, np.int64)
        >>> [float(Ranks(one, one, one, one, 10).hit(k)[0]) for k in (1, 2, 3)]
        [0.0, 0.5, 1.0]
        """
        return hit_probability(self.greater, self.tied, self.tied_positives, k)


def hit_probability(greater: ArrayLike, tied: ArrayLike, tied_positives: ArrayLike, k: int) -> FloatArray:
    """Return the probabilities that one of the tied positives is among the first k when ties fall in a random order.

    The arguments are whole numbers that broadcast: negatives above, negatives tied, positives tied (at least 1).
    With r = k - greater places left it is 0 for r <= 0, 1 for r > tied, else 1 - C(tied, r) / C(tied + positives, r).
    With everything tied it is chance: greater 0, tied = gallery - positives.

    >>> float(hit_probability(0, 3, 2, 2))  # 1 - C(3,2)/C(5,2) = 1 - 3/10
    0.7
    >>> hit_probability([4, 5, 0], [0, 0, 4], 1, 5)
    array([1., 0., 1.])
    >>> round(float(hit_probability(0, 999, 1, 10)), 9)  # chance of recall@10 with one positive in 1000
    0.01
    """
    above, ties, own = (np.asarray(part, np.int64) for part in (greater, tied, tied_positives))
    places, total = k - above, ties + own
    # The ratio of binomials is symmetric in r and the positives, so the product runs over the smaller of the two.
    few, many = np.minimum(places, own), np.maximum(places, own)
    miss = np.where(places > ties, 0.0, 1.0)
    for step in range(int(np.max(few * (places <= ties), initial=0))):
        miss = miss * np.where(step < few, (total - step - many) / np.maximum(total - step, 1), 1.0)
    return np.asarray(1.0 - miss)


def count_ranks(left: NDArray[Any], right: NDArray[Any], positives: Positives) -> tuple[Ranks, Ranks]:
    """Rank right for every left and left for every right by dot product, from one pass over the blocked product.

    `left` is (n, d), `right` (m, d), normally of unit norm; `positives[i]` are the indices of the right items that
    belong to left i, any many-to-many relation that leaves no item of either side without a partner.
    Positives are told from negatives by index, never by score. The product is taken in the precision given; float32
    entries closer to a threshold than their rounding error are computed again in float64, so ranks are those of
    float64 scores in which a relative difference of 1e-12 is a tie, wherever in a block an entry stands.
    Raises ValueError for NaN or infinite vectors, shapes that do not fit, indices out of range and items without a
    positive.

    >>> images = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> captions = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]])  # image 1 prefers the second caption of image 0
    >>> by_image, by_caption = count_ranks(images, captions, [[0, 2], [1]])
    >>> by_image.greater, by_image.tied, by_caption.greater
    (array([1, 2]), array([0, 0]), array([1, 1, 1]))
    """
    product = _Product(left, right)
    rows, cols = _flatten(positives, product.shape)
    values = product.pairs(rows, cols)
    sides = (
        _queries("left", rows, values, product.slack[0], len(right)),
        _queries("right", cols, values, product.slack[1], len(left)),
    )
    blocks = _blocks(product.shape, rows, cols)
    blas = ThreadpoolController().select(user_api="blas")
    threads = max((library["num_threads"] for library in blas.info()), default=os.cpu_count() or 1)
    counters = [_Counter(product, sides) for _ in range(min(threads, len(blocks)))]
    # As many threads as BLAS would have, each with a BLAS of one: so no core idles while scores are counted.
    with blas.limit(limits=1), ThreadPoolExecutor(len(counters)) as pool:
        try:
            for done in [pool.submit(counter.run, blocks) for counter in counters]:
                done.result()
        finally:
            blocks.clear()  # what is left after an error or an interrupt
    left_ranks, right_ranks = (
        side.ranks(*np.sum([counter.counts[axis] for counter in counters], axis=0)) for axis, side in enumerate(sides)
    )
    return left_ranks, right_ranks


def rank_matrix(scores: NDArray[Any], positives: Positives) -> tuple[Ranks, Ranks]:
    """Rank a given (n, m) matrix of scores both ways, as `count_ranks` does, for models that only score pairs.

    Scores may be infinite and tie when they are equal. Raises ValueError for NaN and for positives as `count_ranks`.

    >>> by_row, by_column = rank_matrix(np.array([[3.0, 1.0], [3.0, 3.0]]), [[0], [1]])
    >>> by_row.greater, by_row.tied, by_column.tied, by_column.expected()
    (array([0, 0]), array([0, 1]), array([1, 0]), array([1.5, 1. ]))
    """
    negatives = np.array(scores, np.float64)
    if negatives.ndim != 2 or np.isnan(negatives).any():
        raise ValueError(f"scores of shape {negatives.shape} are not a matrix without NaN")
    n, m = negatives.shape
    rows, cols = _flatten(positives, (n, m))
    values = negatives[rows, cols]
    negatives[rows, cols] = np.nan  # neither greater nor equal
    left, right = _queries("left", rows, values, np.zeros(n), m), _queries("right", cols, values, np.zeros(m), n)
    return (
        left.ranks((negatives > left.best[:, None]).sum(axis=1), (negatives == left.best[:, None]).sum(axis=1)),
        right.ranks((negatives > right.best).sum(axis=0), (negatives == right.best).sum(axis=0)),
    )


def _flatten(positives: Positives, shape: tuple[int, int]) -> tuple[IntArray, IntArray]:
    """Return the rows and columns of the positive pairs, each pair once."""
    n, m = shape
    if len(positives) != n or not n or not m:
        raise ValueError(f"{len(positives)} lists of positives for {n} left and {m} right items")
    cols = np.concatenate([np.asarray(own, np.int64) for own in positives])
    rows = np.repeat(np.arange(n), [len(own) for own in positives])
    if cols.size and not 0 <= cols.min() <= cols.max() < m:
        raise ValueError(f"positives name right items outside 0..{m - 1}")
    pairs = np.unique(rows * m + cols)
    return pairs // m, pairs % m


@dataclass(frozen=True, slots=True)
class _Queries:
    """All queries of one direction."""

    best: FloatArray
    """Thresholds: the float64 scores of the best positives."""
    slack: FloatArray
    """How far from its threshold a score may lie and still tie."""
    tied_positives: IntArray
    positives: IntArray
    gallery: int

    def ranks(self, greater: IntArray, tied: IntArray) -> Ranks:
        return Ranks(greater, tied, self.tied_positives, self.positives, self.gallery)


def _queries(side: str, index: IntArray, values: FloatArray, slack: FloatArray, gallery: int) -> _Queries:
    positives = np.bincount(index, minlength=len(slack))
    if not positives.all():
        raise ValueError(f"{side} item {int(np.argmin(positives))} has no positive")
    best = np.full(len(slack), -np.inf)
    np.maximum.at(best, index, values)
    tied = np.bincount(index[values >= (best - slack)[index]], minlength=len(slack))
    return _Queries(best, slack, tied, positives, gallery)


class _Product:
    def __init__(self, left: NDArray[Any], right: NDArray[Any]) -> None:
        if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
            raise ValueError(f"vectors of shapes {left.shape} and {right.shape} have no dot products")
        self.shape, width = (len(left), len(right)), left.shape[1]
        norms = _norms(left, "left"), _norms(right, "right")
        scale = norms[0] * norms[1].max(initial=0.0), norms[1] * norms[0].max(initial=0.0)
        # Products near the end of float32's range may overflow, and then no bound holds.
        narrow = np.result_type(left, right, np.float32) == np.float32 and scale[0].max(initial=0.0) < 1e30
        self.dtype = np.dtype(np.float32 if narrow else np.float64)
        self.left, self.right = (np.ascontiguousarray(part, self.dtype) for part in (left, right))
        # However it is summed, a dot product of d terms is off by at most d u / (1 - d u) times the norms, u being
        # the unit roundoff (Higham 2002, section 3.1), and by what its terms lose to underflow.
        single, double = (width * u / (1 - width * u) for u in (2.0**-24, 2.0**-53))
        self.slack = (scale[0] * max(TIE, 4 * double), scale[1] * max(TIE, 4 * double))
        lost = width * float(np.finfo(np.float32).tiny)
        self.error = (scale[0] * single + lost, scale[1] * single + lost)

    def block(self, rows: slice, cols: slice, out: NDArray[Any]) -> None:
        x, y = self.left[rows].astype(out.dtype, copy=False), self.right[cols].astype(out.dtype, copy=False)
        np.matmul(x, y.T, out=out)

    def pairs(self, rows: IntArray, cols: IntArray) -> FloatArray:
        result = np.empty(len(rows))
        for part in _chunks(len(rows), self.left.shape[1]):
            x, y = self.left[rows[part]].astype(np.float64), self.right[cols[part]].astype(np.float64)
            result[part] = np.vecdot(x, y)
        return result


def _chunks(length: int, width: int) -> list[slice]:
    """Cut rows of `width` numbers so that a part in float64 stays in cache and needs no fresh pages."""
    step = max(1, 2**15 // max(1, width))
    return [slice(start, start + step) for start in range(0, length, step)]


def _norms(vectors: NDArray[Any], side: str) -> FloatArray:
    result = np.empty(len(vectors))
    for part in _chunks(*vectors.shape):
        values = vectors[part].astype(np.float64)
        result[part] = np.sqrt(np.vecdot(values, values))
    if not np.isfinite(result).all():
        raise ValueError(f"{side} vector {int(np.argmin(np.isfinite(result)))} holds NaN or infinity")
    return result


_Block = tuple[slice, slice, tuple[IntArray, IntArray]]
"""Its rows, its columns, and the rows and columns within it of positive pairs."""


def _blocks(shape: tuple[int, int], rows: IntArray, cols: IntArray) -> deque[_Block]:
    down, across = -(-shape[0] // ROWS), -(-shape[1] // COLS)
    owner = rows // ROWS * across + cols // COLS
    order = np.argsort(owner, kind="stable")
    own = np.split(order, np.searchsorted(owner[order], np.arange(1, down * across)))
    result: deque[_Block] = deque()
    for number, pairs in enumerate(own):
        top, left = number // across * ROWS, number % across * COLS
        area = slice(top, min(top + ROWS, shape[0])), slice(left, min(left + COLS, shape[1]))
        result.append((*area, (rows[pairs] - top, cols[pairs] - left)))
    return result


class _Counter:
    """The share of one thread: its buffers and what it counted."""

    def __init__(self, product: _Product, sides: tuple[_Queries, _Queries]) -> None:
        self.product, self.sides = product, sides
        self.exact = [(side.best - side.slack, side.best + side.slack) for side in sides]
        self.limits: list[tuple[NDArray[Any], NDArray[Any]]] = list(self.exact)
        if product.dtype != np.float64:
            self.limits = [_widen(*exact, error) for exact, error in zip(self.exact, product.error, strict=True)]
        self.counts = [np.zeros((2, size), np.int64) for size in product.shape]
        size = min(ROWS, product.shape[0]) * min(COLS, product.shape[1])
        self.values = np.empty(size, product.dtype)
        self.flags = np.empty(4 * size, np.bool_)

    def run(self, blocks: deque[_Block]) -> None:
        # With its default of 8192 NumPy first copies each threshold along its row, which doubles the time to compare.
        np.setbufsize(COLS)
        while True:
            try:
                block = blocks.popleft()
            except IndexError:
                return
            self.count(block)

    def count(self, block: _Block) -> None:
        rows, cols, _ = block
        shape = (rows.stop - rows.start, cols.stop - cols.start)
        size = shape[0] * shape[1]
        values, flags = self.values[:size].reshape(shape), self.flags[: 4 * size].reshape(2, 2, *shape)
        above, near = flags
        self.compare(block, values, self.limits, flags)
        decided = values.dtype == np.float64
        places = np.empty(0, np.int64) if decided else np.flatnonzero(near)
        if len(places) > DENSE * size:
            # As of a collapsed model: the whole block in float64 costs less than pair by pair.
            self.compare(block, np.empty(shape), self.exact, flags)
            decided, places = True, places[:0]
        axes, i, j = np.unravel_index(places, near.shape)
        for axis, part in enumerate((rows, cols)):
            self.counts[axis][0, part] += _add(above[axis], 1 - axis)
            if decided:
                self.counts[axis][1, part] += _add(near[axis], 1 - axis)
            else:
                self.settle(axis, i[axes == axis] + rows.start, j[axes == axis] + cols.start)

    def compare(
        self,
        block: _Block,
        values: NDArray[Any],
        limits: Sequence[tuple[NDArray[Any], NDArray[Any]]],
        flags: NDArray[np.bool_],
    ) -> None:
        """Mark, for row queries and for column queries, entries above both limits and entries between them."""
        rows, cols, positives = block
        self.product.block(rows, cols, values)
        values[positives] = np.nan  # neither above nor between anything
        above, near = flags
        for axis, part in enumerate((rows, cols)):
            low, high = (np.expand_dims(limit[part], 1 - axis) for limit in limits[axis])
            np.greater(values, high, out=above[axis])
            np.greater_equal(values, low, out=near[axis])
        np.not_equal(near, above, out=near)

    def settle(self, axis: int, rows: IntArray, cols: IntArray) -> None:
        """Count pairs by their float64 scores."""
        side, queries = self.sides[axis], (rows, cols)[axis]
        above, slack = self.product.pairs(rows, cols) - side.best[queries], side.slack[queries]
        np.add.at(self.counts[axis][0], queries[above > slack], 1)
        np.add.at(self.counts[axis][1], queries[np.abs(above) <= slack], 1)


def _widen(low: FloatArray, high: FloatArray, error: FloatArray) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return float32 limits outside of which a float32 score cannot be on the wrong side."""
    infinity = np.float32(np.inf)
    below, beyond = (low - error).astype(np.float32), (high + error).astype(np.float32)
    return np.nextafter(below, -infinity), np.nextafter(beyond, infinity)


def _add(flags: NDArray[np.bool_], axis: int) -> NDArray[np.uint16]:
    # Bytes added in 16 bits are several times faster than np.sum; no block is 65536 long.
    total: NDArray[np.uint16] = np.add.reduce(flags.view(np.uint8), axis=axis, dtype=np.uint16)
    return total
