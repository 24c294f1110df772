"""Perception profile: how far above chance a model is in each dimension that its tasks name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.curves import as_point
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.gains import asked, gains_of
from mmbench.harness.records.measured import read_measured
from mmbench.harness.records.record import Record
from mmbench.harness.records.replicates import replicates
from mmbench.harness.render.figures import count, interval, number
from mmbench.harness.render.notebook import notebook
from mmbench.harness.render.plain import plain
from mmbench.harness.render.plot import dots
from mmbench.harness.scores.corrected import COVERAGE_BUDGET, corrected
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.holm import holm
from mmbench.harness.statistics.means_of_tasks import correlation, macro_average
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["learned", "mostly", "partly", "at chance", "below chance", "no interval", "no scale", "incomplete"]

LEARNED = 0.9
"""From this score on a dimension is learned."""
_ALPHA = 0.05
"""How often guessing may seem to be more in any dimension of a profile."""
MOSTLY = 0.6
"""From this score on it mostly is; below, partly."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a model makes of one dimension, 0 at chance and 1 at best."""

    name: str
    score: Estimate | None
    """Mean over its tasks of the chance-corrected primary score; None where one has none, never a mean of the rest."""
    n: int
    """Scored items of all its tasks."""
    tasks: int
    """Tasks that the value is, or would be, the mean of."""
    verdict: Verdict
    """`no scale`: a primary metric has no best value or no known chance; `incomplete`: a task is missing, has no value
    or too few scored items."""
    temporal: Estimate | None = None
    """Mean over its tasks of the temporal gain, on the scale of the score; None where controls of one were not run."""

    def as_json(self) -> dict[str, Json]:
        """Return the dimension as rows hold it."""
        return {
            "dimension": self.name,
            **(self.score.named("value") if self.score else dict.fromkeys(("value", "low", "high"))),
            "n": self.n,
            "tasks": self.tasks,
            "verdict": self.verdict,
            "temporal_gain": self.temporal.value if self.temporal else None,
            "temporal_gain_low": self.temporal.low if self.temporal else None,
            "temporal_gain_high": self.temporal.high if self.temporal else None,
        }


@dataclass(frozen=True, slots=True)
class Profile(Sequence[Dimension]):
    """Perception profile of a model: its dimensions, in the order of the tasks."""

    model: str
    dimensions: tuple[Dimension, ...]

    @overload
    def __getitem__(self, index: int) -> Dimension: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Dimension]: ...
    def __getitem__(self, index: int | slice) -> Dimension | Sequence[Dimension]:
        return self.dimensions[index]

    def __len__(self) -> int:
        return len(self.dimensions)

    def __repr__(self) -> str:
        verdicts = Counter(each.verdict for each in self.dimensions)
        said = ", ".join(f"{many} {verdict}" for verdict, many in verdicts.items())
        return f"Profile({plain(self.model)}, {count(len(self), 'dimension')}{': ' if said else ''}{said})"

    def _repr_html_(self) -> str:
        rows = [
            [
                each.name,
                each.verdict,
                number(each.score.value if each.score else None),
                interval(each.score.low, each.score.high) if each.score else "-",
                f"{each.n:,}",
            ]
            for each in self.dimensions
        ]
        header = ["dimension", "verdict", "score", "95 % interval", "n"]
        return notebook(f"Perception profile: {self.model}", header, rows, ["score: 0 at chance, 1 at best"])

    def table(self) -> "pd.DataFrame":
        """Return the dimensions as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({"model": self.model, **each.as_json()} for each in self.dimensions)

    def plot(self) -> Any:
        """Return the profile as a dot plot of matplotlib. Raises UsageError where that is not installed."""
        return plot_profiles([self])


def plot_profiles(profiles: Sequence[Profile]) -> Any:
    """Return one dot plot of several profiles. Raises UsageError without matplotlib, or without dimensions."""
    names = list(dict.fromkeys(each.name for profile in profiles for each in profile))
    if not names:
        raise UsageError("there is nothing to plot: no task that was asked names a dimension on its card")
    held = [{each.name: each.score for each in profile} for profile in profiles]
    rows = {name: [as_point(scores.get(name)) for scores in held] for name in names}
    return dots(rows, [profile.model for profile in profiles], "Perception profile")


def profile(tasks: Sequence[Task], records: Sequence[Record], results: Path | None = None) -> list[Dimension]:
    """Return the dimensions that the cards of the tasks name, in the order of the tasks.

    `records` are those of one model. Its controls enter no score, but the gain over them; tasks without a dimension or
    without a best value of their primary metric do not enter. `results`: the folder of their outcomes, from which an
    interval of several tasks is that of a board, and gains are made. A dimension is told from chance by a p that is
    Holm-adjusted over all of them, so that guessing seems to be more in one profile of twenty, not in one row.
    """
    held = {record.reference: record for record in records if record.control is None}
    found: dict[str, list[Record | None]] = {}
    for task in tasks:
        if task.card.dimension:
            found.setdefault(task.card.dimension, []).append(held.get(task.reference))
    made = [_dimension(name, group, results) for name, group in found.items()]
    if results is not None:
        controls = [_entry(record, results) for record in records if record.control]
        made = [replace(each, temporal=_temporal(found[each.name], controls, results)) for each in made]
    ps = holm([from_chance(each.score) if each.score else None for each in made]).tolist()
    return [
        replace(each, verdict=_verdict(each.score, p)) if each.score else each for each, p in zip(made, ps, strict=True)
    ]


def _dimension(name: str, found: Sequence[Record | None], results: Path | None) -> Dimension:
    # A metric without a best value (CIDEr) has no place in a mean; a task that is missing leaves none.
    mine = [record for record in found if record is None or record.card.best is not None]
    n = sum(record.primary.n for record in mine if record)
    scores = [corrected(record.primary, record.card.best) for record in mine if record]
    whole = [score for score in scores if score is not None]
    if not whole or len(whole) < len(mine):
        verdict: Verdict = "no scale" if all(map(_covered, mine)) else "incomplete"
        return Dimension(name, None, n, len(mine), verdict)
    drawn = _drawn([record for record in mine if record], results) if len(whole) > 1 and results else None
    mean = _mean(whole) if drawn is None else macro_average(whole, correlation(drawn, unknown=1.0))
    return Dimension(name, mean, n, len(mine), "no interval")


def _entry(record: Record, results: Path) -> Entry:
    return Entry(record, results / "runs" / record.model / record.file_name)


def _temporal(found: Sequence[Record | None], controls: Sequence[Entry], results: Path) -> Estimate | None:
    """Return the mean temporal gain of the tasks of a dimension; None where one has none."""
    gains: list[Estimate] = []
    for record in found if controls else ():
        if record is None:
            return None
        mine = [each for each in controls if asked(each.record) == asked(record)]
        chance, best = record.primary.chance, record.card.best
        try:
            made = gains_of(_entry(record, results), mine).get("temporal")
        except UsageError:
            return None
        if made is None or chance is None or best is None or chance == best:
            return None
        gains.append(_scaled(made, 1 / abs(best - chance)))
    return _mean(gains) if gains else None


def _scaled(made: Estimate, by: float) -> Estimate:
    return Estimate(made.value * by, *(None if end is None else end * by for end in (made.low, made.high)))


def _drawn(records: Sequence[Record], results: Path) -> Floats | None:
    """Return (REPLICATES, tasks) scores over resampled pictures; None where outcomes cannot be read."""
    rows = []
    for record in records:
        try:
            metric = metric_named(record.family, record.primary.metric)
            measured = read_measured(_entry(record, results).path, record, metric)
        except UsageError:
            return None
        chance, best = record.primary.chance, record.card.best
        if chance is None or best is None:
            return None
        (row,) = replicates([measured], str(record.dataset["digest"]))
        rows.append((row.astype(np.float64) - chance) / (best - chance))
    return np.stack(rows, axis=1)


def from_chance(score: Estimate) -> float | None:
    """Return the two-sided p that a chance-corrected score is 0, by the end of its 95 % interval on that side.

    >>> round(from_chance(Estimate(0.2, 0.0, 0.5)), 3), from_chance(Estimate(0.2, None, None)) is None
    (0.05, True)
    """
    if score.low is None or score.high is None:
        return None
    reach = score.value - score.low if score.value > 0 else score.high - score.value
    normal = NormalDist()
    if reach <= 0:
        return 0.0 if score.value else 1.0
    return 2 * normal.cdf(normal.inv_cdf(0.025) * abs(score.value) / reach)


def _covered(record: Record | None) -> bool:
    return record is not None and record.primary.value is not None and record.primary.coverage >= COVERAGE_BUDGET


def _mean(scores: Sequence[Estimate]) -> Estimate:
    """Return the mean of scores, with an interval that holds however they depend on each other.

    >>> _mean([Estimate(0.5, 0.25, 0.75), Estimate(1.0, 0.75, 1.0)])
    Estimate(value=0.75, low=0.5, high=0.875)
    """
    # The mean of the intervals. Independent errors would partly cancel, and a root of summed squares be narrower, by up
    # to the square root of the number of tasks. But tasks of one dimension often ask about the same pictures: a hard
    # one then lowers them all, and as a record does not tell which pictures it shares, nothing is taken to cancel.
    # A standard error of a mean never exceeds the mean of the standard errors, so this errs only on the wide side.
    value = fmean(score.value for score in scores)
    ends = [(score.low, score.high) for score in scores if score.low is not None and score.high is not None]
    if len(ends) < len(scores):
        return Estimate(value, None, None)
    return Estimate(value, fmean(low for low, _ in ends), fmean(high for _, high in ends))


def _verdict(mean: Estimate, p: float) -> Verdict:
    if mean.low is None or mean.high is None:
        return "no interval"
    if p >= _ALPHA:
        return "at chance"
    if mean.value < 0:
        return "below chance"
    if mean.value >= LEARNED:
        return "learned"
    return "mostly" if mean.value >= MOSTLY else "partly"
