"""Where models stand among each other, and which of them their items cannot tell apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from mmbench.harness.bootstrap import RESAMPLES, cluster_weights
from mmbench.harness.multiple import holm

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """One task of a board or suite."""

    clusters: Sequence[str]
    """What items that are not independent share, one for each of n items; across tasks too."""
    scores: Callable[[Floats], Floats]
    """(r, n) item weights to (r, models) chance-corrected scores."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's place."""

    rank: int
    """1 is the best; equal scores share a rank."""
    rank_low: int
    """The best rank in 95 % of resamples."""
    rank_high: int
    """The worst rank in them."""
    low: float
    """Lower end of the interval of the score."""
    high: float
    """Upper end of it."""
    group: int
    """1 for what ties with the best; see `standings`."""


def mean_scores(values: Floats, chance: float = 0.0, best: float = 1.0) -> Callable[[Floats], Floats]:
    """Return the function of weights that makes chance-corrected means of (n, models) per-item values.

    NaN: an item on which a model was not scored.

    >>> mean_scores(np.array([[1.0, 0.0], [1.0, np.nan], [0.0, 1.0]]), chance=0.5)(np.array([[1.0, 1.0, 2.0]]))
    array([[0.        , 0.33333333]])
    """
    scored = np.isfinite(values)
    filled = np.where(scored, values, 0.0)
    counted = scored.astype(np.float64) if not scored.all() else np.ones((len(values), 1))

    def scores(weights: Floats) -> Floats:
        weighed = weights @ counted
        means = np.divide(
            weights @ filled, weighed, out=np.full((len(weights), values.shape[1]), np.nan), where=weighed > 0
        )
        return np.asarray((means - chance) / (best - chance))

    return scores


def macro_replicates(parts: Sequence[Part], *, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return (at most resamples, models) means over the parts, all from the same resampled clusters.

    Pictures are drawn once for all tasks that show them, and for all models. Resamples in which a score is undefined
    are left out. Holds a few tens of megabytes beside the parts.
    """
    sizes = np.cumsum([len(part.clusters) for part in parts])[:-1]
    shared = [name for part in parts for name in part.clusters]
    means = [
        np.mean([part.scores(own) for part, own in zip(parts, np.split(block, sizes, axis=1), strict=True)], axis=0)
        for block in cluster_weights(shared, resamples, seed)
    ]
    replicates = np.concatenate(means)
    return np.asarray(replicates[np.isfinite(replicates).all(axis=1)])


def standings(scores: Floats, replicates: Floats, *, confidence: float = 0.95, alpha: float = 0.05) -> list[Standing]:
    """Return where models stand, in their own order, by (models,) scores and (r, models) paired replicates of them.

    Interval of a rank: its percentiles over the replicates. Groups: down the ranking, each model joins the group of the
    best one before it that opened a group, until one differs from that one significantly (Holm over all pairs, at
    `alpha`); it opens the next. Two models differ by a normal test with the standard deviation of their difference
    over the replicates.

    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(0, 0.01, (2000, 3))
    >>> for each in standings(np.array([0.5, 0.7, 0.51]), np.array([0.5, 0.7, 0.51]) + noise):
    ...     print(each.rank, each.rank_low, each.rank_high, each.group)
    3 2 3 2
    1 1 1 1
    2 2 3 2
    """
    ranks = _ranks(scores[None])[0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    resampled = _ranks(replicates)
    first, last = np.quantile(resampled, [tail, 1 - tail], axis=0, method="inverted_cdf")
    groups = _groups(scores, pairwise(scores, replicates), alpha)
    return [
        Standing(
            int(ranks[i]),
            int(min(first[i], ranks[i])),
            int(max(last[i], ranks[i])),
            float(low[i]),
            float(high[i]),
            int(groups[i]),
        )
        for i in range(len(scores))
    ]


def pairwise(scores: Floats, replicates: Floats) -> Floats:
    """Return (models, models) p-values that two models are alike, Holm-adjusted over all pairs.

    >>> pairwise(np.array([0.5, 0.5]), np.array([[0.4, 0.6], [0.6, 0.4]]))
    array([[1., 1.],
           [1., 1.]])
    """
    count = len(scores)
    adjusted = np.ones((count, count))
    one, other = np.triu_indices(count, 1)
    if len(one):
        normal = NormalDist()
        covariance = np.atleast_2d(np.cov(replicates, rowvar=False))
        spread = np.sqrt(np.maximum(covariance[one, one] + covariance[other, other] - 2 * covariance[one, other], 0.0))
        apart = np.abs(scores[one] - scores[other])
        z = np.divide(apart, spread, out=np.where(apart > 0, np.inf, 0.0), where=spread > 0)
        adjusted[one, other] = adjusted[other, one] = holm([2 * normal.cdf(-each) for each in z.tolist()])
    return adjusted


def _ranks(scores: Floats) -> npt.NDArray[np.intp]:
    """Return ranks within each row: one more than there are better ones."""
    return np.stack([1 + (scores > scores[:, [i]]).sum(axis=1) for i in range(scores.shape[1])], axis=1)


def _groups(scores: Floats, adjusted: Floats, alpha: float) -> npt.NDArray[np.intp]:
    order = np.argsort(-scores, kind="stable")
    groups = np.zeros(len(scores), dtype=np.intp)
    opener, group = order[0], 1
    for model in order:
        if adjusted[opener, model] < alpha:
            opener, group = model, group + 1
        groups[model] = group
    return groups
