"""The worst value of a fact, and how far its values lie apart, as metrics of what two runs measured on one task."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.measured import Measured
from mmbench.harness.scores.breakdown import bounds_of
from mmbench.harness.statistics.groups import gaps, greatests, leasts, ratios
from mmbench.harness.tasks.metric import Metric


def of_levels(measured: Measured, groups: Sequence[npt.NDArray[np.intp]]) -> Floats:
    """Return (groups,) scores of the items in these places; nan of a group on which the metric is undefined."""
    return np.concatenate([_score(measured.metric, measured.table[rows], np.ones((1, len(rows)))) for rows in groups])


def extremes_of(metric: Metric, groups: Sequence[npt.NDArray[np.intp]], values: Floats) -> list[tuple[str, Metric]]:
    """Return `worst`, `gap` and, where scores are never below 0, `ratio` as metrics made of the same statistics.

    `groups` are the places of the items of each value of a fact, `values` scores of both runs on them. None of the
    three has a value that is undefined on any of them.
    """
    upward = bool(metric.higher_is_better)

    def by_group(table: Floats, weights: Floats) -> Floats:
        """Return (r, groups) scores; nan of a group of which a resample holds nothing."""
        # Swapped items stand behind the others, so that there are as many rows once more.
        copies = range(0, len(table), sum(map(len, groups)))
        places = [np.concatenate([rows + start for start in copies]) for rows in groups]
        return np.stack([_score(metric, table[rows], weights[:, rows]) for rows in places], axis=1)

    def worst(table: Floats, weights: Floats) -> Floats:
        made = by_group(table, weights)
        return leasts(made) if upward else greatests(made)

    def gap(table: Floats, weights: Floats) -> Floats:
        return gaps(by_group(table, weights))

    def ratio(table: Floats, weights: Floats) -> Floats:
        return ratios(by_group(table, weights))

    made = replace(metric, shares=None, interval=None, varies=None, smooth=False)
    found = [
        ("worst", replace(made, aggregate=worst)),
        ("gap", replace(made, aggregate=gap, higher_is_better=False, best=0.0)),
    ]
    if bounds_of(metric, values)[0] >= 0:
        found.append(("ratio", replace(made, aggregate=ratio, higher_is_better=True, best=1.0)))
    return found


def _score(metric: Metric, table: Floats, weights: Floats) -> Floats:
    """Return (r,) scores of (n, k) statistics under (r, n) weights; nan where all are 0."""
    total = weights.sum(axis=1)
    if metric.aggregate is None:
        summed = weights @ table[:, 0]
        return np.asarray(np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0))
    made = np.full(len(total), np.nan)
    held = total > 0
    if held.any():
        made[held] = metric.aggregate(table, weights[held])
    return made
