"""Paired comparison of models on the same items, task by task: which is better, and is the difference significant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmbench.harness.compare.by_fact import TriedFact, by_fact, judged_by_fact
from mmbench.harness.compare.choose import chosen, held_by_all
from mmbench.harness.compare.difference import Difference, difference, verdict
from mmbench.harness.compare.match import Match, match, measured_pair, on_same_episodes
from mmbench.harness.compare.rows import CompareRow, Comparison, Flip, Left, Overall
from mmbench.harness.compare.variation import Variation, variation
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.by_fact import check_fact
from mmbench.harness.records.changes import Part, part, pooled
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.measured import Measured
from mmbench.harness.records.record import Record
from mmbench.harness.records.selection import Selection, select
from mmbench.harness.scores.corrected import corrected
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.holm import holm, holm_levels
from mmbench.harness.statistics.paired import Paired
from mmbench.harness.statistics.power import minimum_detectable

MOST_FLIPS = 3
"""Number of items of a task that are listed."""


def compare(
    *names: str | Path,
    output: str | Path = "results",
    alpha: float = 0.05,
    force: bool = False,
    task: str | Sequence[str] = (),
    suite: str | None = None,
    shared: bool = False,
    by: str | None = None,
    metric: str | Sequence[str] = (),
) -> Comparison:
    """Compare models, given as labels in `output`, record files or folders of records, with the first of them.

    Per task the primary metric over the items that both models were scored on: the difference with its interval of
    1 - alpha and p, and both again adjusted over the tasks of the two models (Holm 1979), so that no verdict depends on
    who else is compared. A model is better or worse where the adjusted p is below alpha, which is where the adjusted
    interval leaves out 0. One more test, of the mean over tasks, is what a board of the two would rank them by.
    Tasks whose version, data or protocol differ are left out by name, or marked with `force`. `task` and `suite` choose
    tasks, `shared` those that all runs have; `by` is a fact by whose values the differences are tested too; `metric`
    names metrics that stand in place of the primary ones, of which the first of each task enters the mean.
    Raises UsageError for fewer than two names, a name that is not found, or a fact or metric that no task has.
    """
    if len(names) < 2:
        raise UsageError("comparison needs two runs or more: mmbench compare A B")
    if not isinstance(alpha, float) or not 0 < alpha < 1:
        raise UsageError(f"alpha is a number between 0 and 1, not {alpha}")
    runs, remarks = chosen([select(name, output) for name in names], [task] if isinstance(task, str) else task, suite)
    models = labels(runs, names)
    told = None
    if shared:
        runs, told = held_by_all(runs, models)
    metrics = [metric] if isinstance(metric, str) else list(metric)
    made = [
        _against(runs[0], run, (models[0], model), alpha, force=force, by=by, metrics=metrics)
        for run, model in zip(runs[1:], models[1:], strict=True)
    ]
    return Comparison(
        tuple(models),
        alpha,
        tuple(row for each in made for row in _judged(each.rows, alpha)),
        tuple(left for each in made for left in each.left),
        tuple(each.overall for each in made if each.overall is not None),
        tuple(
            dict.fromkeys([str(error) for run in runs for error in run.errors] + [e for m in made for e in m.errors])
        ),
        tuple(dict.fromkeys([*remarks, *(remark for each in made for remark in each.remarks)])),
        told,
        by,
        tuple(row for each in made for row in judged_by_fact(each.by_fact, alpha)),
    )


def labels(runs: Sequence[Selection], names: Sequence[str | Path]) -> list[str]:
    """Return the runs' labels; for equal labels the names as given, and numbers where these are equal too."""
    held = [run.label for run in runs]
    given = [label if held.count(label) == 1 else str(name) for label, name in zip(held, names, strict=True)]
    return [name if given.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(given, 1)]


def lacking(name: str, run: Selection, record: Record) -> str:
    """Return that a run has no record of another's task, and why not where that is known."""
    return f"{name} has no record of {record.reference}{run.attempt.lacks(record.reference)}"


@dataclass(frozen=True, slots=True)
class _Tried:
    """Row before its p-value is adjusted and its verdict is decided."""

    row: CompareRow
    made: Difference
    varying: Variation | None
    """Variation of the items."""


@dataclass(frozen=True, slots=True)
class _Against:
    """One model against the first."""

    rows: list[_Tried]
    left: list[Left]
    overall: Overall | None
    errors: list[str]
    by_fact: list[TriedFact]
    remarks: list[str]


def _against(
    a: Selection,
    b: Selection,
    models: tuple[str, str],
    alpha: float,
    *,
    force: bool,
    by: str | None,
    metrics: Sequence[str],
) -> _Against:
    first, model = models
    found = match(a, b, force=force, names=models, metrics=metrics)
    rows: list[_Tried] = []
    left = [Left(model, each.task, each.reason) for each in found.unlike]
    left += [Left(model, record.task, lacking(model, b, record)) for record in found.only_a]
    left += [Left(model, record.task, lacking(first, a, record)) for record in found.only_b]
    left += [Left(model, name, f"neither run has a value of {' or '.join(metrics)}") for name in found.without]
    errors: list[str] = []
    tests: list[Paired] = []
    parts: list[tuple[Part, Part]] = []
    facts: list[TriedFact] = []
    refused: list[str] = []
    averaged: list[Entry] = []
    for each in found.matches:
        try:
            measured = measured_pair(each)
        except UsageError as error:
            left.append(Left(model, each.a.record.task, str(error)))
            errors += [str(error)] if isinstance(error, DataError) else []
            continue
        made = difference(*measured, confidence=1 - alpha)
        if made is None:
            left.append(Left(model, each.a.record.task, f"metric {each.metric.name} is undefined on the items of both"))
            continue
        rows.append(_Tried(_row(each, models, measured, made), made, variation(measured, made, 1 - alpha)))
        if by is not None:
            try:
                facts += by_fact(each, models, measured, by, alpha)
            except UsageError as error:
                refused.append(str(error))
        scale = corrected_scale(each)
        if scale is not None and each.a not in averaged:
            averaged.append(each.a)
            tests.append(raw(made).scaled(scale))
            parts.append(scaled_parts(each, measured, scale))
    overall = _overall(model, pooled(tests, parts, 1 - alpha), alpha, len(tests)) if tests else None
    if rows and by is not None and not facts:
        held = [each.a for each in found.matches]
        check_fact(by, [each.record for each in held], [each.path.with_suffix(".parquet") for each in held])
        raise UsageError(refused[0] if refused else f"no task has a value of its metric by '{by}'")
    return _Against(rows, left, overall, errors, facts, on_same_episodes(found.matches))


def _overall(model: str, mean: Paired, alpha: float, tasks: int) -> Overall:
    return Overall(model, Estimate(mean.value, mean.low, mean.high), tasks, mean.p, verdict(mean, mean.p, alpha))


def raw(made: Difference) -> Paired:
    """Return the test of b - a, whichever is better."""
    return made.gain.scaled(-1.0) if made.lower_is_better else made.gain


def corrected_scale(matched: Match) -> float | None:
    """Return what takes a difference to the scale from chance to best, or None where it has no place in a mean."""
    chance, best = matched.scores[0].chance, matched.best
    # What a board would not put in a mean has no place in a difference of means.
    whole = all(corrected(score, best) for score in matched.scores)
    if matched.forced is not None or not whole or chance is None or best is None:
        return None
    return 1 / (best - chance)  # the chance level itself falls out of the difference


def scaled_parts(matched: Match, measured: tuple[Measured, Measured], scale: float) -> tuple[Part, Part]:
    """Return what the pictures of a task add to either run's score, on that scale."""
    scope = str(matched.a.record.dataset["digest"])
    one = part(measured[0], scope)
    other = part(measured[1].beside(measured[0]), scope, one.keys)
    return one.scaled(scale), other.scaled(scale)


def _row(matched: Match, models: tuple[str, str], measured: tuple[Measured, Measured], made: Difference) -> CompareRow:
    record = matched.a.record
    plain = matched.metric.aggregate is None
    change = measured[1].table[:, 0] - measured[0].table[:, 0]
    return CompareRow(
        model=models[1],
        against=models[0],
        task=record.task,
        version=record.version,
        metric=matched.metric.name,
        a=made.a,
        b=made.b,
        difference=made.change,
        n=made.gain.n,
        p=made.gain.p,
        p_adjusted=None if matched.metric.higher_is_better is None else made.gain.p,
        low_adjusted=None,
        high_adjusted=None,
        verdict="tied",
        detectable=None,
        gained=int((change > 0).sum()) if plain else None,
        lost=int((change < 0).sum()) if plain else None,
        flips=_flips(measured, change) if plain else (),
        few_clusters=made.gain.few_clusters,
        partial=matched.partial,
        routes=matched.routes,
        forced=matched.forced,
    )


def _flips(measured: tuple[Measured, Measured], change: Floats) -> tuple[Flip, ...]:
    size = np.abs(change)
    # Of items that changed as much, those that moved with the whole.
    most = np.lexsort((-change * np.sign(change.sum()), -size))[:MOST_FLIPS]
    most = np.sort(most[size[most] > 0])
    a, b = (each.table[most, 0].tolist() for each in measured)
    return tuple(map(Flip, measured[0].ids.take(arrow.whole_numbers(most)).to_pylist(), a, b))


def _judged(tried: Sequence[_Tried], alpha: float) -> list[CompareRow]:
    ps = [each.row.p_adjusted for each in tried]
    adjusted, levels = holm(ps).tolist(), holm_levels(ps, alpha).tolist()

    def judged(each: _Tried, p: float, level: float) -> CompareRow:
        row, varying = each.row, each.varying
        if varying is not None:
            free = row.n / varying.design_effect
            found = minimum_detectable(varying.spread, free, alpha=alpha / len(tried))
            row = replace(row, detectable=None if found is None or found > varying.most else found)
        if row.p_adjusted is None:
            return row
        together = each.made.turned(each.made.gain.ends(1 - level))
        return replace(
            row,
            p_adjusted=p,
            low_adjusted=together.low,
            high_adjusted=together.high,
            verdict=verdict(each.made.gain, p, alpha),
        )

    return [judged(each, p, level) for each, p, level in zip(tried, adjusted, levels, strict=True)]
