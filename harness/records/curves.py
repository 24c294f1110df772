"""Curves that a record holds: scores over shots, and over the levels of a fact."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Literal, TypeAlias, cast, get_args

from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.records.record import Record
from mmbench.harness.render.plot import Point, curves
from mmbench.harness.statistics.estimate import Estimate

ALL = "all"
"""Every example, behind the numbers of shots."""

Curve: TypeAlias = Mapping[str, Estimate]
"""Shots, or `all`, to the mean over the seeds; or the levels of a fact to the score at each."""


def shots_curve(record: Record) -> Curve:
    """Return the learning curve that a record holds; empty where there is none.

    Intervals are those of the scores `N-shot/accuracy` and `full/accuracy` (or `map`), where the record has them.
    """
    scores = {score.metric: score for score in record.scores}
    found: dict[str, Estimate] = {}
    steps: Any = record.details.get("curve") or ()
    for step in steps:
        shots = step["shots"]
        lesson = "full" if shots is None else f"{shots}-shot"
        for kind, drawn in step.items():
            if kind != "shots" and drawn:
                score = scores.get(f"{lesson}/{kind}")
                ends = (score.low, score.high) if score else (None, None)
                found[ALL if shots is None else str(shots)] = Estimate(fmean(drawn), *ends)
    return found


def level_curves(record: Record) -> dict[str, Curve]:
    """Return for each fact whose values are numbers, two or more, the primary score at each, in their order."""
    primary = record.primary.metric
    facts: dict[str, dict[float, Estimate]] = {}
    mixed: set[str] = set()
    for each in record.breakdown:
        if each.score.metric != primary:
            continue
        if isinstance(each.level, bool) or not isinstance(each.level, int | float):
            mixed.add(each.fact)
        elif each.score.value is not None:
            made = Estimate(each.score.value, each.score.low, each.score.high)
            facts.setdefault(each.fact, {})[each.level] = made
    return {
        fact: {f"{level:g}": levels[level] for level in sorted(levels)}
        for fact, levels in facts.items()
        if fact not in mixed and len(levels) > 1
    }


PlotOf = Literal["profile", "curves"]


def plot_of(what: str | None, default: PlotOf) -> PlotOf:
    """Return which plot is meant. Raises UsageError that names the nearest."""
    if what is None:
        return default
    if what not in get_args(PlotOf):
        raise UsageError(f"there is no plot '{what}'{nearest(str(what), get_args(PlotOf))}; expected profile or curves")
    return cast(PlotOf, what)


def plot_curves(records: Sequence[Record]) -> Any:
    """Return the curves of records as a figure of matplotlib.

    Raises UsageError where matplotlib is not installed, or there is none to plot.
    """
    found, chances = panels(records)
    if not found:
        raise UsageError("there are no curves to plot: no probe was asked, and no task has a fact of numbers")
    drawn = {
        title: {
            model: {tick: (each.value, each.low, each.high) for tick, each in curve.items()}
            for model, curve in by_model.items()
        }
        for title, by_model in found.items()
    }
    return curves(drawn, chances)


def as_point(score: Estimate | None) -> Point | None:
    """Return an estimate as plots take it."""
    return None if score is None else (score.value, score.low, score.high)


def panels(records: Sequence[Record]) -> tuple[dict[str, dict[str, Curve]], dict[str, float | None]]:
    """Return the curves of records by title and model, and the chance level of each title."""
    found: dict[str, dict[str, Curve]] = {}
    chances: dict[str, float | None] = {}
    for record in records:
        shots = shots_curve(record)
        mine = {f"{record.reference}, {record.primary.metric} by {fact}": c for fact, c in level_curves(record).items()}
        if len(shots) > 1:
            mine[f"{record.reference} by examples of each class"] = shots
        for title, made in mine.items():
            found.setdefault(title, {})[record.model] = made
            chances.setdefault(title, record.primary.chance)
    return found, chances
