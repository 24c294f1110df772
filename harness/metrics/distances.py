"""Distances between two sets of vectors, real and generated: Fréchet, kernel (MMD) and CMMD, in blocks of rows."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mmbench.harness.metrics.arguments import matrix, same_width, squarable, unit
from mmbench.harness.numerics.arrays import Floats

_ROWS = 2048
"""Rows of a block; a table of the block by the other set's block is all that is held beside the sets."""

CMMD_SIGMA = 10.0
CMMD_SCALE = 1000.0
"""Width of the Gaussian kernel and the factor of CMMD, as in its script."""


def frechet_distance(real: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Return the squared Fréchet distance of the normal laws of (n, d) and (m, d) vectors; 0 for equal moments.

    |mean difference|^2 + tr(S + T - 2 (S T)^(1/2)) with covariances S, T over n - 1. It is FID only for vectors of the
    Inception network and its resizing. Biased upwards by about 1 / n: compare it at one n, well above d. The root is
    taken without squaring the vectors, so that singular covariances (n <= d) are as exact as others.

    Source: Heusel et al. 2017, arXiv 1706.08500. Raises ArgumentError, a ValueError, for fewer than 2 rows.

    >>> frechet_distance([[0.0], [2.0]], [[1.0], [5.0]])  # means 1 and 3, deviations 2 ** .5 and 8 ** .5
    6.0
    """
    x, y = _pair(real, generated, rows=2)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    root_x, root_y = _root(x - mean_x), _root(y - mean_y)
    # tr (S T)^(1/2) is the sum of the singular values of R Q', where S = R'R and T = Q'Q.
    shared = np.linalg.svd(root_x @ root_y.T, compute_uv=False).sum()
    squares = float(np.sum(root_x**2) + np.sum(root_y**2))
    return max(0.0, float(np.sum((mean_x - mean_y) ** 2)) + squares - 2 * float(shared))


def kernel_distance(real: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Return the squared maximum mean discrepancy of whole sets with the kernel (x.y / d + 1)^3, unbiased.

    Arguments as `frechet_distance`. It may be negative for sets of one law. Scripts of KID give the mean over random
    subsets, which estimates the same. Source: Binkowski et al. 2018, arXiv 1801.01401.

    >>> kernel_distance([[0.0], [0.0]], [[1.0], [1.0]])  # 1 + 8 - 2
    7.0
    """
    x, y = _pair(real, generated, rows=2)
    width = x.shape[1]

    def kernel(a: Floats, b: Floats) -> Floats:
        return np.asarray((a @ b.T / width + 1.0) ** 3)

    def of_itself(z: Floats) -> float:
        diagonal = float(np.sum((np.einsum("ij,ij->i", z, z) / width + 1.0) ** 3))
        return (_sum(kernel, z, z) - diagonal) / (len(z) * (len(z) - 1))

    return of_itself(x) + of_itself(y) - 2 * _sum(kernel, x, y) / (len(x) * len(y))


def cmmd(real: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Return 1000 times the squared maximum mean discrepancy of the vectors scaled to length 1, Gaussian of sigma 10.

    (n, d) and (m, d) vectors, of CLIP ViT-L/14@336 in the paper. Biased as in its script: the diagonal counts. Source:
    Jayasumana et al. 2024, arXiv 2401.09603, and distance.py of github.com/google-research/google-research/cmmd. Raises
    ArgumentError, a ValueError, for a vector of zeros.

    >>> round(cmmd([[1.0, 0.0]], [[0.0, 2.0]]), 4)  # 2000 (1 - exp(-2 / 200))
    19.9003
    """
    x, y = _pair(real, generated, rows=1)
    x, y = unit(x, "real"), unit(y, "generated")

    def kernel(a: Floats, b: Floats) -> Floats:
        # 1 less the kernel, as nearly all of it is 1: what sums lose of ones would be counted a thousandfold.
        return np.asarray(-np.expm1((a @ b.T - 1.0) / CMMD_SIGMA**2))

    apart = 2 * _sum(kernel, x, y) / (len(x) * len(y))
    together = _sum(kernel, x, x) / len(x) ** 2 + _sum(kernel, y, y) / len(y) ** 2
    return CMMD_SCALE * (apart - together)


def _pair(real: npt.ArrayLike, generated: npt.ArrayLike, rows: int) -> tuple[Floats, Floats]:
    x, y = matrix(real, "real", rows=rows), matrix(generated, "generated", rows=rows)
    same_width(x, y, "real and generated")
    squarable(x, y)
    return x, y


def _root(centred: Floats) -> Floats:
    """Return (at most d, d) R with R'R the covariance of centred (n, d) rows, a block of rows at a time."""
    made = centred[:0]
    step = max(_ROWS, centred.shape[1])
    for start in range(0, len(centred), step):
        made = np.asarray(np.linalg.qr(np.vstack([made, centred[start : start + step]]), mode="r"), np.float64)
    return np.asarray(made / np.sqrt(len(centred) - 1))


def _sum(kernel: Callable[[Floats, Floats], Floats], x: Floats, y: Floats) -> float:
    """Return the sum of a kernel over all pairs of rows."""
    starts = [(i, j) for i in range(0, len(x), _ROWS) for j in range(0, len(y), _ROWS)]
    return float(sum(float(kernel(x[i : i + _ROWS], y[j : j + _ROWS]).sum()) for i, j in starts))
