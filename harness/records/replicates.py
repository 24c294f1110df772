"""Bootstrap resamples shared by all records, so that any two models can be compared on equal resamples."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.records import arrow
from mmbench.harness.records.changes import Keys, cluster_keys
from mmbench.harness.records.measured import Measured

Replicates: TypeAlias = npt.NDArray[np.float32]
"""(REPLICATES,) scores of one record, or (m, REPLICATES) of m."""
Codes: TypeAlias = npt.NDArray[np.intp]

REPLICATES = 1000

_AT_ONCE = 4_000_000
"""Number of weights held in memory at a time."""
_LANES = 4
"""Number of weights made of one random word."""


def poisson_weights(keys: Keys, start: int, count: int) -> Replicates:
    """Return (n, count) how often each cluster is drawn in the replicates from number `start` on.

    The Poisson bootstrap (Hanley and MacGibbon 2006) with weights that are a function of cluster and replicate alone
    (Chamandy, Muralidharan, Najmi and Naidu 2012): 16 bits each of SplitMix64 (Steele, Lea and Flood 2014).

    >>> keys = cluster_keys(["a", "b", "c"], "")
    >>> weights = poisson_weights(keys, 0, 1000)
    >>> bool((poisson_weights(keys[1:], 500, 3) == weights[1:, 500:503]).all())
    True
    """
    first, last = start // _LANES, -(-(start + count) // _LANES)
    words = keys[:, None] + np.arange(first + 1, last + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    lanes = words.astype("<u8", copy=False).view("<u2")
    return np.asarray(_poisson_table()[lanes[:, start - first * _LANES :][:, :count]])


@cache
def _poisson_table() -> Replicates:
    """Return (65536,) the weight for each number of 16 bits."""
    share, below = np.exp(-1.0), 0.0
    bounds = []
    for times in range(1, 9):
        below += share
        bounds.append(round(below * 65536))
        share /= times
    return np.searchsorted(bounds, np.arange(65536), side="right").astype(np.float32)


def replicates(measured: Iterable[Measured], scope: str) -> Replicates:
    """Return (m, REPLICATES) scores of m records of one task, each a resample of clusters.

    Two rows, of this call or another, are made of the same draws wherever the records show the same picture. NaN: a
    resample in which the score is not defined. Draws of a metric over episodes are not resampled.
    """
    known: dict[str, int] = {}
    last: tuple[object, Codes] | None = None
    means: list[tuple[Codes, npt.NDArray[np.float64]] | None] = []
    rows: list[Replicates | None] = []
    for each in measured:
        if each.metric.aggregate is not None:
            means.append(None)
            rows.append(_of_corpus(each, scope))
            continue
        codes = last[1] if last and each.clusters.equals(last[0]) else _codes(each, known)
        last = each.clusters, codes
        means.append((codes, each.table[:, 0]))
        rows.append(None)
    made = iter(_of_means([mean for mean in means if mean], cluster_keys(list(known), scope)))
    return np.array([next(made) if row is None else row for row in rows], np.float32).reshape(-1, REPLICATES)


def _codes(measured: Measured, known: dict[str, int]) -> Codes:
    """Return (n,) numbers of an item's cluster among those known, to which new ones are added."""
    codes, names = arrow.coded(measured.clusters)
    numbers = [known.setdefault(name, len(known)) for name in names]
    return np.asarray(np.array(numbers, np.intp)[codes])


def _of_means(means: Sequence[tuple[Codes, npt.NDArray[np.float64]]], keys: Keys) -> Replicates:
    """Return (m, REPLICATES) means of items, by one product of matrices for all records."""
    table = np.empty((2 * len(means), len(keys)), np.float32)
    for row, (codes, values) in enumerate(means):
        table[row] = np.bincount(codes, values, len(keys))
        table[len(means) + row] = np.bincount(codes, minlength=len(keys))
    total = np.zeros((len(table), REPLICATES))
    for start in range(0, len(keys), _AT_ONCE // REPLICATES):
        block = slice(start, start + _AT_ONCE // REPLICATES)
        total += table[:, block] @ poisson_weights(keys[block], 0, REPLICATES)
    return _quotient(total[: len(means)], total[len(means) :])


def _of_corpus(measured: Measured, scope: str) -> Replicates:
    """Return (REPLICATES,) values of a corpus metric."""
    known: dict[str, int] = {}
    codes = _codes(measured, known)
    keys = cluster_keys(list(known), scope)
    step = max(_LANES, _AT_ONCE // max(len(codes), 1) // _LANES * _LANES)
    parts = []
    for start in range(0, REPLICATES, step):
        drawn = poisson_weights(keys, start, min(step, REPLICATES - start))[codes]
        parts.append(measured.score(np.ascontiguousarray(drawn.T, np.float64)))
    return np.concatenate(parts).astype(np.float32)


def _quotient(top: npt.NDArray[np.float64], bottom: npt.NDArray[np.float64]) -> Replicates:
    return np.asarray(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0), np.float32)
