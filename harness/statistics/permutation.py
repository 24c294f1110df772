"""Sign-flip test of paired runs, by cluster: exact where clusters are few, else by a saddlepoint, never at random."""

import math
from statistics import NormalDist

import numpy as np

from mmbench.harness.numerics.arrays import Floats

MOST_ENUMERATED = 30
"""Up to so many clusters that differ, all assignments of signs are tried."""
_BINS = 4096
_MOST_EXACT = 4 * _BINS
"""With more clusters than this sums are counted by size: equal ones need one term."""
_SMALL = 0.02
"""Part of the second term of a series in the first, below which the rest is nothing."""
_LEAST = 5e-324
_BEYOND = 1492.0
"""Square of a total in standard deviations from which on p is less than any number (Hoeffding 1963)."""


def sign_flip(sums: Floats) -> float:
    """Return the two-sided p of (clusters,) summed differences: how likely a total as far from 0 is.

    A cluster's sum is as likely with either sign where the runs do not differ (Fisher 1935). Of many clusters the
    distribution of the total is that of the saddlepoint (Robinson 1982; Lugannani and Rice 1980), which keeps its
    digits where p is small, and counts totals that equal the observed one half, as a mid-p does.

    >>> sign_flip(np.array([-1.0, -2.0, -3.0, 0.0])), sign_flip(np.zeros(3))
    (0.25, 1.0)
    >>> round(sign_flip(np.array([1.0] * 45 + [-1.0] * 25)), 4)  # the mid-p of McNemar's test is 0.0170
    0.0165
    """
    sums = sums[sums != 0]  # no sign changes nothing
    if len(sums) <= MOST_ENUMERATED:
        return _enumerated(sums)
    return _saddlepoint(np.abs(sums), abs(float(sums.sum())))


def sign_flip_of_moments(total: float, square: float, fourth: float) -> float | None:
    """Return the p of `sign_flip` of many clusters, by the sums of their first, second and fourth powers.

    By the first terms of the series that the saddlepoint solves; None where they do not suffice.

    >>> changes = np.random.default_rng(0).normal(0.05, 1, 3000)
    >>> known = sign_flip_of_moments(changes.sum(), (changes**2).sum(), (changes**4).sum())
    >>> abs(known / sign_flip(changes) - 1) < 1e-4
    True
    """
    if square <= 0:
        return 1.0
    if total**2 / square > _BEYOND:
        return _LEAST
    ratio = total**2 * fourth / square**3
    if ratio >= _SMALL:
        return None
    t = abs(total) / square * (1 + ratio / 3)
    w = abs(total) / math.sqrt(square) * math.sqrt(1 + ratio / 6)
    return _tail(w, t * math.sqrt(max(0.0, square - fourth * t * t)))


def lower_tail(p: float, value: float) -> float:
    """Return the one-sided p of a value this low, of a two-sided p under a symmetric distribution.

    >>> lower_tail(0.5, -1.0), lower_tail(0.5, 1.0), lower_tail(1.0, 0.0)
    (0.25, 0.75, 0.5)
    """
    return p / 2 if value < 0 else 1 - p / 2


def tail_share(observed: float, null: Floats) -> float:
    """Return the share of (r,) null values, drawn at random, that are as far from 0 as the observed one.

    The observed one counts as one more, without which a p could be 0 (Phipson and Smyth 2010).

    >>> tail_share(-2.0, np.array([-2.0, 0.0, 1.0]))
    0.5
    """
    slack = 1e-9 * max(abs(observed), float(np.abs(null).max(initial=0.0)))
    return (int(np.count_nonzero(np.abs(null) >= abs(observed) - slack)) + 1) / (len(null) + 1)


def _enumerated(sums: Floats) -> float:
    """Return the share of all assignments whose total is as far from 0; by halves (Horowitz and Sahni 1974)."""
    observed = abs(float(sums.sum()))
    slack = 1e-9 * float(np.abs(sums).sum())  # sums in another order differ by rounding
    one, other = (_totals(sums[start::2]) for start in (0, 1))
    other.sort()
    above = len(other) - np.searchsorted(other, observed - slack - one)
    return min(1.0, 2 * float(above.sum()) / (len(one) * len(other)))


def _totals(sums: Floats) -> Floats:
    totals = np.zeros(1)
    for each in sums:
        totals = np.concatenate([totals + each, totals - each])
    return totals


def _saddlepoint(sizes: Floats, observed: float) -> float:
    """Return the two-sided p of an observed total of (n,) sizes under random signs."""
    if len(sizes) > _MOST_EXACT:
        squares = sizes * sizes
        known = sign_flip_of_moments(observed, float(squares.sum()), float(squares @ squares))
        if known is not None:
            return known
    largest = float(sizes.max())
    sizes, observed = sizes / largest, observed / largest
    if len(sizes) > _MOST_EXACT:
        counts = np.bincount(np.ceil(sizes * _BINS).astype(np.intp), minlength=_BINS + 1).astype(np.float64)
        held = np.flatnonzero(counts)
        times, middles = counts[held], (held - 0.5) / _BINS
        # The bins' middles miss a little of the variance, on which all depends.
        sizes = middles * math.sqrt(float(sizes @ sizes) / float(times @ middles**2))
    else:
        sizes, numbers = np.unique(sizes, return_counts=True)
        times = numbers.astype(np.float64)
    variance = float(times @ sizes**2)
    whole = float(times @ sizes)
    if observed >= whole * (1 - 1e-9):  # all signs alike
        return max(_LEAST, math.pow(2.0, -min(1074.0, float(times.sum()))))
    if observed < 1e-6 * math.sqrt(variance):
        return min(1.0, 2 * NormalDist().cdf(-observed / math.sqrt(variance)))
    t = _tilt(sizes, times, observed, variance)
    slope = t * sizes
    # log cosh, without overflow
    generating = float(times @ (slope + np.log1p(np.exp(-2 * slope)) - math.log(2)))
    curvature = float(times @ (sizes**2 * (1 - np.tanh(slope) ** 2)))
    w = math.sqrt(max(0.0, 2 * (t * observed - generating)))
    v = t * math.sqrt(curvature)
    return _tail(w, v)


def _tilt(sizes: Floats, times: Floats, observed: float, variance: float) -> float:
    """Return where the derivative of the cumulant generating function is the observed total."""
    low, high = 0.0, math.inf
    t = observed / variance
    for _ in range(200):
        tanh = np.tanh(t * sizes)
        miss = float(times @ (sizes * tanh)) - observed
        if abs(miss) <= 1e-12 * observed:
            break
        low, high = (t, high) if miss < 0 else (low, t)
        curvature = float(times @ (sizes**2 * (1 - tanh**2)))
        following = t - miss / curvature if curvature > 0 else math.inf
        # Newton's step, within what is known.
        t = following if low < following < high else (low + high) / 2 if high < math.inf else 2 * t
    return t


def _tail(w: float, v: float) -> float:
    """Return the two-sided p by Barndorff-Nielsen's form of the formula, whose probabilities are never negative."""
    if w < 1e-3 or v <= 0:
        return min(1.0, 2 * _upper(w))
    return min(1.0, max(_LEAST, 2 * _upper(w + math.log(v / w) / w)))


def _upper(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))
