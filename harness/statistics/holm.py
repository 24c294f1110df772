"""Holm's adjustment of p-values, since many tests at once find something by luck."""

from collections.abc import Sequence

import numpy as np

from mmbench.harness.numerics.arrays import Floats


def holm(ps: Sequence[float | None] | Floats, weights: Sequence[float] | None = None) -> Floats:
    """Return (n,) p-values adjusted so that the chance of any false finding stays below the level (Holm 1979).

    A None or NaN is a test that could not be made: it stays NaN and does not count. `weights` are positive: a test of
    twice the weight is given twice the level, as in Holm's paper.

    >>> holm([0.01, 0.04, None, 0.03])
    array([0.03, 0.06,  nan, 0.06])
    >>> holm([0.01, 0.04, 0.03], weights=[2.0, 1.0, 1.0])
    array([0.02, 0.06, 0.06])
    """
    given, shares, order = _stepped(ps, weights)
    adjusted = np.full(given.shape, np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] / shares))
    return adjusted


def holm_levels(ps: Sequence[float | None] | Floats, alpha: float, weights: Sequence[float] | None = None) -> Floats:
    """Return (n,) the level at which each test was judged: p is below it where the adjusted p is below `alpha`.

    That of a finding is the level of its step; what is not found has its share of what is then left. An interval of
    one less the level says what the adjusted test says (Serlin 1993; of what is not found Strassburger and Bretz 2008).
    NaN where no test was made.

    >>> holm_levels([0.01, 0.04, None, 0.03], 0.06).round(3)
    array([0.02, 0.03,  nan, 0.03])
    """
    given, shares, order = _stepped(ps, weights)
    levels = np.full(given.shape, np.nan)
    found = np.maximum.accumulate(given[order] / shares) < alpha
    left = order[~found]
    levels[order[found]] = alpha * shares[found]
    if len(left):
        heavy = _weights(given, weights)[left]
        levels[left] = alpha * heavy / heavy.sum()
    return levels


def _stepped(
    ps: Sequence[float | None] | Floats, weights: Sequence[float] | None
) -> tuple[Floats, Floats, "np.ndarray"]:
    """Return the p-values, and in the order of the steps the share of the level that each is given, and its number."""
    given = np.array(ps, dtype=np.float64)
    heavy = _weights(given, weights)
    made = np.flatnonzero(~np.isnan(given))
    order = made[np.argsort(given[made] / heavy[made], kind="stable")]
    left = np.cumsum(heavy[order][::-1])[::-1]
    return given, heavy[order] / left, order


def _weights(given: Floats, weights: Sequence[float] | None) -> Floats:
    return np.ones(given.shape) if weights is None else np.asarray(weights, np.float64)
