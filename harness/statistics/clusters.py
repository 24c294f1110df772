"""Clustered items: standard error of their mean, design effect and effective sample size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.student import student_quantile

Codes: TypeAlias = npt.NDArray[np.intp]
Clusters: TypeAlias = Sequence[str] | npt.NDArray[np.integer]
"""What items that are not independent share, one for each item."""

_UNSEEN = 3.0
"""Events of a kind that was not seen, at the most, with a confidence of 95 %."""


def cluster_codes(clusters: Clusters) -> tuple[Codes, int]:
    """Return (n,) 0-based cluster numbers, in the order of the sorted names, and the number of clusters.

    >>> cluster_codes(["b", "a", "b"])
    (array([1, 0, 1]), 2)
    """
    if isinstance(clusters, np.ndarray):
        if clusters.size and clusters.min() >= 0 and clusters.max() < 4 * clusters.size:  # counted, not sorted
            present = np.bincount(clusters) > 0
            return (np.cumsum(present) - 1)[clusters], int(np.count_nonzero(present))
        names, codes = np.unique(clusters, return_inverse=True)
        return codes, len(names)
    numbers = {name: number for number, name in enumerate(sorted(set(clusters)))}
    return np.fromiter((numbers[name] for name in clusters), np.intp, len(clusters)), len(numbers)


def standard_error(values: Floats, codes: Codes, count: int) -> float:
    """Return the standard error of the mean of (n,) values drawn in `count` clusters; two at least.

    The jackknife that leaves out one cluster at a time (Tukey 1958), which allows for clusters of unlike size: with few
    of them it is off by less than the usual sum of squares (MacKinnon, Nielsen and Webb 2023).

    >>> round(standard_error(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 2]), 3) ** 2, 4)
    0.3333
    """
    moved = _moved(values, codes, count)
    return math.sqrt((count - 1) / count * float(moved @ moved))


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of values in clusters, and all that its intervals need."""

    value: float
    error: float
    """Standard error."""
    skew: float
    """Skewness of the mean."""
    freedom: float

    def ends(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the interval; None where nothing varies, which tells nothing of what would.

        Student's, of the statistic whose skewness Hall's transformation takes away (Hall 1992), without which the
        interval of what few clusters decide misses on one side.
        """
        if not self.error:
            return None
        quantile = student_quantile(0.5 + confidence / 2, self.freedom)
        return (
            self.value - self.error * _skewed(quantile, self.skew),
            self.value - self.error * _skewed(-quantile, self.skew),
        )


def clustered_mean(values: Floats, codes: Codes, count: int) -> Mean:
    """Return the mean of (n,) values in `count` clusters, two at least."""
    moved = _moved(values, codes, count)
    error = math.sqrt((count - 1) / count * float(moved @ moved))
    if error <= 1e-12 * float(np.abs(values).max(initial=0.0)):  # of equal values, by rounding
        error = 0.0
    spread = float(moved.std()) ** 3  # 0 where two clusters pull alike, or by underflow
    skew = float(((moved - moved.mean()) ** 3).mean()) / spread / math.sqrt(count) if spread else 0.0
    return Mean(float(values.mean()), error, skew, count - 1)


def mean_interval(values: Floats, clusters: Clusters, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the interval of the mean of (n,) values over clusters; None where there is but one, or nothing varies.

    >>> [round(end, 2) for end in mean_interval(np.array([1.0, 2.0, 3.0, 4.0]), ["a", "b", "c", "d"])]
    [0.45, 4.55]
    """
    codes, count = cluster_codes(clusters)
    return clustered_mean(values, codes, count).ends(confidence) if count > 1 else None


def effective_size(values: Floats, clusters: Clusters, confidence: float = 0.95) -> float | None:
    """Return how many independent items (n,) values in clusters are worth in an interval of a proportion.

    The number of items over the design effect (Rao and Scott 1992), `cautious` where it is below 1, and less by what
    Student's quantile exceeds the normal one (Korn and Graubard 1998). Values that are all the same show no design
    effect. None where there is but one cluster of several items.

    >>> effective_size(np.array([0.0, 1.0, 1.0]), ["a", "b", "c"])
    3.0
    >>> coins = np.random.default_rng(0).integers(2, size=1000)
    >>> 990 < effective_size(np.repeat(coins, 2).astype(float), np.repeat(np.arange(1000), 2)) <= 1000
    True
    """
    codes, count = cluster_codes(clusters)
    n = len(values)
    if count == n:
        return float(n)
    if count < 2:
        return None
    return n / cautious_effect(values, codes, count) * student_share(confidence, count - 1)


def cautious_effect(values: Floats, codes: Codes, count: int) -> float:
    """Return the `design_effect` of the mean of (n,) values, `cautious` where it is below 1.

    >>> yes_or_no = np.tile([1.0, 0.0], 500)  # who always says yes is right in one of two questions about a picture
    >>> round(cautious_effect(yes_or_no, np.repeat(np.arange(500), 2), 500), 3)
    0.012
    """
    independent = float(values.var(ddof=1)) if count < len(values) else 0.0
    if independent <= 0:
        return 1.0
    square = _moved(values, codes, count) ** 2
    effect = (count - 1) / count * float(square.sum()) / (independent / len(values))
    return cautious(effect, variance_doubt(square), independent * len(values))


def cautious(effect: float, doubt: float, spread: float) -> float:
    """Return an estimated design effect, taken to be below 1 only as far as the clusters show that it is.

    Items of a cluster repel each other where it is made so (a question of each picture whose answer is yes and one
    whose answer is no, of a model that prefers yes), but a few clusters may look so by luck: a standard error is added,
    and what so many items as may go unseen would add (the rule of three, Hanley and Lippman-Hand 1983).

    Args:
        effect: as estimated.
        doubt: variance of the estimate over its square.
        spread: variance of an item times their number.
    """
    return effect if effect >= 1 else min(1.0, effect * (1 + math.sqrt(doubt)) + unseen_effect(spread))


def unseen_effect(spread: float) -> float:
    """Return the design effect that items of a kind not seen may have; `spread` as in `cautious`.

    >>> unseen_effect(12.0), unseen_effect(0.5)
    (0.25, 1.0)
    """
    return min(1.0, _UNSEEN / spread)


def variance_doubt(square: Floats) -> float:
    """Return the variance of a sum of (k,) squares over its square.

    >>> variance_doubt(np.ones(10)) < 1e-9
    True
    """
    whole = float(square.sum())
    return max(float((square**2).sum()) / whole**2 - 1 / len(square), 1e-12) if whole > 0 else 1e-12


def design_effect(values: Floats, codes: Codes, count: int) -> float:
    """Return how many clustered items are worth one independent one, for the mean of (n,) values; 1 if all are equal.

    >>> design_effect(np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1, 2, 2]), 3)
    2.5
    """
    independent = float(values.var(ddof=1)) / len(values) if count < len(values) else 0.0
    return standard_error(values, codes, count) ** 2 / independent if independent > 0 else 1.0


def student_share(confidence: float, freedom: float) -> float:
    """Return by what a number of items shrinks where their variance is an estimate (Korn and Graubard 1998).

    >>> round(student_share(0.95, 10), 3)
    0.774
    """
    tail = 0.5 + confidence / 2
    return (NormalDist().inv_cdf(tail) / student_quantile(tail, freedom)) ** 2


def equal_clusters(codes: Codes, count: int) -> int:
    """Return how many clusters of equal size tell as much as `count` that hold these (n,) items (Kish 1965).

    >>> equal_clusters(np.array([0, 0, 1, 1, 2, 2]), 3), equal_clusters(np.array([0] * 98 + [1, 2]), 3)
    (3, 1)
    """
    square = float((np.bincount(codes, minlength=count) ** 2).sum())
    return int(len(codes) ** 2 / square + 1e-9) if square else 0


def moved_without(residuals: Floats, held: Floats) -> Floats:
    """Return (count,) how far a mean falls when a cluster is left out, of sums of residuals and of weights."""
    return np.asarray(residuals / (held.sum() - held))


def _moved(values: Floats, codes: Codes, count: int) -> Floats:
    """Return (count,) how far the mean falls when a cluster is left out."""
    residuals = np.asarray(np.bincount(codes, weights=values - values.mean(), minlength=count), np.float64)
    return moved_without(residuals, np.bincount(codes, minlength=count).astype(np.float64))


def _skewed(x: float, skew: float) -> float:
    """Return what Hall's transformation takes to `x`; `skew` is that of a mean."""
    return 3 / skew * (math.cbrt(1 + skew * (x - skew / 6)) - 1) if abs(skew) > 1e-6 else x
