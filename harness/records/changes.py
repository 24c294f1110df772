"""Paired tests of two records, the same for every command: of one metric, and of the mean over tasks."""

import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.measured import Measured
from mmbench.harness.statistics.clusters import Codes
from mmbench.harness.statistics.estimate import Ends, Estimate
from mmbench.harness.statistics.means_of_tasks import macro_average
from mmbench.harness.statistics.paired import Paired, agreeing, paired_changes, paired_corpus
from mmbench.harness.statistics.permutation import lower_tail, sign_flip
from mmbench.harness.statistics.shares import share_changes, share_reaches

Keys = npt.NDArray[np.uint64]

GROUPS = 100
"""Groups of clusters, left out in turn where a metric is no proportion (delete-a-group jackknife, Kott 2001)."""
_DIGEST = re.compile(r"[0-9a-f]{32}")


def cluster_keys(names: Iterable[str], scope: str) -> Keys:
    """Return (n,) numbers that stand for clusters wherever they are met.

    The digest of a picture means the same in every task; any other name (a row number) only within `scope`.

    >>> picture = "0123456789abcdef" * 2
    >>> bool(cluster_keys([picture], "digits")[0] == cluster_keys([picture], "pets")[0])
    True
    >>> bool(cluster_keys(["7"], "digits")[0] == cluster_keys(["7"], "pets")[0])
    False
    """
    known = (name if _DIGEST.fullmatch(name) else f"{scope}/{name}" for name in names)
    hashed = b"".join(hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest() for name in known)
    return np.frombuffer(hashed, "<u8").astype(np.uint64)


def compared(a: Measured, b: Measured, confidence: float = 0.95) -> Paired | None:
    """Return how much the second of two runs has more of a metric, on the same items; None where one is undefined."""
    metric, n = a.metric, len(a)
    if metric.aggregate is None:
        reach = 1.0 if metric.proportion or bool(np.isin((a.table, b.table), (0.0, 1.0)).all()) else None
        return paired_changes(b.table[:, 0] - a.table[:, 0], a.codes(), confidence=confidence, reach=reach)
    once = np.ones((1, n))
    if not np.isfinite([a.score(once)[0], b.score(once)[0]]).all():
        return None
    if metric.shares is not None:
        first, second = metric.shares(a.table), metric.shares(b.table)
        change, reaches = share_changes(first, second), share_reaches(first, second)
        return paired_changes(change, a.codes(), confidence=confidence, reach=reaches)
    if metric.best is None or not metric.smooth:
        return paired_corpus(metric.aggregate, a.table, b.table, a.codes(), confidence=confidence)
    groups = _groups(a)
    change = _left_out(b, groups) - _left_out(a, groups)
    reach = 1.0 if metric.proportion else None
    return paired_changes(change, np.arange(len(change)), confidence=confidence, reach=reach, n=n)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one task of a record adds to a mean over tasks, cluster by cluster."""

    keys: Keys
    """(clusters,) of `cluster_keys`."""
    sums: Floats
    """(clusters,) whose sum is the score."""

    def scaled(self, by: float) -> "Part":
        """Return the same on another scale."""
        return Part(self.keys, self.sums * by)


def part(measured: Measured, scope: str, keys: Keys | None = None) -> Part:
    """Return what clusters add to a score, linearised where it is no mean; `keys`, where they are known already."""
    metric = measured.metric
    if metric.aggregate is not None and metric.shares is None:
        groups = _groups(measured)
        values = _left_out(measured, groups)
        return Part(cluster_keys((f"group {i}" for i in range(len(values))), scope), values / len(values))
    values = measured.table[:, 0]
    if metric.aggregate is not None and metric.shares is not None:
        shares = metric.shares(measured.table)
        score = float(measured.score(np.ones((1, len(measured))))[0])
        values = (
            score + len(values) * shares.slope * (shares.hits - shares.share * shares.weights) / shares.weights.sum()
        )
    codes, names = arrow.coded(measured.clusters)
    if keys is None:
        keys = cluster_keys(names, scope)
    return Part(keys, np.bincount(codes, values, minlength=len(keys)) / len(values))


def pooled(tests: Sequence[Paired], parts: Sequence[tuple[Part, Part]], confidence: float = 0.95) -> Paired:
    """Return the comparison of two runs' means over tasks, of `tests` on each and what either run's clusters add.

    All are on one scale, such as that from chance to best. Of one task it is that task's own. Of several p flips the
    signs of pictures, each over all tasks that show it; the interval joins those of the tasks by the correlation of
    what pictures add to them (Zou and Donner 2008). Nothing cancels among tasks that show the same pictures and in
    which nothing changed.
    """
    if len(tests) == 1:
        return tests[0]
    keys, places = np.unique(np.concatenate([one.keys for one, _ in parts]), return_inverse=True)
    starts = np.cumsum([0, *(len(one.keys) for one, _ in parts)])
    held = [places[start:end] for start, end in pairwise(starts)]
    rows = np.zeros((len(parts), len(keys)))
    for row, there, (one, other) in zip(rows, held, parts, strict=True):
        row[there] = other.sums - one.sums
    total = rows.sum(axis=0)
    value = fmean(test.value for test in tests)
    p = sign_flip(total)
    together = _correlation(rows, held)

    def at(level: float) -> Ends:
        ends = [test.ends(level) for test in tests]
        made = macro_average(
            [Estimate(test.value, *(each or (None, None))) for test, each in zip(tests, ends, strict=True)], together
        )
        return None if made.low is None or made.high is None else (made.low, made.high)

    low, high = agreeing(at(confidence), value, p, confidence) or (None, None)
    n = sum(test.n for test in tests)
    return Paired(value, low, high, p, lower_tail(p, value), n, len(keys), at)


def _correlation(rows: Floats, places: Sequence[Codes]) -> Floats:
    """Return (t, t) correlations of what clusters add to t tasks, 0 where none is shared, 1 where nothing varies."""
    made = np.eye(len(rows))
    centred = []
    for row, held in zip(rows, places, strict=True):
        kept = np.zeros_like(row)
        kept[held] = row[held] - row[held].mean()
        centred.append(kept)
    norms = [float(np.sqrt(each @ each)) for each in centred]
    for i, one in enumerate(centred):
        for j in range(i):
            if not np.intersect1d(places[i], places[j], assume_unique=True).size:
                continue
            known = norms[i] > 0 and norms[j] > 0
            alike = float(one @ centred[j]) / (norms[i] * norms[j]) if known else float(norms[i] == norms[j])
            made[i, j] = made[j, i] = alike
    return made


def _groups(measured: Measured) -> Codes:
    """Return (n,) numbers of groups of clusters, which are alike for all records that show them."""
    codes, names = arrow.coded(measured.clusters)
    groups: Codes = codes.astype(np.intp)
    if len(names) > GROUPS:
        hashed = np.array([zlib.crc32(name.encode(errors="replace")) for name in names])
        ranks = np.argsort(np.argsort(hashed, kind="stable"), kind="stable")
        groups = (ranks % GROUPS)[codes]
    return groups


def _left_out(measured: Measured, groups: Codes) -> Floats:
    """Return (groups,) pseudo-values of a score, whose mean is made to be the score (Tukey 1958)."""
    count = int(groups.max()) + 1
    made = [float(measured.score((groups != i)[None, :].astype(np.float64))[0]) for i in range(count)]
    score = float(measured.score(np.ones((1, len(groups))))[0])
    values = count * score - (count - 1) * np.array(made)
    values[~np.isfinite(values)] = score
    return np.asarray(values + score - values.mean())
