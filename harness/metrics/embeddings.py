"""What an embedding space is like: pairs against others, spread, gap of modalities, hubs, rank, likeness of two."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import flag, matrix, number, same_length, same_width, shown, unit, whole
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import TIE

_ROWS = 1024
"""Rows of a block at the most."""

_CELLS = 1 << 23
"""Cells of a table of a block by all others, which is the most that is held beside the vectors."""


class InfoNce(NamedTuple):
    """Cross entropies of finding the partner of each row, in nats."""

    image_to_text: float
    text_to_image: float
    mean: float


def info_nce(x: npt.ArrayLike, y: npt.ArrayLike, scale: float) -> InfoNce:
    """Return the contrastive loss of (n, d) pictures x and (n, d) texts y, of which row i belongs to row i.

    Logits are `scale` (100 in OpenAI's models) times the cosine; the mean of both directions is CLIP's loss. It depends
    on n, ln n for a model that knows nothing: compare it at one n. Sources: van den Oord et al. 2018, arXiv 1807.03748;
    Radford et al. 2021, arXiv 2103.00020. Raises ArgumentError, a ValueError, for a vector of zeros.

    >>> [round(value, 4) for value in info_nce([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]], 1.0)]  # ln(1 + 1/e)
    [0.3133, 0.3133, 0.3133]
    """
    found = [float(np.mean(losses)) for losses in pair_losses(x, y, scale)]
    return InfoNce(found[0], found[1], (found[0] + found[1]) / 2)


def pair_losses(x: npt.ArrayLike, y: npt.ArrayLike, scale: float) -> tuple[Floats, Floats]:
    """Return the (n,) losses of finding y of each x, and x of each y, whose means are those of `info_nce`.

    >>> [losses.round(4).tolist() for losses in pair_losses([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]], 1.0)]
    [[0.3133, 0.3133], [0.3133, 0.3133]]
    """
    one, other = paired(x, y)
    factor = number(scale, "scale")
    own = factor * np.einsum("ij,ij->i", one, other)
    forth, back = _log_sums(one, other, factor)
    return forth - own, back - own


def alignment(x: npt.ArrayLike, y: npt.ArrayLike, alpha: float = 2.0) -> float:
    """Return the mean of |x - y|^alpha over n pairs of (n, d) vectors scaled to length 1; 0 is best.

    Source: Wang and Isola 2020, arXiv 2005.10242. Raises ArgumentError, a ValueError, for a vector of zeros.

    >>> round(alignment([[2.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]), 6)  # 0 and 2
    1.0
    """
    one, other = paired(x, y)
    power = number(alpha, "alpha", 0.0)
    return float(np.mean(np.linalg.norm(one - other, axis=1) ** power))


def uniformity(x: npt.ArrayLike, t: float = 2.0) -> float:
    """Return ln of the mean of exp(-t |xi - xj|^2) over the pairs of (n, d) vectors scaled to length 1.

    0 where all are one vector, lower where they spread. Source as `alignment`. Raises ArgumentError, a ValueError, for
    fewer than 2 rows.

    >>> uniformity([[1.0, 0.0], [0.0, 1.0]])  # squared distance 2
    -4.0
    """
    mean = float(kernel_means(x, t).mean())
    return float(np.log(mean)) if mean else -np.inf


def kernel_means(x: npt.ArrayLike, t: float = 2.0) -> Floats:
    """Return the (n,) means of exp(-t |xi - xj|^2) of each row with the others; ln of their mean is `uniformity`.

    >>> kernel_means([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]).tolist()
    [1.0, 1.0, 1.0]
    """
    made = unit(matrix(x, "x", rows=2), "x")
    rate = number(t, "t", 0.0)
    sums = np.zeros(len(made))
    for block in blocks(len(made), len(made)):
        rows, later = made[block], made[block.start :]
        kernel = np.triu(np.exp(2 * rate * np.minimum(rows @ later.T - 1, 0.0)), k=1)  # each pair once
        sums[block] += kernel.sum(axis=1)
        sums[block.start :] += kernel.sum(axis=0)
    return sums / (len(made) - 1)


def modality_gap(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return the distance of the means of (n, d) and (m, d) vectors scaled to length 1, 0..2.

    Source: Liang et al. 2022, arXiv 2203.02053. Raises ArgumentError, a ValueError, for a vector of zeros.

    >>> modality_gap([[1.0, 0.0], [3.0, 0.0]], [[-1.0, 0.0]])
    2.0
    """
    one, other = matrix(x, "x"), matrix(y, "y")
    same_width(one, other, "x and y")
    return float(np.linalg.norm(unit(one, "x").mean(axis=0) - unit(other, "y").mean(axis=0)))


def k_occurrence(queries: npt.ArrayLike, gallery: npt.ArrayLike, k: int) -> Floats:
    """Return the (m,) times that each of the (m, d) gallery is among the k of largest cosine of one of (n, d) queries.

    Those that tie for the last places share them. Raises ArgumentError, a ValueError; `k` is at most m.

    >>> k_occurrence([[1.0, 0.1], [1.0, 0.2]], [[1.0, 0.0], [0.0, 1.0]], 1).tolist()
    [2.0, 0.0]
    """
    asked, given = matrix(queries, "queries"), matrix(gallery, "gallery")
    same_width(asked, given, "queries and gallery")
    asked, given = unit(asked, "queries"), unit(given, "gallery")
    if whole(k, "k") > len(given):
        raise ArgumentError(f"k is {shown(k)}, and the gallery has {len(given)} vectors; give a k of at most that")
    count = np.zeros(len(given))
    for block in blocks(len(asked), len(given)):
        cosine = asked[block] @ given.T
        last = np.partition(cosine, len(given) - k, axis=1)[:, [len(given) - k]]
        above, level = cosine > last + TIE, np.abs(cosine - last) <= TIE
        share = (k - above.sum(axis=1, keepdims=True)) / level.sum(axis=1, keepdims=True)
        count += above.sum(axis=0) + (level * share).sum(axis=0)
    return count


def hubness(queries: npt.ArrayLike, gallery: npt.ArrayLike, k: int) -> float:
    """Return the skewness of `k_occurrence`: 0 where all are found alike, above 1 where a few hubs answer many queries.

    Population moments; nan where all counts are equal. Source: Radovanovic et al. 2010, JMLR 11.

    >>> round(hubness([[1.0, 0.1]] * 3, [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], 1), 4)
    0.7071
    """
    return skewness(k_occurrence(queries, gallery, k))


def skewness(counts: Floats) -> float:
    """Return the skewness of (m,) counts by population moments; nan where all are equal.

    >>> round(skewness(np.array([3.0, 0.0, 0.0])), 4)
    0.7071
    """
    off = counts - counts.mean()
    spread = float(np.sqrt(np.mean(off**2)))
    return float(np.mean(off**3)) / spread**3 if spread > TIE * max(1.0, float(counts.max())) else float("nan")


def antihubs(queries: npt.ArrayLike, gallery: npt.ArrayLike, k: int) -> float:
    """Return the share of the gallery that is among the k nearest of no query. Source as `hubness`.

    >>> round(antihubs([[1.0, 0.1]] * 3, [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], 1), 4)
    0.6667
    """
    return float(np.mean(k_occurrence(queries, gallery, k) == 0))


def effective_rank(x: npt.ArrayLike, centred: bool = True) -> float:
    """Return exp of the entropy of the singular values of (n, d) vectors over their sum: 1 to min(n, d).

    The mean is taken away first; `centred=False` leaves it, as RankMe does, which is another number. nan where all
    values are 0. Sources: Roy and Vetterli 2007; Garrido et al. 2023, arXiv 2210.02885. Raises ArgumentError.

    >>> round(effective_rank([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 6)
    2.0
    """
    made = matrix(x, "x")
    largest = float(np.abs(made).max()) or 1.0
    middle = (made / largest).mean(axis=0) if flag(centred, "centred") else 0.0
    triangle = np.empty((0, made.shape[1]))
    for block in blocks(len(made), made.shape[1]):  # the triangles of QR have the singular values of all rows so far
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, made[block] / largest - middle]), mode="r"))
    values = np.linalg.svd(triangle, compute_uv=False)
    values = values[values > np.finfo(float).eps * max(made.shape)]  # what centring leaves of equal rows is rounding
    if not len(values):
        return float("nan")
    shares = values / values.sum()
    return float(np.exp(-np.sum(shares * np.log(shares))))


def linear_cka(x: npt.ArrayLike, y: npt.ArrayLike, debiased: bool = False) -> float:
    """Return the likeness of two representations of the same n items, (n, d) and (n, e), 1 for equal up to a rotation.

    Centred. It goes to 1 with d / n whatever the vectors are; `debiased` does not (HSIC by unbiased sums, needs 4 items
    and may be negative). nan where a representation is the same for all items. Sources: Kornblith et al. 2019, arXiv
    1905.00414; Song et al. 2012, JMLR 13. Raises ArgumentError, a ValueError.

    >>> round(linear_cka([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[0.0, 3.0], [-3.0, 0.0], [0.0, 0.0]]), 6)
    1.0
    """
    least = 4 if flag(debiased, "debiased") else 2
    one, other = _centred(x, "x", least), _centred(y, "y", least)
    same_length(("x", one), ("y", other))
    likeness = _unbiased if debiased else _biased
    own = likeness(one, one) * likeness(other, other)
    return likeness(one, other) / float(np.sqrt(own)) if own > 0 else float("nan")


def paired(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return (n, d) pairs of rows scaled to length 1. Raises ArgumentError where they are none."""
    one, other = matrix(x, "x"), matrix(y, "y")
    same_length(("x", one), ("y", other))
    same_width(one, other, "x and y")
    return unit(one, "x"), unit(other, "y")


def blocks(rows: int, others: int) -> Iterator[slice]:
    """Yield the rows of each block, as many as a table of them by so many others may have."""
    step = max(1, min(_ROWS, _CELLS // others))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def _log_sums(x: Floats, y: Floats, factor: float) -> tuple[Floats, Floats]:
    """Return (n,) of each x and (m,) of each y: ln of the sum of exp(factor cosine) over all of the other."""
    rows, top, below = np.empty(len(x)), np.full(len(y), -np.inf), np.zeros(len(y))
    for block in blocks(len(x), len(y)):
        logits = factor * (x[block] @ y.T)
        largest = logits.max(axis=1)
        rows[block] = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
        higher = np.maximum(top, logits.max(axis=0))
        below = below * np.exp(top - higher) + np.exp(logits - higher).sum(axis=0)
        top = higher
    return rows, top + np.log(below)


def _centred(given: npt.ArrayLike, what: str, least: int) -> Floats:
    """Return (n, d) vectors without their mean, of a size near 1; of equal rows exactly zeros are left."""
    made = matrix(given, what, rows=least)
    made = made / (float(np.abs(made).max()) or 1.0)
    centred = made - made.mean(axis=0)
    centred = np.where(np.ptp(made, axis=0) == 0, 0.0, centred)
    return np.asarray(centred / (float(np.abs(centred).max()) or 1.0))


def _biased(x: Floats, y: Floats) -> float:
    return float(np.sum((x.T @ y) ** 2))


def _unbiased(x: Floats, y: Floats) -> float:
    """Return the unbiased estimate of HSIC, times n (n - 3), of two linear kernels without their diagonals.

    The kernels are never made: sums over pairs of items are sums over pairs of features.
    """
    n = len(x)
    own_x, own_y = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    row_x, row_y = x @ x.sum(axis=0) - own_x, y @ y.sum(axis=0) - own_y
    trace = _biased(x, y) - float(own_x @ own_y)
    return trace + float(row_x.sum() * row_y.sum()) / ((n - 1) * (n - 2)) - 2 * float(row_x @ row_y) / (n - 2)
