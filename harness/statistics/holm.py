"""Holm's adjustment of p-values, since many tests at once find something by luck."""

from collections.abc import Sequence

import numpy as np

from mmbench.harness.numerics.arrays import Floats


def holm(ps: Sequence[float | None] | Floats) -> Floats:
    """Return (n,) p-values adjusted so that the chance of any false finding stays below the level (Holm 1979).

    A None or NaN is a test that could not be made: it stays NaN and does not count.

    >>> holm([0.01, 0.04, None, 0.03])
    array([0.03, 0.06,  nan, 0.06])
    """
    given = np.array(ps, dtype=np.float64)
    adjusted = np.full(given.shape, np.nan)
    made = np.flatnonzero(~np.isnan(given))
    order = made[np.argsort(given[made], kind="stable")]
    stepped = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted
