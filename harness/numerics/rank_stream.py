"""Streamed retrieval ranks, counted block by block because the full score matrix does not fit in memory."""

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import TIE, IntArray, Positives, Queries, Ranks, flatten, queries_of

ROWS = COLS = 1024
"""Size of a block: large enough for full BLAS speed, small enough that its scores are counted from cache."""

MOST_THREADS = 32
"""Each holds buffers of tens of MiB."""

DENSE = 1 / 64
"""Share of undecided entries above which a float64 product of the block is cheaper than pair by pair."""


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
    rows, cols = flatten(positives, product.shape)
    values = product.pairs(rows, cols)
    sides = (
        queries_of("left", rows, values, product.slack[0], len(right)),
        queries_of("right", cols, values, product.slack[1], len(left)),
    )
    blocks = _blocks(product.shape, rows, cols)
    blas = ThreadpoolController().select(user_api="blas")
    threads = max((library["num_threads"] for library in blas.info()), default=os.cpu_count() or 1)
    counters = [_Counter(product, sides) for _ in range(min(threads, len(blocks), MOST_THREADS))]
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

    def pairs(self, rows: IntArray, cols: IntArray) -> Floats:
        result = np.empty(len(rows))
        for part in _chunks(len(rows), self.left.shape[1]):
            x, y = self.left[rows[part]].astype(np.float64), self.right[cols[part]].astype(np.float64)
            result[part] = np.vecdot(x, y)
        return result


def _chunks(length: int, width: int) -> list[slice]:
    """Cut rows of `width` numbers so that a part in float64 stays in cache and needs no fresh pages."""
    step = max(1, 2**15 // max(1, width))
    return [slice(start, start + step) for start in range(0, length, step)]


def _norms(vectors: NDArray[Any], side: str) -> Floats:
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

    def __init__(self, product: _Product, sides: tuple[Queries, Queries]) -> None:
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


def _widen(low: Floats, high: Floats, error: Floats) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return float32 limits outside of which a float32 score cannot be on the wrong side."""
    infinity = np.float32(np.inf)
    below, beyond = (low - error).astype(np.float32), (high + error).astype(np.float32)
    return np.nextafter(below, -infinity), np.nextafter(beyond, infinity)


def _add(flags: NDArray[np.bool_], axis: int) -> NDArray[np.uint16]:
    # Bytes added in 16 bits are several times faster than np.sum; no block is 65536 long.
    total: NDArray[np.uint16] = np.add.reduce(flags.view(np.uint8), axis=axis, dtype=np.uint16)
    return total
