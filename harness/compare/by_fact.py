"""Paired differences by a fact: those of the items that share a value of it, tested together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmbench.harness.compare.difference import Difference, Verdict, difference, verdict
from mmbench.harness.compare.match import Match
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.records.by_fact import read_levels
from mmbench.harness.records.measured import Measured
from mmbench.harness.scores.breakdown import level_place
from mmbench.harness.statistics.estimate import Estimate, row_as_json
from mmbench.harness.statistics.holm import holm, holm_levels


@dataclass(frozen=True, slots=True)
class FactRow:
    """Paired comparison of a model with the first one, on the items of a task that share a value of a fact."""

    model: str
    against: str
    task: str
    version: int
    metric: str
    fact: str
    level: Json
    a: float
    """Value of the first model over these items, where both were scored."""
    b: float
    difference: Estimate
    """b - a, in the metric's own range."""
    n: int
    p: float
    """Two-sided p-value."""
    p_adjusted: float | None
    """p-value after Holm's adjustment over all values and tasks of the two models; None where neither direction of the
    metric is better."""
    low_adjusted: float | None
    """Lower end of the interval at the level of the adjusted test."""
    high_adjusted: float | None
    verdict: Verdict
    few_clusters: bool
    """True where the interval may be too narrow."""

    @property
    def reference(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    @property
    def together(self) -> Estimate:
        """The difference with the interval that its verdict stands on."""
        if self.low_adjusted is None and self.high_adjusted is None:
            return self.difference
        return Estimate(self.difference.value, self.low_adjusted, self.high_adjusted)

    def as_json(self) -> dict[str, Json]:
        """Return the row as `--format json` prints it."""
        return row_as_json(self)


@dataclass(frozen=True, slots=True)
class TriedFact:
    """Row before its p-value is adjusted and its verdict is decided."""

    row: FactRow
    made: Difference


def by_fact(
    matched: Match, models: tuple[str, str], measured: tuple[Measured, Measured], fact: str, alpha: float
) -> list[TriedFact]:
    """Return the difference on each value of a fact; a value on which the metric is undefined has none.

    Raises UsageError where a record is not broken down by the fact, or the two differ in it.
    """
    record, unit = matched.a.record, matched.metric.unit
    mine, theirs = (read_levels(entry, fact, unit) for entry in (matched.a, matched.b))
    names = measured[0].ids.to_pylist()
    unlike = [name for name in names if mine.get(name) != theirs.get(name)]
    if unlike:
        raise UsageError(f"fact '{fact}' differs between the runs on {len(unlike):,} items, such as {unlike[0]}")
    made = []
    for level, rows in _groups([mine.get(name) for name in names]):
        tested = difference(*(each.take(rows) for each in measured), confidence=1 - alpha)
        if tested is None:
            continue
        neither = matched.metric.higher_is_better is None
        row = FactRow(
            model=models[1],
            against=models[0],
            task=record.task,
            version=record.version,
            metric=matched.metric.name,
            fact=fact,
            level=level,
            a=tested.a,
            b=tested.b,
            difference=tested.change,
            n=tested.gain.n,
            p=tested.gain.p,
            p_adjusted=None if neither else tested.gain.p,
            low_adjusted=None,
            high_adjusted=None,
            verdict="tied",
            few_clusters=tested.gain.few_clusters,
        )
        made.append(TriedFact(row, tested))
    return made


def _groups(levels: Sequence[Json]) -> list[tuple[Json, npt.NDArray[np.intp]]]:
    """Return each value with the places of its items."""
    found: dict[tuple[int, float, str], list[int]] = {}
    for i, level in enumerate(levels):
        found.setdefault(level_place(level), []).append(i)
    return [(levels[found[place][0]], np.array(found[place], np.intp)) for place in sorted(found)]


def judged_by_fact(tried: Sequence[TriedFact], alpha: float) -> list[FactRow]:
    """Return the rows of two models, adjusted for all of them at once (Holm 1979)."""
    ps = [each.row.p_adjusted for each in tried]
    rows = []
    for each, p, level in zip(tried, holm(ps).tolist(), holm_levels(ps, alpha).tolist(), strict=True):
        if each.row.p_adjusted is None:
            rows.append(each.row)
            continue
        ends = each.made.turned(each.made.gain.ends(1 - level))
        rows.append(
            replace(
                each.row,
                p_adjusted=p,
                low_adjusted=ends.low,
                high_adjusted=ends.high,
                verdict=verdict(each.made.gain, p, alpha),
            )
        )
    return rows
