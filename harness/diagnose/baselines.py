"""Baselines of diagnoses: what each figure comes to, at the same n and d, where there is nothing to find."""

import math

import numpy as np
import numpy.typing as npt

from mmbench.harness.metrics.embeddings import effective_rank
from mmbench.harness.numerics.arrays import Floats


def knows_nothing(n: int) -> float:
    """Return the InfoNCE of n pairs whose cosines are all alike.

    >>> round(knows_nothing(1000), 4)
    6.9078
    """
    return math.log(n)


def base_rate(n: int) -> float:
    """Return the sigmoid loss of n pairs where every logit is that of the share 1 / n of pairs that belong together.

    >>> round(base_rate(2), 4)  # two pairs of two logits of 0: 2 ln 2
    1.3863
    """
    return math.log(n) - (n - 1) * math.log1p(-1 / n) if n > 1 else 0.0


def gap_by_chance(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return the root mean square distance of the means of (n, d) and (m, d) unit vectors drawn around one mean.

    Means of few vectors lie apart by luck: by the variance of each set over its number.

    >>> round(gap_by_chance([[1.0, 0.0], [-1.0, 0.0]], [[0.0, 1.0], [0.0, -1.0]]), 4)
    1.4142
    """
    sets = (np.asarray(x, np.float64), np.asarray(y, np.float64))
    means = (rows.mean(axis=0) for rows in sets)
    # Of unit vectors the variance is 1 less the square of the mean.
    spreads = [(1 - float(mean @ mean)) / (len(rows) - 1) for rows, mean in zip(sets, means, strict=True)]
    return math.sqrt(max(0.0, sum(spreads)))


def hubs_by_chance(queries: int, gallery: int, k: int) -> float:
    """Return the skewness of k-occurrence where each query draws its k blindly: of a binomial law.

    >>> round(hubs_by_chance(1000, 1000, 10), 4)
    0.3115
    """
    share = k / gallery
    return (1 - 2 * share) / math.sqrt(queries * share * (1 - share))


def antihubs_by_chance(queries: int, gallery: int, k: int) -> float:
    """Return the share of a gallery that no query draws, where each draws its k blindly.

    >>> round(antihubs_by_chance(1000, 1000, 1), 4)
    0.3677
    """
    return (1 - k / gallery) ** queries


def spread_evenly(dimension: int) -> float:
    """Return the uniformity of vectors spread evenly over all directions: ln E exp(4 cos - 4).

    The expectation is the series of the confluent hypergeometric limit function (DLMF 16.2), 0F1(; d / 2; 4).

    >>> round(spread_evenly(1), 6), round(spread_evenly(512), 3)  # ln cosh 4 - 4
    (-0.692812, -3.984)
    """
    term = total = 1.0
    k = 0
    while term > 1e-17 * total:
        term *= 4 / ((k + 1) * (dimension / 2 + k))
        total += term
        k += 1
    return math.log(total) - 4


def rank_of_noise(n: int, dimension: int, seed: int = 0) -> float:
    """Return the effective rank of (n, d) independent normal numbers without their mean, as drawn by a seed.

    Drawn is only the triangle of their QR (Bartlett 1933), which has the same singular values.

    >>> round(rank_of_noise(100_000, 8), 2), rank_of_noise(2, 64)
    (8.0, 1.0)
    """
    rows, columns = max(n - 1, dimension), min(n - 1, dimension)  # a mean takes one row
    draw = np.random.default_rng(seed)
    triangle: Floats = np.triu(draw.standard_normal((columns, columns)), k=1)
    np.fill_diagonal(triangle, np.sqrt(draw.chisquare(rows - np.arange(columns))))
    return effective_rank(triangle, centred=False)
