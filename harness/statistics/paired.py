"""Paired comparison of two runs on the same items: difference, interval and p-value, which say the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.bootstrap import RESAMPLES, percentiles
from mmbench.harness.statistics.clusters import (
    Clusters,
    Codes,
    cautious_effect,
    cluster_codes,
    clustered_mean,
    equal_clusters,
    student_share,
)
from mmbench.harness.statistics.estimate import At, Ends, Estimate
from mmbench.harness.statistics.mcnemar import mcnemar_mid, mcnemar_mid_lower, tango_interval
from mmbench.harness.statistics.permutation import lower_tail, sign_flip, tail_share
from mmbench.harness.types import FEW_CLUSTERS

Aggregate = Callable[[Floats, Floats], Floats]
"""(n, k) statistics and (r, n) item weights to (r,) values."""

_AT_ONCE = 4_000_000
"""Weights held at a time."""
_BARELY = 1e-6
"""Of a difference: how far from 0 an interval ends that would hold 0 where the test does not."""

_NONE: tuple[None, None] = (None, None)


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
    """Independent groups of them (pictures, episodes), as many as tell as much where they are of unlike size."""
    at: At | None = field(default=None, compare=False, repr=False)
    """The interval at any confidence, as its method gives it."""

    @property
    def few_clusters(self) -> bool:
        """True where the interval may be too narrow."""
        return self.clusters < min(self.n, FEW_CLUSTERS)

    def scaled(self, by: float) -> "Paired":
        """Return the same on another scale; where `by` is negative, on one that points the other way."""
        at, turned = self.at, by < 0
        low, high = sorted((self.low * by, self.high * by)) if self.low is not None and self.high is not None else _NONE

        def scaled(confidence: float) -> Ends:
            ends = at(confidence) if at else None
            return None if ends is None else (min(ends[0] * by, ends[1] * by), max(ends[0] * by, ends[1] * by))

        p_lower = 1 - self.p_lower if turned else self.p_lower
        return Paired(self.value * by, low, high, self.p, p_lower, self.n, self.clusters, at and scaled)

    def ends(self, confidence: float) -> Ends:
        """Return the interval at a confidence; 0 lies outside it where p is below 1 - confidence, and only there."""
        return agreeing(self.at(confidence) if self.at else None, self.value, self.p, confidence)


def agreeing(ends: Ends, value: float, p: float, confidence: float) -> Ends:
    """Return an interval that holds 0 unless the two-sided test at the same level does not.

    Interval and test are of two methods, each the better for its purpose, which may differ by a hair at 0. There the
    test decides: the interval is that of all differences which are not rejected.

    >>> agreeing((0.01, 0.3), 0.15, 0.06, 0.95), agreeing((-0.01, 0.2), 0.1, 0.04, 0.95)
    ((0.0, 0.3), (1e-07, 0.2))
    """
    if ends is None:
        return None
    low, high = ends
    if p >= 1 - confidence or value == 0:
        return min(low, 0.0), max(high, 0.0)
    return (max(low, _BARELY * value), high) if value > 0 else (low, min(high, _BARELY * value))


def paired(a: Floats, b: Floats, clusters: Clusters, *, confidence: float = 0.95, bounded: bool = False) -> Paired:
    """Compare the means of (n,) per-item values of two runs; `clusters` are what items that are not independent share.

    Right or wrong (0 or 1), no cluster shared: McNemar's mid-p and Tango's interval; other values, and clusters shared:
    see `paired_changes`, with `bounded` for values that lie in 0 to 1. Raises ValueError for no items, unlike numbers
    of them, or a value that is not finite.

    >>> before, after = np.array([1.0] * 15 + [0.0] * 5), np.array([0.0] * 6 + [1.0] * 10 + [0.0] * 4)
    >>> made = paired(before, after, np.arange(20))
    >>> made.value, round(made.p, 4), round(made.p_lower, 4)
    (-0.25, 0.0703, 0.0352)
    """
    _checked(a, b, clusters)
    change = b - a
    if not np.isfinite(change).all():
        raise ValueError("an item that one of the runs was not scored on cannot be compared")
    whole = bool(np.isin((a, b), (0.0, 1.0)).all())
    return paired_changes(change, clusters, confidence=confidence, reach=1.0 if whole or bounded else None)


def paired_changes(
    change: Floats,
    clusters: Clusters,
    *,
    confidence: float = 0.95,
    reach: float | Floats | None = 1.0,
    n: int | None = None,
) -> Paired:
    """Compare two runs by (n,) changes from the first to the second, whose mean is the difference.

    p: signs flipped by cluster; where all changes are -1, 0 or 1 and no cluster is shared, McNemar's mid-p. Interval:
    where scores lie in 0 to 1, Tango's, of changes counted in units of their usual size, at the number of items that
    the clustered ones are worth; `reach` is how much an item can change, one for all or (n,). Where it is None scores
    are not bounded, and the interval is that of a mean. `n`: the number of items, where the changes are of groups.
    """
    codes, count = cluster_codes(clusters)
    value = float(change.mean())
    gains, losses = int((change > 0).sum()), int((change < 0).sum())
    n = n or len(change)
    alone = count == len(change)
    told = equal_clusters(codes, count)
    if alone and reach is not None and bool(np.all(reach == 1.0) and np.isin(change, (-1.0, 0.0, 1.0)).all()):
        p, p_lower = mcnemar_mid(gains, losses), mcnemar_mid_lower(gains, losses)
        at: At | None = partial(tango_interval, gains, losses, len(change))
    else:
        p = sign_flip(np.asarray(np.bincount(codes, weights=change, minlength=count), np.float64))
        p_lower = lower_tail(p, value)
        at = None
        if count > 1:
            if reach is None:
                at = clustered_mean(change, codes, count).ends
            else:
                at = _counted(change, codes, count, np.broadcast_to(np.asarray(reach, np.float64), change.shape))
    made = Paired(value, None, None, p, p_lower, n, told, at)
    low, high = made.ends(confidence) or (None, None)
    return Paired(value, low, high, p, p_lower, n, told, at)


def _counted(change: Floats, codes: Codes, count: int, reach: Floats) -> At:
    """Return Tango's interval of changes that are not all of one size.

    Changes of any sizes have the variance of so many of the one size in which their absolute sum is spent, the mean of
    the sizes weighted by themselves; as many are counted (as sums of weights, by Bohm and Zech 2014). Where few have
    changed, or only such as can change little (items of a large class, in a mean over classes), the size is drawn to
    what items can change.
    """
    n = len(change)
    sizes = np.abs(change)
    spent, whole, square = float(sizes.sum()), float(reach.sum()), float(reach @ reach)
    telling = (whole**2 * float((reach[sizes > 0] ** 2).sum()) / square**2) ** 2
    known = telling / (telling + 1)
    size = (known * float(sizes @ sizes) / spent if spent > 0 else 0.0) + (1 - known) * square / whole
    gained, lost = float(np.maximum(change, 0).sum()) / size, float(np.maximum(-change, 0).sum()) / size
    effect = cautious_effect(change, codes, count)

    def at(confidence: float) -> Ends:
        worth = n / effect * student_share(confidence, count - 1)
        low, high = tango_interval(gained * worth / n, lost * worth / n, worth, confidence)
        return max(low * size, -1.0), min(high * size, 1.0)

    return at


def paired_corpus(
    aggregate: Aggregate, a: Floats, b: Floats, clusters: Clusters, *, seed: int = 0, confidence: float = 0.95
) -> Paired | None:
    """Compare a corpus metric of two runs, given as (n, k) per-item statistics each; None where one is undefined.

    For metrics that are not smooth, such as a median or a least, of which no item's share can be told. p: the runs'
    statistics swapped at random, whole clusters at a time. Interval: clusters resampled. Raises ValueError for no items
    or unlike numbers of them.
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
    p = tail_share(observed, null[np.isfinite(null)])

    resampled = percentiles(lambda weights: aggregate(b, weights) - aggregate(a, weights), codes, seed=seed)

    def at(level: float) -> Ends:
        made = resampled(level)
        # That nothing changed tells not how much might; that all changed alike does.
        return None if made == (0.0, 0.0) else made

    low, high = agreeing(at(confidence), observed, p, confidence) or (None, None)
    return Paired(observed, low, high, p, lower_tail(p, observed), len(a), equal_clusters(codes, count), at)


def _checked(a: Floats, b: Floats, clusters: Clusters) -> tuple[Codes, int]:
    if not 0 < len(a) == len(b) == len(clusters):
        raise ValueError(f"two runs are compared on the same items: {len(a)} and {len(b)}, in {len(clusters)} clusters")
    return cluster_codes(clusters)


def _swaps(codes: Codes, count: int, seed: int) -> Iterator[Floats]:
    """Yield (r, n) blocks of 0 and 1, alike within a cluster, `RESAMPLES` - 1 rows in all."""
    rng = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // (2 * len(codes)))
    for start in range(0, RESAMPLES - 1, rows):
        coins = rng.integers(2, size=(min(rows, RESAMPLES - 1 - start), count))
        yield coins.astype(np.float64)[:, codes]
