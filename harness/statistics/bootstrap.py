"""Cluster bootstrap: how far a score would vary had other pictures been drawn."""

import math
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from statistics import NormalDist

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.clusters import Clusters, cluster_codes
from mmbench.harness.statistics.student import student_quantile

RESAMPLES = 2000
_WORK = 400_000_000
"""Statistics that the resamples of one interval may touch, some seconds of work."""
_FEWEST = 200
"""Resamples at the least."""
_PLAIN = 0.95
"""The confidence of intervals where nothing else is asked."""
_FEWEST_BEYOND = 5
"""Resamples beyond an end of a surer interval, of which fewer tell little."""
_AT_ONCE = 4_000_000
"""Weights held at a time."""


def affordable(cells: int) -> int:
    """Return how often statistics of so many numbers are resampled in some seconds."""
    return min(RESAMPLES, max(_FEWEST, _WORK // max(cells, 1)))


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
    return percentiles(statistic, clusters, seed=seed, resamples=resamples)(confidence)


def percentiles(
    statistic: Callable[[Floats], Floats], clusters: Clusters, *, seed: int = 0, resamples: int = RESAMPLES
) -> Callable[[float], tuple[float, float] | None]:
    """Return what makes `percentile_interval` at any confidence; all of them stand on the same resamples.

    Beyond 95 %, where few resamples lie beyond an end, it is that of 95 % moved out from the median as a normal one.
    """
    count = cluster_codes(clusters)[1]

    @cache
    def values() -> Floats:
        made = np.concatenate([statistic(weights) for weights in cluster_weights(clusters, resamples, seed)])
        return np.asarray(made[np.isfinite(made)])

    def reach(confidence: float) -> float:
        return math.sqrt(count / (count - 1)) * student_quantile(0.5 + confidence / 2, count - 1)

    def at(confidence: float) -> tuple[float, float] | None:
        if count < 2 or len(values()) < resamples / 2:
            return None
        tail = NormalDist().cdf(-reach(confidence))
        if confidence <= _PLAIN or tail * resamples >= _FEWEST_BEYOND:
            low, high = np.quantile(values(), [tail, 1 - tail])
            return float(low), float(high)
        low, high = at(_PLAIN) or (math.nan, math.nan)
        middle, more = float(np.median(values())), reach(confidence) / reach(_PLAIN)
        return middle - (middle - low) * more, middle + (high - middle) * more

    return at


def cluster_weights(clusters: Clusters, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield (b, n) blocks of item weights, `resamples` rows in all: how often each item's cluster was drawn.

    Given the items of several tasks in one row, whatever shares a picture is drawn together across tasks.

    >>> (block,) = cluster_weights(["a", "a", "b"], 4, seed=0)
    >>> block[:, 0].tolist() == block[:, 1].tolist(), (block[:, 0] + block[:, 2]).tolist()
    (True, [2.0, 2.0, 2.0, 2.0])
    """
    codes, count = cluster_codes(clusters)
    most = max(1, _AT_ONCE // max(len(codes), 1))
    if resamples <= most:
        yield _block(codes.tobytes(), count, resamples, seed)
        return
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, most):
        rows = min(most, resamples - start)
        yield _drawn(rng, count, rows)[:, codes]


@lru_cache(maxsize=1)  # the metrics of one task are resampled one after the other
def _block(codes: bytes, count: int, resamples: int, seed: int) -> Floats:
    weights = _drawn(np.random.default_rng(seed), count, resamples)[:, np.frombuffer(codes, np.intp)]
    weights.flags.writeable = False
    return weights


def _drawn(rng: np.random.Generator, count: int, rows: int) -> Floats:
    """Return (rows, count) how often each cluster was drawn."""
    drawn = rng.integers(count, size=(rows, count))
    drawn += count * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count).astype(np.float64)
