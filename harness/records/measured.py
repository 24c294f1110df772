"""Measured values of one metric of a record, item by item, read without a Python object for each item."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.tasks.metric import Metric

Column: TypeAlias = Any
"""An Arrow array."""

_ROUNDING = 1e-6
"""By how much one value may differ that was added up in two orders."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The n items that a metric was scored on."""

    metric: Metric
    ids: Column
    """(n,) names of the items, unique."""
    clusters: Column
    """(n,) what items that are not independent share."""
    table: Floats
    """(n, 1) per-item values, or the (n, k) statistics of a corpus metric."""

    def __len__(self) -> int:
        return len(self.ids)

    def score(self, weights: Floats) -> Floats:
        """Return (r,) values of the metric under (r, n) item weights."""
        if self.metric.aggregate is not None:
            return self.metric.aggregate(self.table, weights)
        return np.asarray(weights @ self.table[:, 0] / weights.sum(axis=1))

    def codes(self) -> npt.NDArray[np.integer]:
        """Return (n,) numbers of the clusters, for what takes clusters."""
        return arrow.coded(self.clusters)[0]

    def take(self, rows: npt.NDArray[np.intp]) -> "Measured":
        """Return some of the items."""
        chosen = arrow.whole_numbers(rows)
        return replace(self, ids=self.ids.take(chosen), clusters=self.clusters.take(chosen), table=self.table[rows])

    def beside(self, other: "Measured") -> "Measured":
        """Return the same, whose items are clustered as those of another record are."""
        return replace(self, ids=other.ids, clusters=other.clusters)


def read_measured(path: Path, record: Record, metric: Metric) -> Measured:
    """Return what a metric of the record at this path is made of: the items that are no `error` and have it.

    Raises DataError when the outcomes beside the record are missing or damaged, or come to another value than the
    record states: a package that reads its own statistics otherwise than it wrote them would turn every comparison.
    """
    made = _read(path, metric, record.outcomes_digest)
    stated = next((score.value for score in record.scores if score.metric == metric.name), None)
    if stated is not None and not math.isclose(_value(made), stated, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        raise DataError(
            f"{path} states {stated:.6g} of {metric.name}, and its items come to another value here: they were "
            "written by another version of what scores them; run the task again"
        )
    return made


def _value(measured: Measured) -> float:
    """Return what all items come to; NaN where the metric cannot read them."""
    try:
        return float(measured.score(np.ones((1, len(measured))))[0]) if len(measured) else math.nan
    except (ArithmeticError, LookupError, ValueError):
        return math.nan


def _read(record: Path, metric: Metric, digest: str | None) -> Measured:
    path = record.with_suffix(".parquet")
    part = "values" if metric.aggregate is None else "statistics"
    with open_outcomes(record, digest) as held:
        if held.schema.field(part).type.get_field_index(metric.name) < 0:
            raise DataError(f"{path} holds nothing of {metric.name}; run the task again")
        table = held.columns(["id", "status", "unit", "cluster", f"{part}.{metric.name}"])
        parts = table[part].combine_chunks()
        made = parts.flatten()[parts.type.get_field_index(metric.name)]
        counted = arrow.equal(table["unit"], metric.unit) & ~arrow.equal(table["status"], "error") & arrow.present(made)
        _check_numbers(made, path, listed=metric.aggregate is not None)
        if table["cluster"].null_count or table["id"].null_count or not _texts(table):
            raise DataError(f"{path} holds items without id or cluster; run the task again")
        rows = np.flatnonzero(counted)
        ids, clusters = (arrow.taken(table[name].combine_chunks(), rows) for name in ("id", "cluster"))
        values = arrow.flat(made, np.float64)[rows, None] if metric.aggregate is None else _rows(made, rows, path)
    return Measured(metric, ids, clusters, values)


def _texts(table: Column) -> bool:
    """Tell whether the names in a table are texts, short or long."""
    import pyarrow as pa

    held = (table[name].type for name in ("id", "cluster"))
    return all(pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in held)


def _check_numbers(column: Column, path: Path, *, listed: bool) -> None:
    """Raise DataError where a column's buffers, which are read as they are, hold other than 64-bit numbers."""
    import pyarrow as pa

    numbers = pa.float64()
    if column.type != (pa.list_(numbers) if listed else numbers) or (listed and column.values.null_count):
        raise DataError(f"{path} holds other than numbers where scores are; run the task again")
    held = arrow.flat(column.values, np.float64) if listed else arrow.flat(column, np.float64)[arrow.present(column)]
    if not np.isfinite(held).all():
        raise DataError(f"{path} holds other than finite numbers where scores are; run the task again")


def shared(a: Measured, b: Measured) -> tuple[Measured, Measured]:
    """Return the items that both were scored on, in the order of `a`."""
    if a.ids.equals(b.ids):
        return a, b
    there = {name: row for row, name in enumerate(b.ids.to_pylist())}
    pairs = [(row, there[name]) for row, name in enumerate(a.ids.to_pylist()) if name in there]
    rows = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return a.take(rows[:, 0]), b.take(rows[:, 1])


def _rows(column: Column, rows: npt.NDArray[np.intp], path: Path) -> Floats:
    """Return (n, k) of n rows of a column of lists of k numbers."""
    if not len(rows):
        return np.zeros((0, 1))
    ends = arrow.flat(column.offsets, np.int32)
    sizes = np.diff(ends)[rows]
    if (sizes != sizes[0]).any():
        raise DataError(f"{path} holds statistics of unlike lengths; run the task again")
    return np.asarray(arrow.flat(column.values, np.float64)[ends[rows, None] + np.arange(sizes[0])])
