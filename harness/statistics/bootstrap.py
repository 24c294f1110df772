"""Cluster bootstrap: how far a score would vary had other pictures been drawn."""

import math
from collections.abc import Callable, Iterator
from statistics import NormalDist

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.clusters import Clusters, cluster_codes
from mmbench.harness.statistics.student import student_quantile

RESAMPLES = 2000
_AT_ONCE = 4_000_000
"""Weights held at a time."""


def percentile_interval(
    statistic: Callable[[Floats], Floats],
    clusters: Clusters,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """Return the expanded percentile interval of a statistic over resampled clusters.

    `statistic` takes (b, n) item weights and returns (b,) values. Items of one cluster are drawn together. The
    percentiles (Efron and Tibshirani 1993, 13.3) are set further out, as Student's interval is set against the normal
    one, without which the interval is too narrow for few clusters (Hesterberg 2015, 5.3). None where the statistic is
    undefined in most resamples, or there is but one cluster.
    """
    count = cluster_codes(clusters)[1]
    if count < 2:
        return None
    values = np.concatenate([statistic(weights) for weights in cluster_weights(clusters, resamples, seed)])
    values = values[np.isfinite(values)]
    if len(values) < resamples / 2:
        return None
    expanded = math.sqrt(count / (count - 1)) * student_quantile(0.5 + confidence / 2, count - 1)
    tail = NormalDist().cdf(-expanded)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def cluster_weights(clusters: Clusters, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield (b, n) blocks of item weights, `resamples` rows in all: how often each item's cluster was drawn.

    Given the items of several tasks in one row, whatever shares a picture is drawn together across tasks.

    >>> (block,) = cluster_weights(["a", "a", "b"], 4, seed=0)
    >>> block[:, 0].tolist() == block[:, 1].tolist(), (block[:, 0] + block[:, 2]).tolist()
    (True, [2.0, 2.0, 2.0, 2.0])
    """
    codes, count = cluster_codes(clusters)
    rng = np.random.default_rng(seed)
    most = max(1, _AT_ONCE // max(len(codes), 1))
    for start in range(0, resamples, most):
        rows = min(most, resamples - start)
        drawn = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        yield times.astype(np.float64)[:, codes]
