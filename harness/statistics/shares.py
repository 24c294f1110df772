"""Shares: proportions of all kinds (accuracy, recall, F1, mean per-class recall), their intervals and differences."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.clusters import (
    Clusters,
    cautious,
    cluster_codes,
    moved_without,
    student_share,
    unseen_effect,
    variance_doubt,
)
from mmbench.harness.statistics.estimate import At, Ends
from mmbench.harness.statistics.mid_p import proportion_interval


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """What n items add to a proportion: the sum of hits over the sum of weights."""

    hits: Floats
    """(n,) of 0 to `weights`."""
    weights: Floats
    """(n,) what each could add; 0 where it does not count (an answer `no` in precision)."""
    strata: npt.NDArray[np.intp] | None = None
    """(n,) 0-based strata whose sizes are given, such as classes whose recalls are averaged."""
    coins: Floats | None = None
    """(n,) how many things, each right or wrong, an item holds, where it is not one (attributes of a caption)."""
    link: Callable[[float], float] | None = None
    """The score as a rising function of the proportion, where it is not the proportion itself."""

    @property
    def share(self) -> float:
        """The proportion; NaN where no item counts."""
        whole = float(self.weights.sum())
        return float(self.hits.sum()) / whole if whole > 0 else math.nan

    @property
    def worth(self) -> float:
        """How many equal things that are right or wrong these are worth, were they independent (Kish 1965)."""
        counting = self.weights > 0
        weights = self.weights[counting]
        square = float((weights**2 / (1.0 if self.coins is None else self.coins[counting])).sum())
        return float(weights.sum()) ** 2 / square if square > 0 else 0.0

    @property
    def slope(self) -> float:
        """How much the score moves with the proportion."""
        low, high = max(0.0, self.share - 1e-6), min(1.0, self.share + 1e-6)
        return (self.linked(high) - self.linked(low)) / (high - low)

    def linked(self, share: float) -> float:
        """Return the score of a proportion."""
        return self.link(share) if self.link else share


def share_interval(shares: Shares, clusters: Clusters, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the interval of the score; None where there is but one cluster, or no item counts.

    Wilson's (1927; beyond 95 % the mid-p interval), with as many items as these are worth: their number over the design
    effect, which is the variance of the linearised share over that of as many coins (Rao and Scott 1992; in surveys
    Franco et al. 2019). It exceeds 1 where items share clusters, and is less where values lie between right and wrong,
    classes differ in recall, or clusters show that their items repel each other.
    Near 0 and 1, where few clusters tell it, it is drawn to 1, so that a score with nothing wrong has an interval as
    wide as that of so many coins. Student's quantile enters by Korn and Graubard (1998), with the degrees of freedom
    that the estimated design effect has by its own variance. F1 is that of the share of right ones among the items of
    either kind, as its link (Lam, Gopal and Qian 2023).

    >>> right = np.array([1.0] * 8 + [0.0] * 2)
    >>> [round(end, 4) for end in share_interval(Shares(right, np.ones(10)), np.arange(10))]  # Wilson's
    [0.4902, 0.9433]
    >>> [round(end, 3) for end in share_interval(Shares(np.ones(10), np.ones(10)), np.arange(10))]
    [0.722, 1.0]
    >>> low, high = share_interval(Shares(np.array([0.4, 0.6] * 50), np.ones(100)), np.arange(100))
    >>> round(low, 2), round(high, 2)
    (0.48, 0.52)
    """
    return share_intervals(shares, clusters)(confidence)


def share_intervals(shares: Shares, clusters: Clusters) -> At:
    """Return `share_interval` at any confidence: the design effect, the same at each, is computed once."""
    share = shares.share
    counting = shares.weights > 0
    codes, count = cluster_codes(np.asarray(cluster_codes(clusters)[0][counting]))
    if count < 2 or not math.isfinite(share):
        return lambda confidence: None
    share = min(max(share, 0.0), 1.0)
    hits, weights = shares.hits[counting], shares.weights[counting]
    whole = bool(np.isin(hits / weights, (0.0, 1.0)).all())
    alike = bool((weights == weights[0]).all()) and shares.coins is None
    plain = whole and shares.strata is None and count == len(codes) and alike
    worth = shares.worth
    effect, freedom = (1.0, 0.0) if plain else _design_effect(shares, counting, codes, count)

    def at(confidence: float) -> Ends:
        held = worth if plain else worth / effect * student_share(confidence, freedom)
        low, high = proportion_interval(share * held, held, confidence)
        return shares.linked(low), shares.linked(high)

    return at


def _design_effect(
    shares: Shares, counting: npt.NDArray[np.bool_], codes: npt.NDArray[np.intp], count: int
) -> tuple[float, float]:
    """Return the design effect, and the degrees of freedom of its estimate.

    Twice the square of an estimated variance over its own variance (Satterthwaite 1946), which is large where few
    clusters, or small strata, make most of it; taken to be that of independent normal values such an interval is too
    narrow (Kauermann and Carroll 2001). A cluster much larger than the others has a small residual only because the
    share is its own: without strata the variance is that of leaving each cluster out (MacKinnon and others 2023).
    """
    hits, weights, share = shares.hits[counting], shares.weights[counting], shares.share
    coins, most = share * (1 - share) / shares.worth, float(count - 1)
    if coins <= 0:
        return 1.0, most
    strata = None if shares.strata is None else shares.strata[counting]
    residuals, held = (
        np.bincount(codes, each, minlength=count).astype(np.float64)
        for each in (_residuals(hits, weights, share, strata), weights)
    )
    if strata is None:
        square = moved_without(residuals, held) ** 2 * most / count
    else:
        square = (residuals - residuals.mean()) ** 2 / weights.sum() ** 2
    seen = float(square.sum()) / coins
    whole = bool(np.isin(hits / weights, (0.0, 1.0)).all())
    spread = share * (1 - share) * shares.worth
    telling = _telling(hits, weights, codes, held, share, narrower=seen < 1, whole=whole) ** 2
    known = telling / (telling + 1)
    effect = known * seen + (1 - known) * (1.0 if whole else unseen_effect(spread))
    if strata is None and whole:
        effect = cautious(effect, variance_doubt(square), spread)
    if known * seen <= 0:
        return effect, most
    few = 1.0 if strata is None else np.bincount(codes, _few(strata)) / np.bincount(codes)
    fourth = float((square**2 * few).sum())
    doubt = max(fourth / float(square.sum()) ** 2 - 1 / count, 1e-12) * (known * seen) ** 2
    return effect, min(most, max(1.0, 2 * effect**2 / max(doubt, 1e-300)))


def _telling(
    hits: Floats,
    weights: Floats,
    codes: npt.NDArray[np.intp],
    held: Floats,
    share: float,
    *,
    narrower: bool,
    whole: bool,
) -> float:
    """Return how many clusters tell of the variance: those not all right (of a low share, not all wrong).

    Where an interval would become `narrower` than that of coins, only as many as weigh as much as those of which
    nothing is seen yet (Kish 1965): wrong items of a large class tell nothing of a class of one item. And of fractional
    values, one an item, those alone that are not the commonest: fifty times .6 do not say that .6 is all there is.
    """
    away = np.bincount(codes, weights - hits if share >= 0.5 else hits, minlength=len(held)) > 1e-12
    told = float(np.count_nonzero(away))
    if not narrower:
        return told
    square = held**2
    told = min(told, float(held.sum() ** 2 * square[away].sum() / square.sum() ** 2))
    if not whole and len(held) == len(codes):
        commonest = int(np.unique((hits / weights).round(9), return_counts=True)[1].max())
        told = min(told, float(len(held) - commonest))
    return told


def _residuals(hits: Floats, weights: Floats, share: float, strata: npt.NDArray[np.intp] | None) -> Floats:
    """Return (n,) what items have more than is expected of them: within strata, corrected for their sizes."""
    if strata is None:
        return hits - share * weights
    top, whole = (np.bincount(strata, each) for each in (hits, weights))
    own = np.where(np.bincount(strata) > 1, top / np.maximum(whole, 1e-300), share)
    return np.asarray((hits - own[strata] * weights) * np.sqrt(_few(strata)))


def _few(strata: npt.NDArray[np.intp]) -> Floats:
    """Return (n,) by what squares around the mean of an item's stratum are too small; 1 of one item alone."""
    sizes = np.bincount(strata)
    return np.asarray((sizes / np.maximum(sizes - 1, 1))[strata], np.float64)


def share_reaches(a: Shares, b: Shares) -> Floats:
    """Return (n,) by how much each item can move n times the score at the most; 0 of one that counts in neither run.

    >>> share_reaches(Shares(np.ones(3), np.array([1.0, 1, 0])), Shares(np.ones(3), np.array([1.0, 0, 0]))).tolist()
    [3.0, 1.5, 0.0]
    """
    reach = np.maximum(a.weights / a.weights.sum(), b.weights / b.weights.sum())
    return np.asarray(len(reach) * reach * (max(a.slope, b.slope) if a.link else 1.0))


def share_changes(a: Shares, b: Shares) -> Floats:
    """Return (n,) changes of n items from one run to another, whose mean is the difference of the scores.

    Linearised around the middle of both, so that of equal weights an item that did not change has none.

    >>> one, other = Shares(np.array([1.0, 0, 0]), np.array([1.0, 1, 0])), Shares(np.array([1.0, 1, 0]), np.ones(3))
    >>> float(share_changes(one, other).mean().round(6)) == round(2 / 3 - 1 / 2, 6)
    True
    """
    middle = (a.share + b.share) / 2
    parts = []
    for each in (b, a):
        expected = middle * each.weights
        if a.strata is not None:
            top = np.bincount(a.strata, a.hits / a.weights.sum() + b.hits / b.weights.sum())
            whole = np.bincount(a.strata, a.weights / a.weights.sum() + b.weights / b.weights.sum())
            expected = np.divide(top, whole, out=np.zeros_like(top), where=whole > 0)[a.strata] * each.weights
        parts.append((each.hits - expected) / each.weights.sum())
    change = parts[0] - parts[1]
    if a.link is not None:
        step = b.share - a.share
        # The slope between the two; where they are equal, of the tangent.
        change = change * ((a.linked(b.share) - a.linked(a.share)) / step if abs(step) > 1e-9 else a.slope)
    return np.asarray(len(change) * change)
