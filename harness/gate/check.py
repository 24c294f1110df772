"""Regression gate: whether a candidate is worse than its baseline on paired items by more than its budget allows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmbench.harness.compare.compare import labels, lacking
from mmbench.harness.compare.difference import Difference, difference
from mmbench.harness.compare.match import Match, match, measured_pair
from mmbench.harness.compare.variation import Variation, variation
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.gate.budget import Budget, Limits, overspent, read_budget
from mmbench.harness.gate.rows import Checked, CheckRow, Unchecked
from mmbench.harness.gate.verdict import Verdict, judge, needed
from mmbench.harness.records.selection import select
from mmbench.harness.statistics.holm import holm


def check(
    candidate: str | Path,
    baseline: str | Path,
    *,
    output: str | Path = "results",
    margin: float | None = None,
    alpha: float | None = None,
    budget: str | Path | None = None,
    strict: bool = False,
) -> Checked:
    """Judge a candidate against a baseline, each a label in `output`, a record file or a folder of records.

    Per task of the baseline the primary metric over the items that both were scored on; for the verdicts see
    `verdict.judge`. Runs that agree on every item hold, however few there are. A task is `over_budget`, unless it
    regressed, where the candidate has more errors or less coverage than `budget` (a TOML file) allows: without one, 1 %
    of the items or what the baseline has. What the candidate lacks, or was asked otherwise, is never passed over: it
    makes the verdict `not_comparable`, and so does a record that is both the candidate's and the baseline's. With
    `strict` what is inconclusive fails too. `margin` (.01) and `alpha` (.05) go before the defaults of the file. Raises
    UsageError for a run that is not found or a budget that cannot be used.
    """
    limits = read_budget(Path(budget) if budget else None, margin, alpha)
    runs = [select(name, output) for name in (baseline, candidate)]
    base, new = labels(runs, [baseline, candidate])
    limits.check_names(entry.record for run in runs for entry in run.entries)
    found = match(*runs)
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
    return Checked(
        baseline=base,
        candidate=new,
        alpha=limits.alpha,
        strict=strict,
        rows=_rows(tried, limits.alpha),
        incomparable=tuple(apart),
        new=tuple(record.reference for record in found.only_b),
        errors=tuple(dict.fromkeys(errors)),
        fingerprints=(runs[0].attempt.fingerprint, runs[1].attempt.fingerprint),
        remarks=tuple(remark for run in runs for remark in run.attempt.remarks()),
    )


@dataclass(frozen=True, slots=True)
class _Tried:
    """Task before its p-value is adjusted."""

    match: Match
    limits: Limits
    made: Difference
    varying: Variation | None


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
    return _Tried(matched, budget.of(matched.a.record), made, variation(measured, made, confidence))


def _rows(tried: Sequence[_Tried], alpha: float) -> tuple[CheckRow, ...]:
    gains = [each.made.gain for each in tried]
    verdicts = judge(gains, [each.limits.margin for each in tried], alpha)
    adjusted = holm([gain.p_lower for gain in gains]).tolist()
    rows = []
    for each, judged, p in zip(tried, verdicts, adjusted, strict=True):
        row = _row(each, p)
        verdict: Verdict = "held" if judged == "inconclusive" and each.made.identical else judged
        wanted = None
        if verdict == "inconclusive" and each.varying is not None:
            wanted = needed(each.varying, each.made.gain, each.limits.margin, alpha, len(tried))
        if row.over and verdict != "regressed":
            verdict = "over_budget"
        rows.append(replace(row, verdict=verdict, needed_n=wanted))
    return tuple(rows)


def _row(tried: _Tried, p_adjusted: float) -> CheckRow:
    before, after, made = tried.match.a.record, tried.match.b.record, tried.made
    name = tried.match.metric.name
    return CheckRow(
        task=before.task,
        version=before.version,
        metric=name,
        baseline=made.a,
        candidate=made.b,
        difference=made.change,
        margin=tried.limits.margin,
        p=made.gain.p_lower,
        p_adjusted=p_adjusted,
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
