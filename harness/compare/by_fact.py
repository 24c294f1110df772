"""Paired differences by a fact: those of the items that share a value of it, tested together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmbench.harness.compare.difference import Difference, Verdict, difference, verdict
from mmbench.harness.compare.extremes import extremes_of, of_levels
from mmbench.harness.compare.match import Match
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.records.by_fact import read_levels
from mmbench.harness.records.measured import Measured
from mmbench.harness.scores.breakdown import level_place, level_texts
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
    """The value; None too in a row of `apart`."""
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
    apart: str | None = None
    """`worst`, `gap` or `ratio` where it is one of these over all values of the fact, each by its own direction."""

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
    """Return the difference on each value of a fact, and of the worst, the gap and the ratio of all of them.

    A value on which the metric is undefined has none, nor have then the others. Raises UsageError where a record is not
    broken down by the fact, or the two differ in it.
    """
    record, unit = matched.a.record, matched.metric.unit
    mine, theirs = (read_levels(entry, fact, unit) for entry in (matched.a, matched.b))
    names = measured[0].ids.to_pylist()
    unlike = [name for name in names if mine.get(name) != theirs.get(name)]
    if unlike:
        raise UsageError(f"fact '{fact}' differs between the runs on {len(unlike):,} items, such as {unlike[0]}")
    groups = _groups([mine.get(name) for name in names])
    tried: list[tuple[Json, str | None, Difference | None]] = [
        (level, None, difference(*(each.take(rows) for each in measured), confidence=1 - alpha))
        for level, rows in groups
    ]
    if matched.metric.higher_is_better is not None and len(groups) > 1:
        places = [rows for _, rows in groups]
        values = np.concatenate([of_levels(each, places) for each in measured])
        if np.isfinite(values).all():
            for name, metric in extremes_of(matched.metric, places, values):
                one, other = (replace(each, metric=metric) for each in measured)
                tried.append((None, name, difference(one, other, confidence=1 - alpha)))
    made = []
    for level, apart, tested in tried:
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
            apart=apart,
        )
        made.append(TriedFact(row, tested))
    return made


def shown_levels(rows: Sequence[FactRow]) -> list[str]:
    """Return how tables call these rows: by the value of the fact, or as what is made of all values."""
    texts = iter(level_texts([row.level for row in rows if row.apart is None]))
    return [row.apart or next(texts) for row in rows]


def _groups(levels: Sequence[Json]) -> list[tuple[Json, npt.NDArray[np.intp]]]:
    """Return each value with the places of its items."""
    found: dict[tuple[int, float, str], list[int]] = {}
    for i, level in enumerate(levels):
        found.setdefault(level_place(level), []).append(i)
    return [(levels[found[place][0]], np.array(found[place], np.intp)) for place in sorted(found)]


def judged_by_fact(tried: Sequence[TriedFact], alpha: float) -> list[FactRow]:
    """Return the rows of two models, those of values and those of what is made of them adjusted apart (Holm 1979)."""
    of_values = [each for each in tried if each.row.apart is None]
    return _judged(of_values, alpha) + _judged([each for each in tried if each.row.apart is not None], alpha)


def _judged(tried: Sequence[TriedFact], alpha: float) -> list[FactRow]:
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
