"""Groups: for whom a model is right least often, and where it is right throughout."""

import math
from collections.abc import Hashable, Sequence
from typing import Any, TypedDict

import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import listed, same_length, shares


class WorstGroup(TypedDict):
    """Scores of groups."""

    worst: float
    gap: float
    ratio: float
    by_group: dict[Any, float]


def worst_group(right: npt.ArrayLike, groups: Sequence[Hashable] | npt.NDArray[Any]) -> WorstGroup:
    """Return the least mean of `right` over the groups, the greatest less it, it over the greatest, and all means.

    `right` is (n,) in 0..1 (right or wrong, or a score of each item); `groups` has the group of each item, never None
    or NaN. The ratio is nan where all groups are at 0. The least of several noisy means is too low on average: give it
    with an interval, and merge groups of few items.

    Source: Sagawa et al. 2020, arXiv 1911.08731. Raises ArgumentError, a ValueError.

    >>> made = worst_group([1, 1, 1, 0, 1, 0], ["a", "a", "b", "b", "b", "b"])
    >>> made["worst"], made["gap"], made["ratio"], made["by_group"]
    (0.5, 0.5, 0.5, {'a': 1.0, 'b': 0.5})
    """
    members = members_of(right, groups)
    means = {group: math.fsum(held) / len(held) for group, held in _sorted(members).items()}
    worst, best = min(means.values()), max(means.values())
    return {"worst": worst, "gap": best - worst, "ratio": worst / best if best else float("nan"), "by_group": means}


def group_accuracy(right: npt.ArrayLike, groups: Sequence[Hashable] | npt.NDArray[Any]) -> float:
    """Return the share of groups whose items are all right; of parts of a hit a group counts the least.

    Arguments as `worst_group`. The groups make the figure. HallusionBench: all items of a question (category,
    subcategory, set and question) for qAcc, of a figure (category, subcategory, set and figure) for fAcc; aAcc is plain
    accuracy. NaturalBench: the two pictures of a question for Q-Acc, the two questions of a picture for I-Acc, all four
    for G-Acc. MMVP: a pair. MME: the two questions of a picture for accuracy+ (`mme`).

    Source: utils.py of github.com/tianyi-lab/HallusionBench; Li et al. 2024, arXiv 2410.14669 (NaturalBench); Tong et
    al. 2024, arXiv 2401.06209 (MMVP). Raises ArgumentError, a ValueError.

    >>> right = [1, 1, 1, 0]  # question 0 of pictures 0 and 1, then question 1 of both
    >>> group_accuracy(right, ["q0", "q0", "q1", "q1"]), group_accuracy(right, ["i0", "i1", "i0", "i1"])
    (0.5, 0.5)
    """
    members = members_of(right, groups)
    return math.fsum(map(min, members.values())) / len(members)


def members_of(right: npt.ArrayLike, groups: Sequence[Hashable] | npt.NDArray[Any]) -> dict[Any, list[float]]:
    """Return what is right of each group. Raises ArgumentError."""
    values = shares(right, "right")
    of = listed(groups, "groups")
    same_length(("right", values), ("groups", of))
    if not all(isinstance(each, Hashable) for each in of):
        raise ArgumentError("a group is a name or a number, not a list")
    if any(map(_missing, of)):
        raise ArgumentError("an item has no group (None or NaN); leave it out, or give it a group of its own")
    members: dict[Any, list[float]] = {}
    for group, value in zip(of, values.tolist(), strict=True):
        members.setdefault(group, []).append(value)
    return members


def _missing(group: object) -> bool:
    """Tell whether a group is None, NaN, or what a table has in their place, which equals nothing, itself included."""
    try:
        return group is None or bool(group != group)  # noqa: PLR0124
    except TypeError:  # of NA nobody knows whether it equals itself
        return True


def _sorted(members: dict[Any, list[float]]) -> dict[Any, list[float]]:
    """Return the groups in order where they have one, else as they came."""
    try:
        return dict(sorted(members.items(), key=lambda one: one[0]))
    except TypeError:
        return members
