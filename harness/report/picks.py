"""Item selection for the explorer: items all models get wrong, items they disagree on, and a few right ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.harness.report.answers import Answers

MOST = 40
"""Items of a task."""

_RIGHT = 6
"""Of them, those that all models got right: what the task looks like when it goes well."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One item, and in which row of each model's answers it stands."""

    id: str
    rows: dict[str, int]
    """Answers by model."""


def pick(answers: Sequence[Answers], most: int = MOST) -> list[Pick]:
    """Return the items to show, the most often wrong first.

    By turns: one that the first model got wrong, the second ..., one that some but not all got wrong. The same draw of
    items serves all models, so that their answers can be compared. Where a metric has no best value, so that nothing is
    wrong, those of the least value stand for them.
    """
    rows = [{name: row for row, name in enumerate(each.ids)} for each in answers]
    ids = list(dict.fromkeys(name for each in answers for name in each.ids))
    wrong = np.stack([_wrong(ids, each, held) for each, held in zip(answers, rows, strict=True)], axis=1)
    asked = np.stack([np.array([name in held for name in ids], dtype=bool) for held in rows], axis=1)
    share = wrong.sum(axis=1) / asked.sum(axis=1)
    drawn = np.random.default_rng(0).permutation(len(ids))
    if answers[0].measured.metric.best is None:
        queues = [_least(ids, each) for each in answers]
    else:
        queues = [[item for item in drawn if wrong[item, model]] for model in range(len(answers))]
    if len(answers) > 1:
        queues.append([item for item in drawn if 0 < share[item] < 1])
    chosen = _by_turns(queues, most)
    right = [item for item in drawn if share[item] == 0 and item not in chosen]
    chosen += right[: min(_RIGHT, most - len(chosen))]
    chosen.sort(key=lambda item: -share[item])
    return [
        Pick(
            ids[item],
            {each.model: held[ids[item]] for each, held in zip(answers, rows, strict=True) if ids[item] in held},
        )
        for item in chosen
    ]


def _wrong(ids: Sequence[str], answers: Answers, rows: dict[str, int]) -> npt.NDArray[np.bool_]:
    flags = answers.wrong.tolist()
    return np.array([name in rows and flags[rows[name]] for name in ids], dtype=bool)


def _least(ids: Sequence[str], answers: Answers) -> list[int]:
    """Return the items in the order of their value, the least first; those without one last."""
    at = {name: item for item, name in enumerate(ids)}
    return [at[answers.ids[row]] for row in np.argsort(answers.values, kind="stable")]


def _by_turns(queues: Iterable[Sequence[int]], most: int) -> list[int]:
    """Return at most this many distinct items, one of each queue by turns.

    >>> _by_turns([[1, 2, 3], [2, 4]], 3)
    [1, 2, 3]
    """
    left = [iter(queue) for queue in queues]
    chosen: dict[int, None] = {}
    while left and len(chosen) < most:
        for queue in list(left):
            item = next((item for item in queue if item not in chosen), None)
            if item is None:
                left.remove(queue)
            elif len(chosen) < most:
                chosen[item] = None
    return list(chosen)
