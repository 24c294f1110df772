"""Precision, recall, density and coverage of generated vectors, by balls around each vector to its k-th neighbour."""

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import matrix, same_width, shown, squarable, whole
from mmbench.harness.numerics.arrays import Floats

_ROWS = 1024
"""Rows and columns of a block of distances: 8 MB at once, however large the sets are."""

_NEAR = 1e-9
"""Squared distances this close to a squared radius, in parts of the squared lengths, are computed again, all alike."""


def prdc(real: npt.ArrayLike, generated: npt.ArrayLike, k: int = 5) -> dict[str, float]:
    """Return `precision`, `recall`, `density` and `coverage` of (m, d) generated vectors against (n, d) real ones.

    The ball of a vector reaches to its k-th nearest other one of its set, whose surface is outside. Precision: share of
    generated vectors in a ball of a real one; recall: share of real vectors in a ball of a generated one; density: how
    many balls of real ones hold a generated one, over k, may exceed 1; coverage: share of real vectors whose ball holds
    a generated one. `k` is below n and m.

    Source: Naeem et al. 2020, arXiv 2002.09797, and its package prdc. Raises ArgumentError, a ValueError.

    >>> made = prdc([[0.0], [1.0], [2.5]], [[0.5], [9.0], [9.5]], k=1)
    >>> {name: round(value, 3) for name, value in made.items()}
    {'precision': 0.333, 'recall': 1.0, 'density': 0.667, 'coverage': 0.667}
    """
    x, y = matrix(real, "real", rows=2), matrix(generated, "generated", rows=2)
    same_width(x, y, "real and generated")
    squarable(x, y)
    whole(k, "k")
    if k >= min(len(x), len(y)):
        raise ArgumentError(
            f"k is {shown(k)}, and a set has {min(len(x), len(y))} vectors; give a k below the size of each set"
        )
    centre = x.mean(axis=0)  # distances are the same, and round less
    x, y = x - centre, y - centre
    radii_x, radii_y = _radii(x, k), _radii(y, k)
    held = np.zeros(len(y), np.int64)  # balls of real vectors that hold each generated one
    covered, recalled = np.zeros(len(x), bool), np.zeros(len(x), bool)
    for i in range(0, len(x), _ROWS):
        for j in range(0, len(y), _ROWS):
            rows, columns = slice(i, i + _ROWS), slice(j, j + _ROWS)
            near = _squares(x[rows], y[columns])
            inside = _inside(near, x[rows], y[columns], radii_x[rows, None])
            held[columns] += inside.sum(axis=0)
            covered[rows] |= inside.any(axis=1)
            recalled[rows] |= _inside(near, x[rows], y[columns], radii_y[None, columns]).any(axis=1)
    return {
        "precision": float((held > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(held.sum() / (k * len(y))),
        "coverage": float(covered.mean()),
    }


def _squares(x: Floats, y: Floats) -> Floats:
    """Return (n, m) squared distances by way of dot products, which round in the last digits."""
    return np.asarray(np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y) - 2 * (x @ y.T))


def _exact(x: Floats, y: Floats) -> Floats:
    """Return (n,) squared distances of the rows of two (n, d), which come out alike whichever set a row is of."""
    made = np.empty(len(x))
    step = max(1, 2**20 // x.shape[1])
    for start in range(0, len(x), step):
        made[start : start + step] = np.square(x[start : start + step] - y[start : start + step]).sum(axis=1)
    return made


def _radii(x: Floats, k: int) -> Floats:
    """Return the (n,) squared distances to the k-th nearest other row."""
    radii = np.empty(len(x))
    for i in range(0, len(x), _ROWS):
        rows = x[i : i + _ROWS]
        nearest = np.full((len(rows), 0), np.inf)
        where = np.zeros((len(rows), 0), np.int64)
        for j in range(0, len(x), _ROWS):
            squares = _squares(rows, x[j : j + _ROWS])
            own = np.arange(max(i, j), min(i + len(rows), j + squares.shape[1]))
            squares[own - i, own - j] = np.inf
            nearest = np.hstack([nearest, squares])
            where = np.hstack([where, np.broadcast_to(np.arange(j, j + squares.shape[1]), squares.shape)])
            # Two more than asked for, among which rounding may have chosen the k-th.
            if nearest.shape[1] > k + 2:
                kept = np.argpartition(nearest, k + 1, axis=1)[:, : k + 2]
                nearest, where = np.take_along_axis(nearest, kept, 1), np.take_along_axis(where, kept, 1)
        of, found = np.repeat(np.arange(len(rows)), where.shape[1]), where.ravel()
        again = _exact(rows[of], x[found])
        again[found == of + i] = np.inf
        radii[i : i + _ROWS] = np.sort(again.reshape(where.shape), axis=1)[:, k - 1]
    return radii


def _inside(squares: Floats, x: Floats, y: Floats, radii: Floats) -> npt.NDArray[np.bool_]:
    """Return which (n, m) squared distances are below the squared radii; those that rounding could decide, exactly."""
    inside = squares < radii
    size = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y)
    near = np.abs(squares - radii) <= _NEAR * size
    if near.any():
        rows, columns = np.nonzero(near)
        inside[rows, columns] = _exact(x[rows], y[columns]) < np.broadcast_to(radii, squares.shape)[rows, columns]
    return np.asarray(inside)
