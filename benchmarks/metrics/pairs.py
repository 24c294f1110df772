"""Scores of pairs: text, image and group score of Winoground, pairwise accuracy of SugarCrepe."""

from collections.abc import Mapping, Sequence

import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import matrix
from mmbench.harness.numerics.ranks import tie_width

CHANCES = {
    1: {"text_score": 1 / 2, "pairwise_accuracy": 1 / 2},
    2: {"text_score": 1 / 4, "image_score": 1 / 4, "group_score": 1 / 6, "pairwise_accuracy": 1 / 2},
}
"""By the number of pictures, with two captions, of scores drawn independently; for the group both own scores must
exceed both others, as in 4 of 24 orders."""


def pair_chances(pictures: int, captions: Sequence[str]) -> Mapping[str, float]:
    """Return the expected metrics of one pair whose scores are drawn independently; equal captions score alike.

    >>> pair_chances(1, ["a", "b", "c", "c"])["pairwise_accuracy"], pair_chances(2, ["a", "b"])["group_score"]
    (0.3333333333333333, 0.16666666666666666)
    """
    if len(captions) == 2:
        return CHANCES.get(pictures, {})
    chance = 0.0 if captions[0] in captions[1:] else 1 / len(set(captions))
    return {"text_score": chance, "pairwise_accuracy": chance}


def pair_values(scores: npt.ArrayLike) -> dict[str, float]:
    """Return the metrics of one pair from its scores, (pictures, captions) with one picture or two; a tie is wrong.

    With one picture the first caption is right, of two or more, and only `text_score` and `pairwise_accuracy` are
    defined.

    >>> pair_values([[0.9, 0.1], [0.5, 0.6]])
    {'text_score': 1.0, 'pairwise_accuracy': 1.0, 'image_score': 1.0, 'group_score': 1.0}
    >>> pair_values([[0.9, 0.1], [0.7, 0.6]])
    {'text_score': 0.0, 'pairwise_accuracy': 0.5, 'image_score': 1.0, 'group_score': 0.0}
    >>> pair_values([[0.4, 0.4]])
    {'text_score': 0.0, 'pairwise_accuracy': 0.0}
    >>> pair_values([[0.4, 0.1, 0.5]])
    {'text_score': 0.0, 'pairwise_accuracy': 0.0}
    """
    scores = matrix(scores, "scores", finite=False)
    if scores.shape != (2, 2) and (len(scores) != 1 or scores.shape[1] < 2):
        raise ArgumentError(f"scores are of shape {scores.shape}; give (2, 2) or (1, 2 or more): pictures by captions")
    own = [all(_exceeds(row[i], wrong) for j, wrong in enumerate(row) if j != i) for i, row in enumerate(scores)]
    values = {"text_score": float(all(own)), "pairwise_accuracy": sum(own) / len(own)}
    if len(scores) == 2:
        found = all(_exceeds(scores[i, i], scores[1 - i, i]) for i in range(2))
        values |= {"image_score": float(found), "group_score": float(found and all(own))}
    return values


def _exceeds(right: float, wrong: float) -> bool:
    # One that is impossible is below every other, and ties with its equals.
    return bool(right > wrong and right - wrong > tie_width(right, wrong))
