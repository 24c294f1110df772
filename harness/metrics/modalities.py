"""Two modalities in one space: sigmoid loss of their pairs, how far each is a cone, whether a plane parts them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import matrix, number, same_width, shown, unit, whole
from mmbench.harness.metrics.embeddings import blocks, paired
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import TIE


class Separability(NamedTuple):
    """Shares of two sets that lie nearer to the mean of their own set."""

    x: float
    y: float
    mean: float


def sigmoid_loss(x: npt.ArrayLike, y: npt.ArrayLike, scale: float, bias: float) -> float:
    """Return SigLIP's loss of (n, d) pictures x and (n, d) texts y, of which row i belongs to row i, in nats.

    The cross entropy of whether each x and each y belong together, by logits scale × cosine + bias, summed over all
    n² and divided by n. It depends on n. Source: Zhai et al. 2023, arXiv 2303.15343. Raises ArgumentError, a
    ValueError, for a vector of zeros.

    >>> round(sigmoid_loss([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]], 2.0, -1.0), 4)  # 2 ln(1 + 1/e)
    0.6265
    """
    one, other = paired(x, y)
    factor, shift = number(scale, "scale"), number(bias, "bias")
    total = 0.0
    for block in blocks(len(one), len(other)):
        logits = factor * (one[block] @ other.T) + shift
        own = np.arange(len(logits))
        logits[own, block.start + own] *= -1  # the one that belongs to it; all others must not
        total += float(np.logaddexp(0.0, logits).sum())
    return total / len(one)


def anisotropy(x: npt.ArrayLike) -> float:
    """Return the mean cosine of the pairs of distinct rows of (n, d) vectors: 0 in all directions, 1 for one alone.

    Source: Ethayarajh 2019, arXiv 1909.00512. Raises ArgumentError, a ValueError, for fewer than 2 rows.

    >>> anisotropy([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]])  # 1, 0 and 0
    0.3333333333333333
    """
    return float(cosine_means(x).mean())


def cosine_means(x: npt.ArrayLike) -> Floats:
    """Return the (n,) mean cosines of each row to the others, whose mean is `anisotropy`.

    >>> cosine_means([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]]).tolist()
    [0.5, 0.5, 0.0]
    """
    made = unit(matrix(x, "x", rows=2), "x")
    return np.asarray((made @ made.sum(axis=0) - np.einsum("ij,ij->i", made, made)) / (len(made) - 1))


def modality_separability(x: npt.ArrayLike, y: npt.ArrayLike, folds: int | None = None) -> Separability:
    """Return the share of (n, d) and of (m, d) vectors, scaled to length 1, nearer to their own mean than the other's.

    The linear classifier of nearest means, each modality weighing alike in `mean`: 1 where a plane parts them, 0.5 in
    expectation where nothing does. Vectors are judged by means that they are part of, which flatters small n; with
    `folds` (row i is of fold i modulo `folds`) by the means of the other folds. One as near to both counts half.
    Source: Liang et al. 2022, arXiv 2203.02053, who train such a classifier. Raises ArgumentError, a ValueError.

    >>> modality_separability([[1.0, 0.0], [1.0, 0.1]], [[0.0, 1.0], [0.1, 1.0]], folds=2)
    Separability(x=1.0, y=1.0, mean=1.0)
    """
    one, other = matrix(x, "x"), matrix(y, "y")
    same_width(one, other, "x and y")
    one, other = unit(one, "x"), unit(other, "y")
    if folds is not None and whole(folds, "folds", 2) > min(len(one), len(other)):
        least = min(len(one), len(other))
        raise ArgumentError(f"folds are {shown(folds)}, and there are {least} rows; give at most as many")
    shares = _nearer(one, other, folds), _nearer(other, one, folds)
    return Separability(*shares, (shares[0] + shares[1]) / 2)


def _nearer(own: Floats, other: Floats, folds: int | None) -> float:
    """Return the share of rows that are nearer to the mean of their own set."""
    hits = np.empty(len(own))
    for fold in range(folds or 1):
        held = slice(fold, None, folds)
        mine, theirs = (_mean(rows, None if folds is None else held) for rows in (own, other))
        # The difference of squared distances, without the squares that cancel.
        lead = 2 * own[held] @ (mine - theirs) - (mine @ mine - theirs @ theirs)
        hits[held] = np.where(np.abs(lead) <= TIE, 0.5, lead > 0)
    return float(hits.mean())


def _mean(rows: Floats, without: slice | None) -> Floats:
    """Return the mean of all rows, or of those outside a fold."""
    if without is None:
        return np.asarray(rows.mean(axis=0))
    return np.asarray((rows.sum(axis=0) - rows[without].sum(axis=0)) / (len(rows) - len(rows[without])))
