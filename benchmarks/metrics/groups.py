"""Metrics of groups: for whom a model is right least often, over the values of any fact."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.estimate import At, Ends, Estimate
from mmbench.harness.statistics.groups import MOST as MOST_PAIRED
from mmbench.harness.statistics.groups import Groups, gaps, groups_of_shares, leasts, ratios
from mmbench.harness.tasks.metric import Aggregate, Interval, Metric
from mmbench.harness.types import FEW_CLUSTERS, Outcome

OF = "accuracy"
"""The per-item metric whose mean of each group is looked at."""

MOST = 6
"""Groups that a note names."""


def _rows(fact: str, outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Return a number for the group of each, the same in every run, and whether it is right."""
    return [(_number(outcome.facts.get(fact)), outcome.values[OF]) for outcome in outcomes]


def _number(level: object) -> float:
    return float(crc32(json.dumps(level, sort_keys=True).encode()))


def _measured(fact: str, outcome: Outcome) -> bool:
    """Tell whether an outcome has one value of the fact, and is right or wrong; a list of values is no group."""
    return OF in outcome.values and fact in outcome.facts and not isinstance(outcome.facts[fact], list)


def _small(fact: str, outcomes: Sequence[Outcome]) -> list[str]:
    """Name the groups that are too small to tell much, which may be the worst by chance, or say why there are none."""
    if any(isinstance(outcome.facts.get(fact), list) for outcome in outcomes):
        return [f"fact '{fact}' has several values for an item, which divide nothing: these items are in no group"]
    held: dict[str, set[str]] = {}
    for outcome in outcomes:
        if outcome.status != "error" and _measured(fact, outcome):
            held.setdefault(json.dumps(outcome.facts[fact], ensure_ascii=False), set()).add(outcome.cluster)
    small = [f"{level} ({len(clusters)})" for level, clusters in sorted(held.items()) if len(clusters) < FEW_CLUSTERS]
    if not small:
        return []
    shown = ", ".join(small[:MOST]) + (f" and {len(small) - MOST} more" if len(small) > MOST else "")
    return [f"groups by '{fact}' of fewer than {FEW_CLUSTERS} pictures, the worst perhaps by chance: {shown}"]


def group_means(statistics: Floats, weights: Floats) -> Floats:
    """Return (b, groups) means; nan of a group that a resample does not hold."""
    _, place = np.unique(statistics[:, 0], return_inverse=True)
    inside = (place[:, None] == np.arange(place.max(initial=0) + 1)).astype(np.float64)
    size = weights @ inside
    right = weights @ (inside * statistics[:, 1:2])
    return np.asarray(np.divide(right, size, out=np.full_like(right, np.nan), where=size > 0))


def _worst(statistics: Floats, weights: Floats) -> Floats:
    return leasts(group_means(statistics, weights))


def _gap(statistics: Floats, weights: Floats) -> Floats:
    return gaps(group_means(statistics, weights))


def _ratio(statistics: Floats, weights: Floats) -> Floats:
    return ratios(group_means(statistics, weights))


def _side_by_side(read: Callable[[Groups, float], Estimate | None]) -> Interval:
    """Return the interval that is made of those of the groups: no resample knows which group is the least by chance."""

    def interval(statistics: Floats, clusters: npt.NDArray[np.intp]) -> At:
        _, place = np.unique(statistics[:, 0], return_inverse=True)
        held = groups_of_shares(statistics[:, 1], place, clusters)

        def at(confidence: float) -> Ends:
            made = read(held, confidence) if len(held.values) <= MOST_PAIRED else None
            return None if made is None or made.low is None or made.high is None else (made.low, made.high)

        return at

    return interval


def worst_group(fact: str) -> Metric:
    """Return the metric of a fact. The least of several noisy means is too low on average."""
    said = f"Least accuracy of the groups that share a value of '{fact}'"
    return _metric("worst_group", said, fact, _worst, _side_by_side(Groups.least))


def group_gap(fact: str) -> Metric:
    """Return the metric of a fact: lower is better."""
    said = f"Greatest accuracy of the groups by '{fact}' less the least"
    return _metric("group_gap", said, fact, _gap, _side_by_side(Groups.gap), lower=True)


def group_ratio(fact: str) -> Metric:
    """Return the metric of a fact."""
    said = f"Least accuracy of the groups by '{fact}' over the greatest"
    return _metric("group_ratio", said, fact, _ratio, _side_by_side(Groups.ratio))


def _metric(
    name: str, said: str, fact: str, aggregate: Aggregate, interval: Interval, *, lower: bool = False
) -> Metric:
    return Metric(
        f"{name}:{fact}",
        f"{said} (Sagawa et al. 2020).",
        higher_is_better=not lower,
        best=0.0 if lower else 1.0,
        aggregate=aggregate,
        interval=interval,
        smooth=False,
        measure=partial(_rows, fact),
        measures=partial(_measured, fact),
        remark=partial(_small, fact),
    )
