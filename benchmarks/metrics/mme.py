"""Scores of MME: accuracy and accuracy+ of each subtask, summed."""

import reprlib
from collections.abc import Hashable, Sequence
from functools import partial
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import listed, same_length, shares
from mmbench.harness.metrics.groups import members_of
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome

PERCEPTION = (
    "existence",
    "count",
    "position",
    "color",
    "posters",
    "celebrity",
    "scene",
    "landmark",
    "artwork",
    "OCR",
)
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
ALL = (*PERCEPTION, *COGNITION)
_FACT = "category"
"""The fact that holds the subtask."""
_PAIRS = "group_accuracy"
"""What the two questions of a picture count together."""
_OF_EACH = 200.0
"""Best score of a subtask: 100 of accuracy and 100 of accuracy+."""


class Mme(TypedDict):
    """Scores of MME."""

    score: float
    perception: float
    cognition: float
    by_subtask: dict[str, float]


def mme(right: npt.ArrayLike, subtasks: Sequence[str] | npt.NDArray[np.str_], pictures: Sequence[Hashable]) -> Mme:
    """Return the sums over the 14 subtasks, over the 10 of perception and the 4 of cognition, and the score of each.

    `right` is (n,), 0 or 1; `subtasks` and `pictures` say of which each question is. A subtask scores 100 times the
    share of right answers (accuracy) and 100 times the share of pictures both of whose questions are right (accuracy+),
    200 at the best. A sum is nan where one of its subtasks has no question.

    Source: Fu et al. 2023, arXiv 2306.13394, section 2.2. Raises ArgumentError, a ValueError.

    >>> made = mme([1, 1, 1, 0], ["count", "count", "count", "count"], ["1.png", "1.png", "2.png", "2.png"])
    >>> made["by_subtask"]
    {'count': 125.0}
    """
    values, of, shown = shares(right, "right"), listed(subtasks, "subtasks"), listed(pictures, "pictures")
    same_length(("right", values), ("subtasks", of), ("pictures", shown))
    if unknown := [each for each in of if not isinstance(each, str) or each not in ALL]:
        raise ArgumentError(f"MME has no subtask {reprlib.repr(unknown[0])} ({', '.join(ALL)})")
    by: dict[str, float] = {}
    for subtask in sorted(set(of), key=ALL.index):
        mine = [i for i, each in enumerate(of) if each == subtask]
        pairs = members_of([values[i] for i in mine], [shown[i] for i in mine]).values()
        if wrong := next((len(pair) for pair in pairs if len(pair) != _QUESTIONS), None):
            raise ArgumentError(f"a picture of '{subtask}' has {wrong} questions, and MME asks two of each")
        answers = [answer for pair in pairs for answer in pair]
        by[subtask] = 100 * (sum(answers) / len(answers) + sum(map(min, pairs)) / len(pairs))
    perception, cognition = (sum(by.get(each, float("nan")) for each in part) for part in (PERCEPTION, COGNITION))
    return {"score": perception + cognition, "perception": perception, "cognition": cognition, "by_subtask": by}


_QUESTIONS = 2


def _sum(subtasks: Sequence[str], statistics: Floats, weights: Floats) -> Floats:
    """Return the sum over subtasks; nan where one has no item. `statistics` is (n, 4), `weights` (b, n)."""
    total = np.zeros(len(weights))
    for number in range(len(subtasks)):
        mine = statistics[:, 0] == number
        right, pairs_right, pairs = (weights[:, mine] @ statistics[mine, 1:]).T
        items = weights[:, mine].sum(axis=1)
        accuracy = np.divide(right, items, out=np.full_like(right, np.nan), where=items > 0)
        total += 100 * (accuracy + np.divide(pairs_right, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0))
    return total


def _rows(subtasks: Sequence[str], outcomes: Sequence[Outcome]) -> list[tuple[float, ...]]:
    """Return of each outcome its subtask, -1 of the other part, whether it is right, and what its picture counts."""
    return [
        (
            float(subtasks.index(subtask) if (subtask := str(each.facts[_FACT])) in subtasks else -1),
            each.values["accuracy"],
            *each.statistics[_PAIRS],
        )
        for each in outcomes
    ]


def _measures(outcome: Outcome) -> bool:
    return outcome.facts.get(_FACT) in ALL and "accuracy" in outcome.values and _PAIRS in outcome.statistics


def _remark(name: str, subtasks: Sequence[str], outcomes: Sequence[Outcome]) -> list[str]:
    held = {str(outcome.facts.get(_FACT)) for outcome in outcomes if _PAIRS in outcome.statistics}
    missing = [each for each in subtasks if each not in held]
    if other := sorted(held - {*ALL}):
        return [f"{name} is -: the fact '{_FACT}' is {other[0]!r} of an item, and MME has no such subtask"]
    return [f"{name} is -: nothing of {', '.join(missing)} (fact '{_FACT}', and `group` by picture)"] if missing else []


def _metric(name: str, subtasks: tuple[str, ...], said: str) -> Metric:
    return Metric(
        name,
        f"Sum over {said} of 100 times accuracy and 100 times accuracy+ (Fu et al. 2023).",
        best=_OF_EACH * len(subtasks),
        proportion=False,
        aggregate=partial(_sum, subtasks),
        measure=partial(_rows, subtasks),
        measures=_measures,
        remark=partial(_remark, name, subtasks),
    )


MME_SCORE = _metric("mme_score", ALL, "the 14 subtasks of MME")
MME_PERCEPTION = _metric("mme_perception", PERCEPTION, "the 10 subtasks of perception of MME")
MME_COGNITION = _metric("mme_cognition", COGNITION, "the 4 subtasks of cognition of MME")
