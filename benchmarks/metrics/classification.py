"""Metrics of choosing among classes, fair to ties and to the classes that are rare."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import hit_probability, tie_width
from mmbench.harness.statistics.shares import Shares


def top_k_hits(scores: Floats, target: tuple[int, ...], ks: Sequence[int]) -> list[float]:
    """Return for each k the probability that a right class is among the k best when ties are ordered at random.

    `scores` is (classes,). Without ties it is 0 or 1; a model that scores all classes alike gets k / classes.

    >>> top_k_hits(np.array([0.1, 0.9, 0.3]), (0,), [1, 2, 3])
    [0.0, 0.0, 1.0]
    >>> top_k_hits(np.zeros(4), (2,), [1])
    [0.25]
    """
    right = scores[list(target)] if len(target) > 1 else None
    best = float(scores[target[0]] if right is None else right.max())
    width = tie_width(best)
    level, above = int(np.count_nonzero(scores >= best - width)), int(np.count_nonzero(scores > best + width))
    right_level = int(best >= best - width if right is None else np.count_nonzero(right >= best - width))
    if level - above == right_level:  # nothing wrong ties with the best right class
        return [float(above < k) for k in ks]
    tied = np.array([level - above - right_level])
    return [float(hit_probability(np.array([above]), tied, np.array([right_level]), k)[0]) for k in ks]


def best_is_right(scores: Floats, targets: Sequence[int]) -> Floats:
    """Return (n,) `top_k_hits` of the best one alone, of (n, classes) scores with one right class each.

    >>> best_is_right(np.array([[0.1, 0.9], [0.5, 0.5]]), [0, 1]).tolist()
    [0.0, 0.5]
    """
    best = scores[np.arange(len(scores)), targets]
    width = np.array([tie_width(each) for each in best.tolist()])
    above = (scores > (best + width)[:, None]).sum(axis=1)
    level = (scores >= (best - width)[:, None]).sum(axis=1)
    return hit_probability(above, level - above - 1, 1, 1)


@cache  # asked for every item, with few distinct arguments
def guessed_hit(classes: int, right: int, k: int) -> float:
    """Return the chance of `top_k_hits`: the probability that k of `classes` drawn at random hold one of `right`.

    >>> round(guessed_hit(1000, 1, 5), 6)
    0.005
    """
    return float(hit_probability(np.array([0]), np.array([classes - right]), np.array([right]), k)[0])


def mean_per_class_recall(statistics: Floats, weights: Floats) -> Floats:
    """Return the recall of each class, averaged over the classes that occur; nan where none does.

    `statistics` is (n, 2): class index and hit; `weights` is (b, n). Returns (b,).

    >>> mean_per_class_recall(np.array([[0, 1], [0, 1], [0, 0], [1, 0]]), np.ones((1, 4)))
    array([0.33333333])
    """
    classes, member = np.unique(statistics[:, 0], return_inverse=True)
    # Sums by class, one row of weights at a time: a table of items by classes would be of gigabytes.
    count = len(classes)
    seen = np.stack([np.bincount(member, row, minlength=count) for row in weights])
    hits = np.stack([np.bincount(member, row * statistics[:, 1], minlength=count) for row in weights])
    present = seen > 0
    recall = np.divide(hits, seen, out=np.zeros_like(hits), where=present)
    whole = present.sum(axis=1)
    return np.asarray(np.divide(recall.sum(axis=1), whole, out=np.full(len(whole), np.nan), where=whole > 0))


def per_class_shares(statistics: Floats) -> Shares:
    """Return what (n, 2) items, as of `mean_per_class_recall`, add to it; the sizes of the classes are given."""
    _, member, sizes = np.unique(statistics[:, 0], return_inverse=True, return_counts=True)
    weights = 1 / (len(sizes) * sizes[member])
    return Shares(statistics[:, 1:].mean(axis=1) * weights, weights, member)


def mean_average_precision(statistics: Floats, weights: Floats) -> Floats:
    """Return average precision of each class over the items, averaged over the classes with a positive item.

    `statistics` is (n, 2 * classes): scores, then 0/1 targets; `weights` is (b, n). Returns (b,). Average precision is
    the sum over distinct thresholds of (recall step) x precision, as in scikit-learn.

    >>> table = np.array([[0.9, 1.0], [0.8, 0.0], [0.7, 1.0]])
    >>> mean_average_precision(table, np.ones((1, 3))).round(4)
    array([0.8333])
    """
    count = statistics.shape[1] // 2
    per_class = [
        _average_precision(statistics[:, c], statistics[:, count + c], weights)
        for c in range(count)
        if statistics[:, count + c].any()
    ]
    if not per_class:
        return np.full(len(weights), np.nan)
    return np.asarray(np.nanmean(np.stack(per_class), axis=0))


def _average_precision(scores: Floats, targets: Floats, weights: Floats) -> Floats:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)  # a difference of infinite ones would be NaN
    right = np.cumsum(weights[:, order] * targets[order], axis=1)[:, last_of_tie]
    all_taken = np.cumsum(weights[:, order], axis=1)[:, last_of_tie]
    precision = np.divide(right, all_taken, out=np.zeros_like(right), where=all_taken > 0)
    steps = np.diff(right, axis=1, prepend=0.0)
    positives = right[:, -1]
    area = (steps * precision).sum(axis=1)
    return np.asarray(np.divide(area, positives, out=np.full_like(area, np.nan), where=positives > 0))
