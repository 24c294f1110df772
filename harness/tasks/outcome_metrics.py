"""Metrics that are made of outcomes alone, beside those of a family: named in a task, and known to no family."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, cast

from mmbench.harness import registry
from mmbench.harness.ask.examinee import Examinee
from mmbench.harness.ask.sureness import SURENESS, Listener
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.registry import contained, entries, package_of
from mmbench.harness.tasks import temperature
from mmbench.harness.tasks.family import Family, Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import own_metric
from mmbench.harness.tasks.plugins import find_metric, is_offered, metric_package
from mmbench.harness.types import Outcome, Sample


def added_metrics(family: type[Family], names: Iterable[str]) -> dict[str, Metric]:
    """Return those of the names that are metrics of outcomes. Raises UsageError for one that the family has too."""
    found: dict[str, Metric] = {}
    for name in names:
        if not is_offered(name):
            continue
        if own_metric(family, name):
            own = package_of(entries(registry.FAMILIES)[family.name])
            raise DataError(
                f"the metric '{name}' is one of family '{family.name}' of {own} and one of {metric_package(name)}, "
                "and neither is used; uninstall one of them"
            )
        found[name] = find_metric(name)
    return found


def with_metrics(family: Family, metrics: Sequence[Metric]) -> Family:
    """Return a family that asks as this one does and is scored by these metrics, of which some are of outcomes."""
    return cast(Family, _Scored(family, metrics))


class _Scored:
    """A family behind other metrics; whatever else is asked of it, the family itself answers."""

    def __init__(self, family: Family, metrics: Sequence[Metric]) -> None:
        self._family = family
        self.metrics = list(metrics)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # of a copy that is being made, which has no family yet
        return getattr(self._family, name)

    def protocol(self) -> Json:
        """Return what the family fixes, with the version of a primary metric that is not its own."""
        first = self.metrics[0]
        fixed = self._family.protocol()
        return fixed if first.measure is None else {"family": fixed, "metric": first.name, "version": first.version}

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return the family's outcomes, measured by each metric of outcomes too."""
        listener = Listener(subject) if any(metric.sure for metric in self.metrics) else None
        made = self._family.outcomes(subject if listener is None else cast(Examinee, listener), samples)
        items = list(made.items)
        if listener is not None:
            items = [_with_sureness(outcome, listener) for outcome in items]
            details, notes = temperature.fitted(listener, items)
            made = replace(made, notes=[*made.notes, *listener.notes_made, *notes], details={**made.details, **details})
        for metric in self.metrics:
            if metric.measure is not None:
                items = list(_measured(metric, items))
                if metric.sure and listener is not None:
                    items = _guessed(metric, items, listener)
        told = [note for metric in self.metrics if metric.remark for note in metric.remark(items)]
        return replace(made, items=items, notes=[*made.notes, *told])


def _measured(metric: Metric, outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """Yield the outcomes with what the metric makes of them. Raises UsageError or DataError, which names its package.

    The model's own failures are the worst that a metric knows where higher is better; elsewhere the metric says.
    """
    judged = metric.aggregate is None and metric.higher_is_better
    asked = [outcome for outcome in outcomes if _fits(metric, outcome) and (outcome.status == "ok" or not judged)]
    made = iter(_made(metric, asked))
    measured = {id(outcome) for outcome in asked}
    for outcome in outcomes:
        if id(outcome) in measured:
            yield _with(metric, outcome, next(made))
        elif _fits(metric, outcome):
            yield _with(metric, outcome, (metric.lowest,))
        else:
            yield outcome


def _fits(metric: Metric, outcome: Outcome) -> bool:
    """Tell whether a metric measures an outcome."""
    if outcome.unit != metric.unit or outcome.status == "error":
        return False
    if metric.sure and SURENESS not in outcome.statistics:
        return False
    return metric.measures is None or metric.measures(_own(outcome))


def _with_sureness(outcome: Outcome, listener: Listener) -> Outcome:
    heard = listener.heard.get(outcome.id)
    if heard is None or outcome.status != "ok":
        return outcome
    return replace(outcome, statistics={**outcome.statistics, SURENESS: tuple(heard)})


def _guessed(metric: Metric, outcomes: Sequence[Outcome], listener: Listener) -> list[Outcome]:
    """Return the outcomes with what the metric makes of somebody who knows nothing."""
    asked = [each for each in outcomes if each.id in listener.guesses and _fits(metric, each)]
    guessing = [replace(each, statistics={SURENESS: tuple(listener.guesses[each.id])}) for each in asked]
    made = dict(zip((each.id for each in asked), _made(metric, guessing), strict=True))
    return [_with_guess(metric, each, made[each.id]) if each.id in made else each for each in outcomes]


def _with_guess(metric: Metric, outcome: Outcome, made: tuple[float, ...]) -> Outcome:
    if metric.aggregate is not None:
        return replace(outcome, guesses={**outcome.guesses, metric.name: made})
    return replace(outcome, chances={**outcome.chances, metric.name: made[0]})


def _with(metric: Metric, outcome: Outcome, made: tuple[float, ...]) -> Outcome:
    if metric.aggregate is not None:
        return replace(outcome, statistics={**outcome.statistics, metric.name: made})
    return replace(outcome, values={**outcome.values, metric.name: made[0]})


def _made(metric: Metric, asked: Sequence[Outcome]) -> list[tuple[float, ...]]:
    """Return the value or the statistics of each outcome."""
    measure = metric.measure
    if measure is None or not asked:
        return []
    said = f"metric '{metric.name}' of {metric_package(metric.name)}"
    found = contained(lambda: [*measure([*map(_own, asked)])], f"{said} failed")
    if len(found) != len(asked):
        raise DataError(f"{said} made {len(found)} values of {len(asked)} outcomes")
    rows = [contained(lambda each=each: _numbers(each), f"{said} made no numbers") for each in found]  # type: ignore[misc]
    width = len(rows[0]) if metric.aggregate is not None else 1
    for outcome, row in zip(asked, rows, strict=True):
        if len(row) != width or not all(map(math.isfinite, row)):
            raise DataError(f"{said} made {row if len(row) != 1 else row[0]} of the outcome '{outcome.id}'")
        if metric.aggregate is None and (bounds := _exceeded(metric, row[0])):
            raise DataError(f"{said} made {row[0]} of the outcome '{outcome.id}', {bounds}")
    return rows


def _exceeded(metric: Metric, value: float) -> str | None:
    """Return which bound of a metric a value lies outside: a board would take it for more than perfect."""
    if metric.proportion and not 0 <= value <= 1:
        return "and a proportion lies in 0..1"
    if metric.higher_is_better and metric.best is not None and value > metric.best:
        return f"above its 'best' of {metric.best}; say best=None where there is none"
    if metric.higher_is_better and value < metric.lowest:
        return f"below its 'lowest' of {metric.lowest}"
    if metric.higher_is_better is False and metric.best is not None and value < metric.best:
        return f"below its 'best' of {metric.best}; say best=None where there is none"
    return None


def _own(outcome: Outcome) -> Outcome:
    """Return a copy, with mappings of its own: whoever measures changes nothing."""
    return replace(
        outcome,
        values=dict(outcome.values),
        chances=dict(outcome.chances),
        statistics=dict(outcome.statistics),
        guesses=dict(outcome.guesses),
        facts=dict(outcome.facts),
    )


def _numbers(made: Any) -> tuple[float, ...]:
    if isinstance(made, Real):
        return (float(made),)
    return tuple(float(each) for each in made)
