"""Ranks with ties: one rule for retrieval, top-k accuracy and chance level."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmbench.harness.numerics.arrays import Floats

IntArray = NDArray[np.int64]
Positives = Sequence[Sequence[int] | IntArray]

TIE = 1e-12
"""Scores this close, relative to the larger, tie: far above float64 rounding, far below what a model can mean."""


def tie_width(*scores: float) -> float:
    """Return how far apart scores of this size still tie; infinite ones tie with their equals alone.

    >>> tie_width(-0.5), tie_width(-1000.0, 3.0), tie_width(-np.inf)
    (1e-12, 1e-09, 0.0)
    """
    largest = max(map(abs, scores))
    return TIE * max(1.0, largest) if math.isfinite(largest) else 0.0


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where the best positive of each of n queries stands among the negatives."""

    greater: IntArray
    """(n,) negatives that score strictly above the query's best positive."""
    tied: IntArray
    """(n,) negatives that tie with it."""
    tied_positives: IntArray
    """(n,) positives that tie with it, itself included: at least 1."""
    positives: IntArray
    """(n,) positives of the query."""
    gallery: int
    """Number of items that each query ranks."""

    def expected(self) -> Floats:
        """Return the (n,) expected 1-based ranks of the first positive when ties fall in a random order.

        >>> one = np.ones(1, np.int64)
        >>> Ranks(2 * one, 3 * one, one, one, 10).expected()  # rank 3, 4, 5 or 6, equally likely
        array([4.5])
        >>> Ranks(0 * one, 3 * one, 3 * one, 3 * one, 6).expected()  # 3 negatives fall into 4 gaps
        array([1.75])
        """
        return self.greater + 1 + self.tied / (self.tied_positives + 1)

    def hit(self, k: int) -> Floats:
        """Return the (n,) probabilities in 0..1 that a positive is among the first k: recall@k of each query.

        >>> one = np.ones(1, np.int64)
        >>> [float(Ranks(one, one, one, one, 10).hit(k)[0]) for k in (1, 2, 3)]
        [0.0, 0.5, 1.0]
        """
        return hit_probability(self.greater, self.tied, self.tied_positives, k)


def hit_probability(greater: ArrayLike, tied: ArrayLike, tied_positives: ArrayLike, k: int) -> Floats:
    """Return the probabilities that one of the tied positives is among the first k when ties fall in a random order.

    The arguments are whole numbers that broadcast: negatives above, negatives tied, positives tied (at least 1).
    With r = k - greater places left it is 0 for r <= 0, 1 for r > tied, else 1 - C(tied, r) / C(tied + positives, r).
    With everything tied it is chance: greater 0, tied = gallery - positives.

    >>> float(hit_probability(0, 3, 2, 2))  # 1 - C(3,2)/C(5,2) = 1 - 3/10
    0.7
    >>> hit_probability([4, 5, 0], [0, 0, 4], 1, 5)
    array([1., 0., 1.])
    >>> round(float(hit_probability(0, 999, 1, 10)), 9)  # chance of recall@10 with one positive in 1000
    0.01
    """
    above, ties, own = (np.asarray(part, np.int64) for part in (greater, tied, tied_positives))
    places, total = k - above, ties + own
    # The ratio of binomials is symmetric in r and the positives, so the product runs over the smaller of the two.
    few, many = np.minimum(places, own), np.maximum(places, own)
    miss = np.where(places > ties, 0.0, 1.0)
    for step in range(int(np.max(few * (places <= ties), initial=0))):
        miss = miss * np.where(step < few, (total - step - many) / np.maximum(total - step, 1), 1.0)
    return np.asarray(1.0 - miss)


def rank_matrix(scores: NDArray[Any], positives: Positives) -> tuple[Ranks, Ranks]:
    """Rank a given (n, m) matrix of scores both ways, as `count_ranks` does, for models that only score pairs.

    Scores may be infinite and tie when they are equal. Raises ValueError for NaN and for positives as `count_ranks`.

    >>> by_row, by_column = rank_matrix(np.array([[3.0, 1.0], [3.0, 3.0]]), [[0], [1]])
    >>> by_row.greater, by_row.tied, by_column.tied, by_column.expected()
    (array([0, 0]), array([0, 1]), array([1, 0]), array([1.5, 1. ]))
    """
    negatives = np.array(scores, np.float64)
    if negatives.ndim != 2 or np.isnan(negatives).any():
        raise ValueError(f"scores of shape {negatives.shape} are not a matrix without NaN")
    n, m = negatives.shape
    rows, cols = flatten(positives, (n, m))
    values = negatives[rows, cols]
    negatives[rows, cols] = np.nan  # neither greater nor equal
    left, right = queries_of("left", rows, values, np.zeros(n), m), queries_of("right", cols, values, np.zeros(m), n)
    return (
        left.ranks((negatives > left.best[:, None]).sum(axis=1), (negatives == left.best[:, None]).sum(axis=1)),
        right.ranks((negatives > right.best).sum(axis=0), (negatives == right.best).sum(axis=0)),
    )


def flatten(positives: Positives, shape: tuple[int, int]) -> tuple[IntArray, IntArray]:
    """Return the rows and columns of the positive pairs, each pair once."""
    n, m = shape
    if len(positives) != n or not n or not m:
        raise ValueError(f"{len(positives)} lists of positives for {n} left and {m} right items")
    cols = np.concatenate([np.asarray(own, np.int64) for own in positives])
    rows = np.repeat(np.arange(n), [len(own) for own in positives])
    if cols.size and not 0 <= cols.min() <= cols.max() < m:
        raise ValueError(f"positives name right items outside 0..{m - 1}")
    pairs = np.unique(rows * m + cols)
    return pairs // m, pairs % m


@dataclass(frozen=True, slots=True)
class Queries:
    """All queries of one direction."""

    best: Floats
    """Thresholds: the float64 scores of the best positives."""
    slack: Floats
    """How far from its threshold a score may lie and still tie."""
    tied_positives: IntArray
    positives: IntArray
    gallery: int

    def ranks(self, greater: IntArray, tied: IntArray) -> Ranks:
        """Return the ranks of these (n,) counts of negatives."""
        return Ranks(greater, tied, self.tied_positives, self.positives, self.gallery)


def queries_of(side: str, index: IntArray, values: Floats, slack: Floats, gallery: int) -> Queries:
    """Return the queries of one side from its positive pairs: query and float64 score of each. Raises ValueError."""
    positives = np.bincount(index, minlength=len(slack))
    if not positives.all():
        raise ValueError(f"{side} item {int(np.argmin(positives))} has no positive")
    best = np.full(len(slack), -np.inf)
    np.maximum.at(best, index, values)
    tied = np.bincount(index[values >= (best - slack)[index]], minlength=len(slack))
    return Queries(best, slack, tied, positives, gallery)
