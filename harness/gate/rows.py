"""Gate result: rows, tasks that could not be judged, one verdict, and a conclusion in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mmbench.harness.digest import Json
from mmbench.harness.gate.verdict import Verdict
from mmbench.harness.render.figures import count, number, percent, probability, signed, some, span
from mmbench.harness.render.notebook import notebook
from mmbench.harness.render.plain import plain
from mmbench.harness.statistics.estimate import Estimate, row_as_json

Conclusion: TypeAlias = Verdict | Literal["not_comparable", "partial"]

_MOST_NAMES = 5
"""Tasks that the conclusion names for a verdict."""

GRAVEST: tuple[Conclusion, ...] = (
    "regressed",
    "over_budget",
    "not_comparable",
    "partial",
    "inconclusive",
    "held",
    "improved",
)
"""Verdicts by gravity; the first one present decides for all."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One task of the candidate against the baseline."""

    task: str
    version: int
    metric: str
    baseline: float
    """Value of the baseline over the items that both were scored on."""
    candidate: float
    difference: Estimate
    """candidate - baseline, in the metric's own range, with an interval of 1 - 2 alpha."""
    margin: float
    """Largest tolerated drop; the largest tolerated rise, where lower is better."""
    p: float
    """One-sided p-value: the probability of so large a drop if the candidate is no worse than the baseline."""
    p_adjusted: float
    """p-value after Holm's adjustment over the tasks and their mean, which counts as much as all of them."""
    low_adjusted: float | None
    """Ends of the interval at the levels of the adjusted tests: it lies below 0 where `p_adjusted` is below alpha, and
    above 0 where the task improved."""
    high_adjusted: float | None
    verdict: Verdict
    needed_n: int | None
    """Number of items that would settle an inconclusive task; see `verdict.needed`."""
    n: int
    """Items that both were scored on."""
    identical: bool
    """True where the runs agree on every item; the task then holds, however few items there are."""
    over: tuple[str, ...]
    """Limits that are exceeded, in words."""
    few_clusters: bool
    """True where the interval may be too narrow."""
    partial: bool
    """True where a run asked the first items only."""
    routes: tuple[str, str]
    """Routes of baseline and candidate."""
    seconds: float
    """Duration of the candidate's run."""

    @property
    def reference(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    @property
    def reason(self) -> str:
        """Reason of the verdict, in one sentence."""
        change = f"{self.metric} {number(self.baseline)} to {number(self.candidate)} ({signed(self.difference.value)})"
        if self.verdict == "regressed":
            said = [f"{change}, beyond the margin of {self.margin:g} (p {probability(self.p_adjusted)})"]
        elif self.verdict == "inconclusive":
            wanted = "" if self.needed_n is None else f", about {self.needed_n:,} would do"
            have = f"{count(self.n, 'item')} cannot tell{wanted}"
            said = [f"{change}, within the margin of {self.margin:g} or not: {have}"]
        else:
            said = [] if self.over else [change]
        return "; ".join([*said, *self.over])

    def as_json(self) -> dict[str, Json]:
        """Return the row as `--format json` prints it."""
        held = row_as_json(self)
        held["over"], held["routes"] = [*self.over], [*self.routes]
        return held


def row_name(row: CheckRow, rows: Sequence[CheckRow]) -> str:
    """Return `task@version`, with the metric where the task is judged by several."""
    alone = [other.reference for other in rows].count(row.reference) == 1
    return row.reference if alone else f"{row.reference} {row.metric}"


@dataclass(frozen=True, slots=True)
class Pooled:
    """The candidate against the baseline by the mean over the tasks, corrected for chance."""

    tasks: int
    difference: Estimate
    """Of the means of (value - chance) / (best - chance), with an interval of 1 - 2 alpha."""
    margin: float
    """The mean of the tasks' margins, on the same scale."""
    p: float
    """One-sided, as that of a row: signs flipped by picture, over all tasks that show it."""
    p_adjusted: float
    low_adjusted: float | None
    high_adjusted: float | None
    verdict: Verdict

    @property
    def reason(self) -> str:
        """Reason of the verdict, in one sentence."""
        mean = f"mean over {count(self.tasks, 'task')}, chance-corrected: {signed(self.difference.value)}"
        if self.verdict == "regressed":
            return f"{mean}, beyond the margin of {self.margin:.3g} (p {probability(self.p_adjusted)})"
        return f"{mean}, within the margin of {self.margin:.3g} or not" if self.verdict == "inconclusive" else mean

    def as_json(self) -> dict[str, Json]:
        """Return it as `--format json` prints it."""
        return row_as_json(self)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A task of the baseline that could not be judged."""

    task: str
    reason: str
    """Reason: what differs or is missing, by name."""

    def as_json(self) -> dict[str, Json]:
        """Return it as `--format json` prints it."""
        return {"task": self.task, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Checked:
    """A candidate against a baseline."""

    baseline: str
    candidate: str
    alpha: float
    strict: bool
    """True where inconclusive tasks fail too."""
    rows: tuple[CheckRow, ...]
    incomparable: tuple[Unchecked, ...]
    new: tuple[str, ...]
    """`task@version` that only the candidate has; they pass."""
    errors: tuple[str, ...]
    """Records that could not be read, by name."""
    fingerprints: tuple[str | None, str | None] = (None, None)
    """Of baseline and candidate; None where a run holds predictions of several files."""
    remarks: tuple[str, ...] = ()
    """Sentences on what was left out under a label, or has no scores."""
    pooled: Pooled | None = None
    """Beside the tasks their mean; None of fewer than two that have a chance level and a best value."""
    allow_partial: bool = False
    """False where a run of the first items only fails."""

    @property
    def cut(self) -> tuple[str, ...]:
        """`task@version` of what fails for being partial."""
        held = dict.fromkeys(row.reference for row in self.rows if row.partial)
        return () if self.allow_partial else tuple(held)

    @property
    def verdict(self) -> Conclusion:
        """Gravest verdict of all: regressed, over_budget, not_comparable, partial, inconclusive, held, improved."""
        there: set[Conclusion] = {row.verdict for row in self.rows}
        if self.incomparable or self.errors or not self.rows:
            there.add("not_comparable")
        if self.cut:
            there.add("partial")
        if self.pooled is not None and self.pooled.verdict not in ("held", "improved"):
            there.add(self.pooled.verdict)
        return min(there, key=GRAVEST.index)

    @property
    def exit_code(self) -> int:
        """1 regressed, over budget, partial or, where `strict`, inconclusive; 2 not comparable; else 0."""
        if self.verdict == "not_comparable":
            return 2
        return int(
            self.verdict in ("regressed", "over_budget", "partial") or (self.strict and self.verdict == "inconclusive")
        )

    @property
    def conclusion(self) -> str:
        """Conclusion in one sentence."""
        verdicts = [row.verdict for row in self.rows]
        parts = []
        for verdict in ("regressed", "over_budget", "inconclusive", "held", "improved"):
            names = [row_name(row, self.rows) for row in self.rows if row.verdict == verdict]
            named = f" ({some(names, _MOST_NAMES)})" if verdict in ("regressed", "over_budget") else ""
            if names:
                parts.append(f"{len(names):,} {verdict.replace('_', ' ')}{named}")
        if self.pooled is not None and self.pooled.verdict == "regressed" and "regressed" not in verdicts:
            parts.append(f"their mean {self.pooled.verdict} ({signed(self.pooled.difference.value)})")
        if self.incomparable:
            names = [each.task for each in self.incomparable]
            parts.append(f"{len(names):,} not comparable ({some(names, _MOST_NAMES)})")
        if self.cut:
            parts.append(f"{len(self.cut):,} partial ({some(self.cut, _MOST_NAMES)}), which --allow-partial lets pass")
        passed = "fails" if self.exit_code else "passes"
        several = len({row.reference for row in self.rows}) < len(self.rows)
        whole = count(len(verdicts) + len(self.incomparable), "row" if several else "task")
        return (
            f"{self.candidate} {passed} against {self.baseline}: of {whole} {', '.join(parts) or 'none was compared'}"
        )

    def by_gravity(self) -> list[CheckRow]:
        """Return the rows, first those that decide."""
        return sorted(self.rows, key=lambda row: GRAVEST.index(row.verdict))

    @property
    def confidence(self) -> str:
        """Confidence level of the intervals, in percent."""
        return percent(1 - 2 * self.alpha)

    def __repr__(self) -> str:
        return f"Checked({plain(self.conclusion)})"

    def _repr_html_(self) -> str:
        rows = [
            [
                row.reference,
                row.metric,
                row.verdict.replace("_", " "),
                signed(row.difference.value),
                span(row.difference.low, row.difference.high),
                number(row.margin),
            ]
            for row in self.by_gravity()
        ]
        header = ["task", "metric", "verdict", "difference", f"{self.confidence} interval", "margin"]
        left = [f"{each.task} is not comparable: {each.reason}" for each in self.incomparable]
        return notebook(self.conclusion, header, rows, [*left[:_MOST_NAMES], *self.errors[:_MOST_NAMES], *self.remarks])

    def as_json(self) -> dict[str, Json]:
        """Return the judgement as `--format json` prints it."""
        return {
            "verdict": self.verdict,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "baseline_fingerprint": self.fingerprints[0],
            "candidate_fingerprint": self.fingerprints[1],
            "alpha": self.alpha,
            "strict": self.strict,
            "allow_partial": self.allow_partial,
            "pooled": self.pooled.as_json() if self.pooled else None,
            "rows": [row.as_json() for row in self.rows],
            "incomparable": [each.as_json() for each in self.incomparable],
            "new": list(self.new),
            "errors": list(self.errors),
            "remarks": list(self.remarks),
        }
