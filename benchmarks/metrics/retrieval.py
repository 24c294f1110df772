"""Median and mean rank of retrieval, resampled by item weights."""

import numpy as np

from mmbench.harness.numerics.arrays import Floats


def median_rank(statistics: Floats, weights: Floats) -> Floats:
    """Return the median of the expected ranks. `statistics` is (n, 1), `weights` (b, n) of whole counts; returns (b,).

    >>> median_rank(np.array([[1.0], [7.0], [2.0], [4.0]]), np.array([[1.0, 1, 1, 1], [3, 0, 0, 1]]))
    array([3., 1.])
    """
    order = np.argsort(statistics[:, 0], kind="stable")
    ranks = statistics[order, 0]
    upto = np.cumsum(weights[:, order], axis=1)
    half = upto[:, -1:] / 2
    lower = np.argmax(upto >= half, axis=1)
    upper = np.argmax(upto > half, axis=1)
    return np.asarray((ranks[lower] + ranks[upper]) / 2)


def mean_rank(statistics: Floats, weights: Floats) -> Floats:
    """Return the mean of the expected ranks. `statistics` is (n, 1), `weights` (b, n); returns (b,).

    >>> mean_rank(np.array([[1.0], [7.0], [2.0], [4.0]]), np.array([[1.0, 1, 1, 1], [3, 0, 0, 1]]))
    array([3.5 , 1.75])
    """
    return np.asarray(weights @ statistics[:, 0] / weights.sum(axis=1))
