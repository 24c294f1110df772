"""Confusion matrices of tasks whose answers are classes."""

from collections import Counter
from collections.abc import Sequence

from mmbench.harness.digest import Json
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
    held = {each.model: _answered(each) for each in answers}
    targets = Counter(target for pairs in held.values() for target, _ in pairs)
    if not 1 < len(targets) <= targets.total() / (_REPEATED * max(len(held), 1)):
        return None
    said = [prediction for pairs in held.values() for _, prediction in pairs if prediction is not None]
    if not said or sum(prediction in targets for prediction in said) < _NAMED * len(said):
        return None
    labels = sorted(label for label, _ in targets.most_common(MOST))
    return {"labels": labels, "counts": {model: _counts(labels, pairs) for model, pairs in held.items()}}


def _answered(answers: Answers) -> list[tuple[str, str | None]]:
    """Return target and prediction of each item that is no error; no prediction where there was no answer."""
    rows = zip(answers.texts("target"), answers.texts("prediction"), answers.texts("status"), strict=True)
    return [
        (target, prediction if status == "ok" else None)
        for target, prediction, status in rows
        if target is not None and status != "error"
    ]


def _counts(labels: Sequence[str], pairs: Sequence[tuple[str, str | None]]) -> list[list[int]]:
    at = {label: number for number, label in enumerate(labels)}
    counts = [[0] * (len(labels) + 2) for _ in labels]
    for target, prediction in pairs:
        if target in at:
            column = len(labels) + 1 if prediction is None else at.get(prediction, len(labels))
            counts[at[target]][column] += 1
    return counts
