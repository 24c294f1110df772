"""Perception profile: how far above chance a model is in each dimension that its tasks name."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from mmbench.harness.digest import Json
from mmbench.harness.records.record import Record
from mmbench.harness.scores.corrected import COVERAGE_BUDGET, corrected
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.tasks.task import Task

Verdict = Literal["learned", "mostly", "partly", "at chance", "below chance", "no interval", "no scale", "incomplete"]

LEARNED = 0.9
"""From this score on a dimension is learned."""
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

    def as_json(self) -> dict[str, Json]:
        """Return the dimension as rows hold it."""
        return {
            "dimension": self.name,
            **(self.score.named("value") if self.score else dict.fromkeys(("value", "low", "high"))),
            "n": self.n,
            "tasks": self.tasks,
            "verdict": self.verdict,
        }


def profile(tasks: Sequence[Task], records: Sequence[Record]) -> list[Dimension]:
    """Return the dimensions that the cards of the tasks name, in the order of the tasks.

    `records` are those of one model. Its controls do not enter, nor do tasks without a dimension or without a best
    value of their primary metric.
    """
    held = {record.reference: record for record in records if record.control is None}
    found: dict[str, list[Record | None]] = {}
    for task in tasks:
        if task.card.dimension:
            found.setdefault(task.card.dimension, []).append(held.get(task.reference))
    return [_dimension(name, group) for name, group in found.items()]


def _dimension(name: str, found: Sequence[Record | None]) -> Dimension:
    # A metric without a best value (CIDEr) has no place in a mean; a task that is missing leaves none.
    mine = [record for record in found if record is None or record.card.best is not None]
    n = sum(record.primary.n for record in mine if record)
    scores = [corrected(record.primary, record.card.best) for record in mine if record]
    whole = [score for score in scores if score is not None]
    if not whole or len(whole) < len(mine):
        verdict: Verdict = "no scale" if all(map(_covered, mine)) else "incomplete"
        return Dimension(name, None, n, len(mine), verdict)
    mean = _mean(whole)
    return Dimension(name, mean, n, len(mine), _verdict(mean))


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


def _verdict(mean: Estimate) -> Verdict:
    if mean.low is None or mean.high is None:
        return "no interval"
    if mean.high < 0:
        return "below chance"
    if mean.low <= 0:
        return "at chance"
    if mean.value >= LEARNED:
        return "learned"
    return "mostly" if mean.value >= MOSTLY else "partly"
