"""Rank intervals of models, and tie groups that their items cannot separate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.holm import holm


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
    alone: int = 0
    """Models from which it differs when only the two are compared, but not among so many."""


def standings(scores: Floats, ps: Floats, *, alpha: float = 0.05) -> list[Standing]:
    """Return where models stand, in their own order, of (models,) scores and (models, models) two-sided p of each pair.

    A p is positive where the row's model is ahead in what the two were tested on, negative where the column's is. A
    test that says the contrary of the scores, which models may have of unlike items, tells neither from the other. Two
    models differ where their p, Holm-adjusted over all pairs, is below `alpha`. The interval of a rank counts the
    models that differ, above and below (Klein, Wright and Wieczorek 2020): all intervals hold together with probability
    1 - `alpha`, however close the models are, which percentiles of resampled ranks do not. Groups: down the ranking,
    each model joins the group of the best one before it that opened a group, until one differs from that one; it opens
    the next.

    >>> ps = np.array([[1, -0.001, -0.7], [0.001, 1, 0.02], [0.7, -0.02, 1]])
    >>> for each in standings(np.array([0.5, 0.7, 0.51]), ps):
    ...     print(each.rank, each.rank_low, each.rank_high, each.group, each.alone)
    3 2 3 2 0
    1 1 1 1 0
    2 2 3 2 0
    """
    ps = np.where(np.sign(scores[:, None] - scores) == np.sign(ps), np.abs(ps), 1.0)
    differ = adjusted(ps) < alpha
    above = scores[None, :] > scores[:, None]
    ranks = 1 + above.sum(axis=1)
    first = 1 + (above & differ).sum(axis=1)
    last = len(scores) - (above.T & differ).sum(axis=1)
    groups = _groups(scores, differ)
    alone = ((ps < alpha) & ~differ).sum(axis=1)
    return [Standing(*map(int, places)) for places in zip(ranks, first, last, groups, alone, strict=True)]


def adjusted(ps: Floats) -> Floats:
    """Return (models, models) p-values, Holm-adjusted over all pairs; 1 of a model with itself.

    >>> adjusted(np.array([[1, 0.02], [0.02, 1]]))
    array([[1.  , 0.02],
           [0.02, 1.  ]])
    """
    made = np.ones(ps.shape)
    one, other = np.triu_indices(len(ps), 1)
    if len(one):
        made[one, other] = made[other, one] = holm(ps[one, other])
    return made


def _groups(scores: Floats, differ: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    order = np.argsort(-scores, kind="stable")
    groups = np.zeros(len(scores), dtype=np.intp)
    opener, group = order[0], 1
    for model in order:
        if differ[opener, model]:
            opener, group = model, group + 1
        groups[model] = group
    return groups
