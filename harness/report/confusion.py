"""Confusion matrices of tasks whose answers are classes."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mmbench.harness.digest import Json
from mmbench.harness.records import arrow
from mmbench.harness.report.answers import Answers

MOST = 12
"""Classes of a matrix, the commonest; all others are one more column."""

_NAMED = 0.8
"""Share of answered items that must name one of the classes, or the answers are texts."""

_REPEATED = 2
"""Items of a class on average, or the targets are texts."""


def confusion(answers: Sequence[Answers]) -> Json:
    """Return `{labels, counts}` or None where targets or predictions are no classes.

    counts: by model, for each of c labels c + 2 numbers: items whose target it is by predicted label, by any other
    answer, and without one. Labels are the commonest targets over all models, in the order of their names.
    """
    targets: Counter[str] = Counter()
    for each in answers:
        names, codes, _ = _scored(each)
        targets.update({names[code]: n for code, n in _tally(codes)})
    if not 1 < len(targets) <= targets.total() / (_REPEATED * max(len(answers), 1)):
        return None
    held = {each.model: _pairs(each) for each in answers}
    said: Counter[str] = Counter()
    for (_, prediction), n in (pair for pairs in held.values() for pair in pairs.items()):
        if prediction is not None:
            said[prediction] += n
    if not said or sum(n for prediction, n in said.items() if prediction in targets) < _NAMED * said.total():
        return None
    labels = sorted(label for label, _ in targets.most_common(MOST))
    return {"labels": labels, "counts": {model: _counts(labels, pairs) for model, pairs in held.items()}}


def _scored(answers: Answers) -> tuple[list[str], npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return targets, the numbers of those of the items that have one and are no error, and which items these are."""
    codes, names = arrow.coded(answers.said["target"])
    chosen = (codes >= 0) & ~arrow.equal(answers.said["status"], "error")
    return names, codes[chosen], chosen


def _pairs(answers: Answers) -> dict[tuple[str, str | None], int]:
    """Return how many items have a target and a prediction; no prediction where there was no answer."""
    targets, codes, chosen = _scored(answers)
    given, predictions = arrow.coded(answers.said["prediction"])
    given = np.where(arrow.equal(answers.said["status"], "ok"), given, -1)[chosen]
    both = _tally(codes.astype(np.int64) * (len(predictions) + 1) + given + 1)
    pairs = ((*divmod(code, len(predictions) + 1), n) for code, n in both)
    return {(targets[target], predictions[said - 1] if said else None): n for target, said, n in pairs}


def _tally(codes: npt.NDArray[np.integer]) -> list[tuple[int, int]]:
    """Return each distinct number and how often it stands there, in the order of their first places.

    >>> _tally(np.array([3, 1, 3]))
    [(3, 2), (1, 1)]
    """
    found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    order = np.argsort(first)
    return list(zip(found[order].tolist(), counts[order].tolist(), strict=True))


def _counts(labels: Sequence[str], pairs: Mapping[tuple[str, str | None], int]) -> list[list[int]]:
    at = {label: number for number, label in enumerate(labels)}
    counts = [[0] * (len(labels) + 2) for _ in labels]
    for (target, prediction), n in pairs.items():
        if target in at:
            column = len(labels) + 1 if prediction is None else at.get(prediction, len(labels))
            counts[at[target]][column] += n
    return counts
