"""Breakdown of scores by facts: one for each value of a column that travels with the items."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mmbench.harness.digest import Json
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.scores.score import Scored, scored
from mmbench.harness.statistics.clusters import cluster_codes
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.groups import Groups, correlation, together
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome, Score


@dataclass(frozen=True, slots=True)
class Level:
    """A score over the items that share one value of a fact."""

    fact: str
    level: Json
    score: Score
    low_adjusted: float | None = None
    """Ends of the interval that holds, with 95 %, for all values of the fact at once (Sidak 1967)."""
    high_adjusted: float | None = None

    @property
    def together(self) -> Score:
        """The score with the interval that holds for all values at once; with its own where a record has none."""
        if self.low_adjusted is None and self.high_adjusted is None:
            return self.score
        return replace(self.score, low=self.low_adjusted, high=self.high_adjusted)


@dataclass(frozen=True, slots=True)
class Extremes:
    """The worst value of a fact by a metric, and how far the values lie apart."""

    fact: str
    metric: str
    level: Json
    """The value with the worst score, of several the first."""
    worst: Estimate
    gap: Estimate
    """The greatest score less the least."""
    ratio: Estimate | None
    """The least score over the greatest; None where a score may be negative, or all are 0."""

    def as_json(self) -> dict[str, Json]:
        """Return the three as rows and records hold them."""
        return {
            "worst": {"level": self.level, **self.worst.named("value")},
            "gap": {**self.gap.named("value")},
            "ratio": None if self.ratio is None else {**self.ratio.named("value")},
        }


class Breakdown(NamedTuple):
    """Scores over the values of facts."""

    levels: list[Level]
    extremes: list[Extremes]
    """Of each fact and metric with two values or more, where one direction of the metric is better."""


MOST_LEVELS = 50
"""A fact with more distinct values than this (a free text, an id) is not broken down."""


def break_down(metrics: Sequence[Metric], outcomes: Sequence[Outcome]) -> Breakdown:
    """Return scores over each value of each fact that has at most `MOST_LEVELS` values."""
    made = Breakdown([], [])
    for fact in dict.fromkeys(name for outcome in outcomes for name in outcome.facts):
        if any(isinstance(outcome.facts.get(fact), list) for outcome in outcomes):
            continue  # several values of an item divide nothing
        groups: dict[tuple[bool, Json], list[Outcome]] = {}
        for outcome in outcomes:
            level = plain_fact(outcome.facts.get(fact))
            # To Python `true` and 1 are one key.
            groups.setdefault((isinstance(level, bool), level), []).append(outcome)
        if len(groups) <= MOST_LEVELS:
            by_metric = [*zip(*(scored(metrics, group) for group in groups.values()), strict=True)]
            tables = [
                _side_by_side(fact, metric, groups, held) for metric, held in zip(metrics, by_metric, strict=True)
            ]
            made.levels.extend(level for rows in zip(*(levels for levels, _ in tables), strict=True) for level in rows)
            made.extremes.extend(extremes for _, extremes in tables if extremes is not None)
    return made


def _side_by_side(
    fact: str, metric: Metric, groups: Mapping[tuple[bool, Json], Sequence[Outcome]], held: Sequence[Scored]
) -> tuple[list[Level], Extremes | None]:
    """Return a metric's scores over the values of a fact, with what holds for all of them at once."""
    confidence = together(sum(each.score.low is not None for each in held))
    levels = []
    for (_, level), each in zip(groups, held, strict=True):
        ends = each.at(confidence) if each.score.value is not None else None
        levels.append(Level(fact, level, each.score, *(ends or (None, None))))
    known = [
        (level, each, group)
        for (_, level), each, group in zip(groups, held, groups.values(), strict=True)
        if each.score.value is not None
    ]
    if len(known) < 2 or metric.higher_is_better is None:
        return levels, None
    values = np.array([each.score.value for _, each, _ in known])
    lowest, highest = bounds_of(metric, values)
    alike = _correlation(metric, [group for _, _, group in known])
    compared = Groups(values, [each.at for _, each, _ in known], alike, lowest, highest)
    worst = compared.least() if metric.higher_is_better else compared.greatest()
    place = int(values.argmin() if metric.higher_is_better else values.argmax())
    ratio = compared.ratio() if lowest >= 0 else None
    made = Extremes(
        fact,
        metric.name,
        known[place][0],
        _known(worst),
        _known(compared.gap()),
        None if ratio is None else _known(ratio),
    )
    return levels, made


def bounds_of(metric: Metric, values: Floats) -> tuple[float, float]:
    """Return between which ends every score lies."""
    if metric.proportion and values.min() >= 0 and values.max() <= 1:  # as a rank, which does not say so, need not
        return 0.0, 1.0
    best = metric.best
    if metric.higher_is_better:
        return metric.lowest, math.inf if best is None else best
    return -math.inf if best is None else best, math.inf


def _correlation(metric: Metric, groups: Sequence[Sequence[Outcome]]) -> Floats | None:
    """Return how scores of groups that share pictures go together; None where none is shared, or it cannot be told."""
    if metric.aggregate is not None or metric.draws:
        return None
    rows = [
        (each.values[metric.name], i, each.cluster)
        for i, group in enumerate(groups)
        for each in group
        if each.unit == metric.unit and each.status != "error"
    ]
    values, places, clusters = zip(*rows, strict=True)
    return correlation(np.array(values), np.array(places), cluster_codes(clusters)[0])


def _known(made: Estimate) -> Estimate:
    """Return an estimate without an interval whose end nobody knows."""
    known = made.low is not None and made.high is not None and math.isfinite(made.low + made.high)
    return made if known else Estimate(made.value, None, None)


_WRITTEN = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
"""A number as a cell of a CSV file holds it."""


def level_place(level: Json) -> tuple[int, float, str]:
    """Return where tables show a value of a fact: numbers first, written ones too, then texts, then none.

    >>> sorted(["other", 10, None, 9, True, "number", "10", "9.5"], key=level_place)
    [9, 10, '9.5', '10', 'number', 'other', True, None]
    """
    if level is None or isinstance(level, bool):
        return (3 if level is None else 2, 0.0, level_text(level))
    if isinstance(level, int | float):
        return 0, level, ""
    text = level_text(level)
    return 1, float(text) if _WRITTEN.fullmatch(text) else math.inf, text


def level_text(level: Json) -> str:
    """Return a value of a fact as tables show it.

    >>> level_text("yes/no"), level_text(None), level_text(True), level_text(0.25), level_text(2.0), level_text("")
    ('yes/no', '(none)', 'true', '0.25', '2', '(empty)')
    """
    if level is None or level == "":
        return "(none)" if level is None else "(empty)"
    if isinstance(level, float):
        return f"{level:.15g}"
    return str(level).lower() if isinstance(level, bool) else str(level)


def level_texts(levels: Sequence[Json]) -> list[str]:
    """Return values of a fact as tables show them, in JSON where two would look alike.

    >>> level_texts([1, "1", "a"])
    ['1', '"1"', 'a']
    """
    shown = [level_text(level) for level in levels]
    return [
        json.dumps(level, ensure_ascii=False) if shown.count(text) > 1 else text
        for level, text in zip(levels, shown, strict=True)
    ]


def plain_fact(cell: Json) -> Json:
    """Return a fact as files hold it, a list in JSON; NaN equals nothing, itself included, and has no word there."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return cell if isinstance(cell, (bool, int, float)) else None
