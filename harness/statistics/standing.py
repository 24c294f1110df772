"""Rank intervals of models, and tie groups that their items cannot separate."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.holm import holm
from mmbench.harness.statistics.means_of_tasks import correlation


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's place."""

    rank: int
    """1 is the best; equal scores share a rank."""
    rank_low: int
    """The best rank that it may truly have: no more models are surely better."""
    rank_high: int
    """The worst: no more are surely worse."""
    group: int
    """1 for what ties with the best; see `standings`."""


def standings(scores: Floats, ends: Floats, replicates: Floats, *, alpha: float = 0.05) -> list[Standing]:
    """Return where models stand, in their own order; the arguments are those of `pairwise`.

    Two models differ where their adjusted p-value is below `alpha`. The interval of a rank counts the models that
    differ, above and below (Klein, Wright and Wieczorek 2020): all intervals hold together with probability
    1 - `alpha`, however close the models are, which percentiles of resampled ranks do not. Groups: down the ranking,
    each model joins the group of the best one before it that opened a group, until one differs from that one; it opens
    the next.

    >>> rng = np.random.default_rng(0)
    >>> scores = np.array([0.5, 0.7, 0.51])
    >>> ends = np.stack([scores - 0.02, scores + 0.02], axis=1)
    >>> for each in standings(scores, ends, rng.normal(scores, 0.01, (2000, 3))):
    ...     print(each.rank, each.rank_low, each.rank_high, each.group)
    3 2 3 2
    1 1 1 1
    2 2 3 2
    """
    differ = pairwise(scores, ends, replicates) < alpha
    above = scores[None, :] > scores[:, None]
    ranks = 1 + above.sum(axis=1)
    first = 1 + (above & differ).sum(axis=1)
    last = len(scores) - (above.T & differ).sum(axis=1)
    groups = _groups(scores, differ)
    return [Standing(*map(int, places)) for places in zip(ranks, first, last, groups, strict=True)]


def pairwise(scores: Floats, ends: Floats, replicates: Floats) -> Floats:
    """Return (models, models) p-values that two models are alike, Holm-adjusted over all pairs.

    `scores`: (models,). `ends`: (models, 2), their 95 % intervals. `replicates`: (r, models), paired, for how the
    errors go together. A normal test, with the interval of a difference that Zou and Donner (2008) make of those: it
    stays unsure of two models that have all items right and all wrong.

    >>> ends = np.array([[0.3, 0.7], [0.5, 0.9]])
    >>> pairwise(np.array([0.5, 0.7]), ends, np.array([[0.4, 0.6], [0.6, 0.8]])).round(3)
    array([[1., 0.],
           [0., 1.]])
    >>> pairwise(np.array([0.5, 0.7]), ends, np.array([[0.4, 0.8], [0.6, 0.8]])).round(3)
    array([[1.   , 0.166],
           [0.166, 1.   ]])
    """
    count = len(scores)
    adjusted = np.ones((count, count))
    one, other = np.triu_indices(count, 1)
    if len(one):
        normal = NormalDist()
        ahead = scores[one] >= scores[other]
        better, worse = np.where(ahead, one, other), np.where(ahead, other, one)
        down, up = (scores - ends[:, 0])[better], (ends[:, 1] - scores)[worse]
        alike = correlation(replicates, unknown=0.0)[one, other]
        away = np.sqrt(np.maximum(down**2 + up**2 - 2 * alike * down * up, 0.0))
        apart = normal.inv_cdf(0.975) * (scores[better] - scores[worse])
        z = np.divide(apart, away, out=np.where(apart > 0, np.inf, 0.0), where=away > 1e-12)
        adjusted[one, other] = adjusted[other, one] = holm([2 * normal.cdf(-each) for each in z.tolist()])
    return adjusted


def _groups(scores: Floats, differ: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    order = np.argsort(-scores, kind="stable")
    groups = np.zeros(len(scores), dtype=np.intp)
    opener, group = order[0], 1
    for model in order:
        if differ[opener, model]:
            opener, group = model, group + 1
        groups[model] = group
    return groups
