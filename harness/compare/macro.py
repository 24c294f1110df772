"""Macro difference: the interval of two runs' mean over tasks whose items may share pictures, at low cost."""

import math
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.measured import Column
from mmbench.harness.statistics.clusters import student_quantile
from mmbench.harness.statistics.estimate import Estimate

GROUPS = 100
"""Groups of clusters, left out one at a time (jackknife); more would narrow the interval by less than 1 %."""


def left_out(statistic: Callable[[Floats], Floats], clusters: Column) -> Floats:
    """Return (1 + GROUPS,) values of a statistic: of all items, then without each random group of clusters.

    `statistic` takes (r, n) item weights and returns (r,) values; `clusters` are (n,) names. A cluster is in the same
    group in every task. NaN: the group has no items of this task; infinite: it has them all.
    """
    encoded = clusters.dictionary_encode()
    names = np.array([zlib.crc32(name.encode()) % GROUPS for name in encoded.dictionary.to_pylist()], np.intp)
    groups = names[arrow.flat(encoded.indices, np.int32)]
    sizes = np.bincount(groups, minlength=GROUPS)
    made = np.full(1 + GROUPS, np.nan)
    made[1:][sizes == len(groups)] = np.inf
    tried = np.flatnonzero((sizes > 0) & (sizes < len(groups)))
    weights = np.ones((1 + len(tried), len(groups)))
    weights[1:] = groups != tried[:, None]
    made[np.concatenate([[0], 1 + tried])] = statistic(weights)
    return made


def macro_mean(values: Sequence[Floats], confidence: float = 0.95) -> Estimate | None:
    """Return the mean over tasks with its interval, from the `left_out` of each task.

    The delete-a-group jackknife (Kott 2001) with Student's quantile. None where one group holds all items of a task, or
    a value is undefined.
    """
    table = np.array(values)
    there = ~np.isnan(table[:, 1:])
    table[:, 1:] = np.where(there, table[:, 1:], table[:, :1])
    means = table.mean(axis=0)
    moved = means[1:][there.any(axis=0)]
    if len(moved) < 2 or not np.isfinite(means).all():
        return None
    variance = (len(moved) - 1) / len(moved) * float(((moved - moved.mean()) ** 2).sum())
    reach = student_quantile(0.5 + confidence / 2, len(moved) - 1) * math.sqrt(variance)
    mean = float(means[0])
    return Estimate(mean, mean - reach, mean + reach)
