"""Nearest neighbours of a few queries, block by block: what stands first where the wanted does not."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.harness.numerics.ranks import IntArray

_ROWS, _COLS = 256, 4096
"""Size of a block of scores; a larger one would only take more memory."""


def nearest(queries: NDArray[Any], gallery: NDArray[Any], wanted: NDArray[np.bool_]) -> IntArray:
    """Return for each of the (n, d) queries that is wanted the row of the (m, d) gallery of the largest dot product.

    The result is (n,), -1 for the others; of equal scores the first stands. It is for people to look at: scores are
    taken in the precision given, and no metric is made of it.

    >>> nearest(np.eye(2), np.array([[0.0, 0.5], [1.0, 0.0], [0.0, 1.0]]), np.array([False, True]))
    array([-1,  2])
    """
    found = np.full(len(queries), -1, dtype=np.int64)
    rows = np.flatnonzero(wanted)
    for part in (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)):
        best = np.full(len(part), -np.inf)
        for start in range(0, len(gallery), _COLS):
            scores = queries[part] @ gallery[start : start + _COLS].T
            first = scores.argmax(axis=1)
            value = scores[np.arange(len(part)), first]
            better = value > best
            found[part[better]] = start + first[better]
            best[better] = value[better]
    return found
