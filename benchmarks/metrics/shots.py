"""Learning-curve metrics: gain per shot, and the number of shots that beats zero-shot."""

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import numbers, vector
from mmbench.harness.numerics.arrays import Floats

_ROUNDING = 1e-9
"""Two means of the same hits, added up in two orders, differ by less."""


def area_under_shots(shots: npt.ArrayLike, values: npt.ArrayLike) -> Floats:
    """Return the area under values over log2(shots), divided by the width: a mean that counts each doubling alike.

    `shots` is (k,), increasing; `values` is (..., k). Returns (...). One number of shots is its own mean.

    >>> area_under_shots(np.array([1.0, 2.0, 8.0]), np.array([[0.2, 0.4, 0.8]])).round(6)
    array([0.5])
    """
    shots, values = _curves(shots, values)
    if len(shots) == 1:
        return np.asarray(values[..., 0])
    steps = np.diff(np.log2(shots))
    return np.asarray(((values[..., 1:] + values[..., :-1]) / 2 @ steps) / steps.sum())


def shots_to_reach(shots: npt.ArrayLike, values: npt.ArrayLike, level: npt.ArrayLike) -> Floats:
    """Return how many shots a learning curve takes to reach a level, between two shots by log-linear interpolation.

    `shots` is (k,), increasing; `values` is (b, k); `level` is (b,). Returns (b,): the first shots where the curve
    begins above the level, nan where it never reaches it (Radford et al. 2021, 3.2, data efficiency).

    >>> shots_to_reach(np.array([1.0, 4.0]), np.array([[0.2, 0.6], [0.2, 0.3], [0.5, 0.6]]), np.array([0.4, 0.4, 0.4]))
    array([ 2., nan,  1.])
    """
    shots, values = _curves(shots, values)
    wanted_levels = numbers(level, "levels")
    if values.ndim != 2 or wanted_levels.shape != values.shape[:1]:
        raise ArgumentError(f"values are of shape {values.shape}; give (b, k) and a level for each of b curves")
    found = np.full(len(values), np.nan)
    for row, (curve, wanted) in enumerate(zip(values, wanted_levels, strict=True)):
        reached = np.flatnonzero(curve >= wanted - _ROUNDING)
        if not len(reached):
            continue
        at = int(reached[0])
        found[row] = shots[at]
        if at:
            share = min((wanted - curve[at - 1]) / (curve[at] - curve[at - 1]), 1.0)
            found[row] = 2 ** (np.log2(shots[at - 1]) + share * np.log2(shots[at] / shots[at - 1]))
    return found


def _curves(shots: npt.ArrayLike, values: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the (k,) shots and the (..., k) values."""
    at, made = vector(shots, "shots"), numbers(values, "values")
    if at[0] <= 0 or (np.diff(at) <= 0).any():
        raise ArgumentError("shots are above 0, each more than the one before")
    if not made.ndim or made.shape[-1] != len(at):
        raise ArgumentError(f"values are of shape {made.shape}; give one for each of {len(at)} numbers of shots")
    return at, made
