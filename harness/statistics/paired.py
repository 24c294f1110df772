"""Paired comparison of two runs on the same items: difference, interval and p-value."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.bootstrap import RESAMPLES, percentile_interval
from mmbench.harness.statistics.clusters import Clusters, Codes, cluster_codes, effective_size, mean_interval
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.mcnemar import mcnemar_mid, mcnemar_mid_lower, tango_interval
from mmbench.harness.statistics.permutation import sign_flip, tail_shares
from mmbench.harness.types import FEW_CLUSTERS

Aggregate = Callable[[Floats, Floats], Floats]
"""(n, k) statistics and (r, n) item weights to (r,) values."""

_AT_ONCE = 4_000_000
"""Weights held at a time."""

_Ends = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Paired(Estimate):
    """How much the score of the second of two runs exceeds that of the first; no interval where all is one cluster."""

    p: float
    """Two-sided: how likely a difference as large is where there is none."""
    p_lower: float
    """One-sided: how likely the second run is as low where it is no worse than the first."""
    n: int
    """Items that both runs were scored on."""
    clusters: int
    """Independent groups of them: pictures, episodes."""

    @property
    def few_clusters(self) -> bool:
        """True where the interval may be too narrow."""
        return self.clusters < min(self.n, FEW_CLUSTERS)


def paired(a: Floats, b: Floats, clusters: Clusters, *, seed: int = 0, confidence: float = 0.95) -> Paired:
    """Compare the means of (n,) per-item values of two runs; `clusters` are what items that are not independent share.

    Right or wrong (0 or 1), no cluster shared: McNemar's mid-p and Tango's interval. Clusters shared: signs flipped by
    cluster, and Tango's interval at the effective number of items. Other values: signs flipped, and an interval of the
    mean over clusters. Raises ValueError for no items, unlike numbers of them, or a value that is not finite.

    >>> before, after = np.array([1.0] * 15 + [0.0] * 5), np.array([0.0] * 6 + [1.0] * 10 + [0.0] * 4)
    >>> made = paired(before, after, np.arange(20))
    >>> made.value, round(made.p, 4), round(made.p_lower, 4)
    (-0.25, 0.0703, 0.0352)
    """
    codes, count = _checked(a, b, clusters)
    change = b - a
    if not np.isfinite(change).all():
        raise ValueError("an item that one of the runs was not scored on cannot be compared")
    compare = _binary if np.isin((a, b), (0.0, 1.0)).all() else _general
    p, p_lower, ends = compare(change, codes, count, seed, confidence)
    low, high = ends or (None, None)
    return Paired(float(change.mean()), low, high, p, p_lower, len(change), count)


def paired_corpus(
    aggregate: Aggregate, a: Floats, b: Floats, clusters: Clusters, *, seed: int = 0, confidence: float = 0.95
) -> Paired | None:
    """Compare a corpus metric of two runs, given as (n, k) per-item statistics each; None where one is undefined.

    p: the runs' statistics swapped at random, whole clusters at a time. Interval: clusters resampled. Raises ValueError
    for no items or unlike numbers of them.
    """
    codes, count = _checked(a, b, clusters)
    both = np.concatenate([a, b])

    def difference(second: Floats) -> Floats:
        """Return (r,) scores of the items that (r, n) rows of 0 and 1 take from `b`, less those that are left."""
        taken = np.concatenate([1 - second, second], axis=1)
        return aggregate(both, taken) - aggregate(both, 1 - taken)

    observed = float(difference(np.ones((1, len(a))))[0])
    if not np.isfinite(observed):
        return None
    null = np.concatenate([difference(block) for block in _swaps(codes, count, seed)])
    p, p_lower = tail_shares(observed, null[np.isfinite(null)], drawn=True)
    ends = percentile_interval(
        lambda weights: aggregate(b, weights) - aggregate(a, weights), codes, confidence=confidence, seed=seed
    )
    low, high = ends or (None, None)
    return Paired(observed, low, high, p, p_lower, len(a), count)


def _checked(a: Floats, b: Floats, clusters: Clusters) -> tuple[Codes, int]:
    if not 0 < len(a) == len(b) == len(clusters):
        raise ValueError(f"two runs are compared on the same items: {len(a)} and {len(b)}, in {len(clusters)} clusters")
    return cluster_codes(clusters)


def _binary(change: Floats, codes: Codes, count: int, seed: int, confidence: float) -> tuple[float, float, _Ends]:
    gains, losses = int((change > 0).sum()), int((change < 0).sum())
    n = len(change)
    if count == n:
        ends = tango_interval(gains, losses, n, confidence)
        return mcnemar_mid(gains, losses), mcnemar_mid_lower(gains, losses), ends
    worth = effective_size(change, codes, confidence)
    scaled = tango_interval(gains * worth / n, losses * worth / n, worth, confidence) if worth else None
    return *sign_flip(_sums(change, codes, count), seed), scaled


def _general(change: Floats, codes: Codes, count: int, seed: int, confidence: float) -> tuple[float, float, _Ends]:
    return *sign_flip(_sums(change, codes, count), seed), mean_interval(change, codes, confidence)


def _sums(change: Floats, codes: Codes, count: int) -> Floats:
    return np.asarray(np.bincount(codes, weights=change, minlength=count), np.float64)


def _swaps(codes: Codes, count: int, seed: int) -> Iterator[Floats]:
    """Yield (r, n) blocks of 0 and 1, alike within a cluster, `RESAMPLES` - 1 rows in all."""
    rng = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // (2 * len(codes)))
    for start in range(0, RESAMPLES - 1, rows):
        coins = rng.integers(2, size=(min(rows, RESAMPLES - 1 - start), count))
        yield coins.astype(np.float64)[:, codes]
