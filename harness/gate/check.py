"""Regression gate: whether a candidate is worse than its baseline on paired items by more than its budget allows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmbench.harness.compare.compare import corrected_scale, labels, lacking, raw, scaled_parts
from mmbench.harness.compare.difference import Difference, difference
from mmbench.harness.compare.match import Match, match, measured_pair, on_same_episodes
from mmbench.harness.compare.variation import Variation, variation
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.gate.budget import ALPHA, Budget, Limits, overspent, read_budget
from mmbench.harness.gate.rows import Checked, CheckRow, Pooled, Unchecked
from mmbench.harness.gate.verdict import Judged, Verdict, judge, needed
from mmbench.harness.records.changes import Part, pooled
from mmbench.harness.records.selection import select
from mmbench.harness.render.figures import some
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.paired import Paired

_FEW_NAMES = 6


def check(
    candidate: str | Path,
    baseline: str | Path,
    *,
    output: str | Path = "results",
    margin: float | None = None,
    alpha: float | None = None,
    budget: str | Path | None = None,
    strict: bool = False,
    allow_partial: bool = False,
    metric: str | Sequence[str] = (),
) -> Checked:
    """Judge a candidate against a baseline, each a label in `output`, a record file or a folder of records.

    Per task of the baseline the primary metric over the items that both were scored on, and each that the budget has a
    table for, or the metrics that `metric` names in their place; for the verdicts see `verdict.judge`. Runs that agree
    on every item hold, however few there are. A task is `over_budget`, unless it regressed, where the candidate has
    more errors or less coverage than `budget` (a TOML file) allows: without one, 1 %
    of the items or what the baseline has. What the candidate lacks, or was asked otherwise, is never passed over: it
    makes the verdict `not_comparable`, and so does a record that is both the candidate's and the baseline's. A run of
    the first items only fails too, unless `allow_partial`. With `strict` what is inconclusive fails. Beside the tasks
    stands one test of their mean, corrected for chance, with the mean of their margins: damage that is spread over
    tasks shows there. `margin` (.01) and `alpha` (.05) go before the defaults of the file. Raises UsageError for a run
    that is not found or a budget that cannot be used.
    """
    limits = read_budget(Path(budget) if budget else None, margin, alpha)
    runs = [select(name, output) for name in (baseline, candidate)]
    base, new = labels(runs, [baseline, candidate])
    limits.check_names(entry.record for run in runs for entry in run.entries)
    called = (f"the baseline {base}", f"the candidate {new}")
    named = [metric] if isinstance(metric, str) else list(metric)
    found = match(*runs, names=called, metrics=named, also=[*limits.metrics])
    apart = [Unchecked(each.task, each.reason) for each in found.unlike]
    apart += [Unchecked(record.task, lacking(new, runs[1], record)) for record in found.only_a]
    errors = [str(error) for run in runs for error in run.errors]
    tried: list[_Tried] = []
    for each in found.matches:
        made = _try(each, limits)
        if isinstance(made, _Tried):
            tried.append(made)
        else:
            apart.append(Unchecked(each.a.record.task, str(made)))
            errors += [str(made)] if isinstance(made, DataError) else []
    rows, mean = _rows(tried, limits.alpha)
    return Checked(
        baseline=base,
        candidate=new,
        alpha=limits.alpha,
        strict=strict,
        rows=rows,
        incomparable=tuple(apart),
        new=tuple(record.reference for record in found.only_b),
        errors=tuple(dict.fromkeys(errors)),
        fingerprints=(runs[0].attempt.fingerprint, runs[1].attempt.fingerprint),
        remarks=(
            *(remark for run in runs for remark in run.attempt.remarks()),
            *_unjudged_by(named, found.without),
            *on_same_episodes(found.matches),
        ),
        pooled=mean,
        allow_partial=allow_partial,
    )


def _unjudged_by(metrics: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """Return which tasks a gate of named metrics passes over."""
    return [f"not judged, without a value of {' or '.join(metrics)}: {some(tasks, _FEW_NAMES)}"] if tasks else []


def unjudged(candidate: str, baseline: str, reason: str) -> Checked:
    """Return the result of a gate that could not judge anything: no such run, or a budget that cannot be used."""
    return Checked(baseline, candidate, ALPHA, strict=False, rows=(), incomparable=(), new=(), errors=(reason,))


@dataclass(frozen=True, slots=True)
class _Tried:
    """Task before its p-value is adjusted."""

    match: Match
    limits: Limits
    made: Difference
    varying: Variation | None
    scale: float | None
    """What takes its differences to the scale from chance to best; None where it has no place in a mean."""
    parts: tuple[Part, Part] | None


def _try(matched: Match, budget: Budget) -> _Tried | UsageError:
    if matched.a.record == matched.b.record:
        return UsageError("candidate and baseline are the same record; the candidate was not asked anew")
    if matched.metric.higher_is_better is None:
        return UsageError(f"metric {matched.metric.name} has no better direction")
    try:
        measured = measured_pair(matched)
    except UsageError as error:
        return error
    confidence = 1 - 2 * budget.alpha
    made = difference(*measured, confidence=confidence)
    if made is None:
        return UsageError(f"metric {matched.metric.name} is undefined on the items of both")
    scale = corrected_scale(matched)
    parts = None if scale is None else scaled_parts(matched, measured, scale)
    limits = budget.of(matched.a.record, matched.metric.name)
    return _Tried(matched, limits, made, variation(measured, made, confidence), scale, parts)


def _rows(tried: Sequence[_Tried], alpha: float) -> tuple[tuple[CheckRow, ...], Pooled | None]:
    """Return the rows, and the mean over their tasks, which has half of alpha and the tasks the rest."""
    gains = [each.made.gain for each in tried]
    margins = [each.limits.margin for each in tried]
    mean = _mean(tried, alpha)
    weights = [1.0] * len(tried)
    if mean is not None:
        gains, margins, weights = [*gains, mean[0]], [*margins, mean[1]], [*weights, float(len(tried))]
    judged = judge(gains, margins, alpha, weights)
    rows = []
    for each, found in zip(tried, judged, strict=False):
        row = _row(each, found)
        verdict: Verdict = "held" if found.verdict == "inconclusive" and each.made.identical else found.verdict
        wanted = None
        if verdict == "inconclusive" and each.varying is not None:
            wanted = needed(each.varying, each.made.gain, each.limits.margin, alpha, round(sum(weights)))
        if row.over and verdict != "regressed":
            verdict = "over_budget"
        rows.append(replace(row, verdict=verdict, needed_n=wanted))
    if mean is None:
        return tuple(rows), None
    gain, found = mean[0], judged[-1]
    unchanged = all(each.made.identical for each in tried if each.parts)
    return tuple(rows), Pooled(
        tasks=sum(each.parts is not None for each in tried),
        difference=Estimate(gain.value, gain.low, gain.high),
        margin=mean[1],
        p=gain.p_lower,
        p_adjusted=found.p,
        low_adjusted=found.ends[0],
        high_adjusted=found.ends[1],
        verdict="held" if found.verdict == "inconclusive" and unchanged else found.verdict,
    )


def _mean(tried: Sequence[_Tried], alpha: float) -> tuple[Paired, float] | None:
    """Return the test of the mean over tasks and its margin, the mean of theirs; None of fewer than two."""
    tests, margins, parts = [], [], []
    for each in {each.match.a.path: each for each in reversed(tried)}.values():  # the first metric of each task
        if each.scale is not None and each.parts is not None:
            tests.append(raw(each.made).scaled(each.scale))
            margins.append(each.limits.margin * abs(each.scale))
            parts.append(each.parts)
    return (pooled(tests, parts, 1 - 2 * alpha), sum(margins) / len(margins)) if len(tests) > 1 else None


def _row(tried: _Tried, found: Judged) -> CheckRow:
    before, after, made = tried.match.a.record, tried.match.b.record, tried.made
    name, together = tried.match.metric.name, made.turned(found.ends)
    return CheckRow(
        task=before.task,
        version=before.version,
        metric=name,
        baseline=made.a,
        candidate=made.b,
        difference=made.change,
        margin=tried.limits.margin,
        p=made.gain.p_lower,
        p_adjusted=found.p,
        low_adjusted=together.low,
        high_adjusted=together.high,
        verdict="held",
        needed_n=None,
        n=made.gain.n,
        identical=made.identical,
        over=overspent(after, name, before, tried.limits),
        few_clusters=made.gain.few_clusters,
        partial=tried.match.partial,
        routes=tried.match.routes,
        seconds=after.seconds,
    )
