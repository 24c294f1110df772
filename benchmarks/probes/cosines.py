"""Cosine similarities in blocks, so that the full matrix is never held in memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.harness.numerics.arrays import Floats

_NUMBERS = 2**23
"""Most numbers of a block: 64 MiB in float64."""


def unit(vectors: NDArray[Any]) -> Floats:
    """Return (n, d) vectors at length 1; a zero vector stays zero, so that its cosine with everything is 0.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    exact: Floats = vectors.astype(np.float64)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.asarray(np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0))


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Cut `rows` into slices whose product with `columns` numbers a row fits a block.

    >>> list(blocks(5, 2**22))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    step = max(1, _NUMBERS // max(1, columns))
    return (slice(start, start + step) for start in range(0, rows, step))
