"""Pairwise verdicts on shared tasks: which of two models is better, and where no difference is detected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from mmbench.harness.compare.difference import Verdict, difference, verdict
from mmbench.harness.records.measured import shared
from mmbench.harness.report.answers import Answers
from mmbench.harness.statistics.holm import holm, holm_levels
from mmbench.harness.statistics.paired import Paired

ALPHA = 0.05
"""Family-wise false-positive rate over all tasks of a pair."""

_NEEDED = 2
"""Items: of a single one nothing can be told."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One model against another on one task."""

    task: int
    """Number of the task in the report."""
    test: Paired
    """Difference, positive where the first model is better."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is made of a comparison among the others of its pair."""

    compared: Compared
    p: float
    """Holm-adjusted over the tasks of the pair."""
    verdict: Verdict
    """Verdict on the first model against the second."""
    ends: tuple[float, float] | None
    """Interval at the level of the adjusted test, as `compare` shows it."""


Pairs: TypeAlias = Mapping[tuple[str, str], Sequence[Judged]]
"""Verdicts by (first, second) model."""


def compare_task(task: int, answers: Sequence[Answers]) -> dict[tuple[str, str], Compared]:
    """Return what each pair of models makes of the items that both were scored on, by (first, second) name.

    Metrics of which neither direction is better are left out, and pairs whose score is undefined.
    """
    if not answers or answers[0].measured.metric.higher_is_better is None:
        return {}
    found = {}
    for one, other in combinations(answers, 2):
        # The test is of the second run against the first.
        a, b = shared(other.measured, one.measured)
        made = difference(a, b) if len(a) >= _NEEDED and a.table.shape == b.table.shape else None
        if made is not None:
            found[one.model, other.model] = Compared(task, made.gain)
    return found


def judge(compared: Sequence[Compared]) -> list[Judged]:
    """Return the verdicts of one pair of models over their tasks (Holm 1979)."""
    ps = [each.test.p for each in compared]
    return [
        Judged(each, p, verdict(each.test, p, ALPHA), each.test.ends(1 - level))
        for each, p, level in zip(compared, holm(ps).tolist(), holm_levels(ps, ALPHA).tolist(), strict=True)
    ]
