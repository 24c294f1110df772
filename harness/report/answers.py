"""Answers of one model to a task's items, read as columns because a report scans all of them and shows few."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.items import falls_short
from mmbench.harness.records.measured import Measured, read_measured
from mmbench.harness.regular import regular
from mmbench.harness.tasks.metric import Metric

_ASKED = ("reply", "prompt")
"""Columns that only the rows looked at are read of, since they may be long; older records lack them."""
_COLUMNS = ("id", "status", "prediction", "target", "cluster", "locator", "message", "facts")
_AT_ONCE = 256
"""Items that a corpus metric is asked about one by one in a single call."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The n outcomes of the primary metric's unit."""

    model: str
    measured: Measured
    """Values of the items that were scored."""
    ids: list[str]
    table: Any
    """Arrow table of n rows, for the few that are looked at."""
    values: Floats
    """(n,) value of each item, NaN where it has none."""
    wrong: npt.NDArray[np.bool_]
    """(n,) not answered, or short of the best."""
    path: Path | None = None
    """The outcomes, from which replies and prompts of the few are read."""
    places: npt.NDArray[np.intp] | None = None
    """(n,) rows in that file."""

    def rows(self, chosen: npt.NDArray[np.intp]) -> list[dict[str, Any]]:
        """Return the outcomes in these rows."""
        found: list[dict[str, Any]] = self.table.take(arrow.whole_numbers(chosen)).to_pylist()
        if self.path is None or self.places is None:
            return found
        import pyarrow.parquet as pq

        with pq.ParquetFile(regular(self.path)) as file:
            names = [name for name in _ASKED if name in file.schema_arrow.names]
            asked = file.read(names).take(arrow.whole_numbers(self.places[chosen])).to_pylist() if names else []
        for row, more in zip(found, asked, strict=False):
            row.update({name: cell for name, cell in more.items() if isinstance(cell, str)})
        return found

    def texts(self, column: str) -> list[str | None]:
        """Return the texts of a column."""
        found: list[str | None] = self.table[column].to_pylist()
        return found


def read_answers(entry: Entry, metric: Metric) -> Answers:
    """Return what a record's model answered. Raises DataError when the outcomes are missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    measured = read_measured(entry.path, metric, entry.record.outcomes_digest)
    path = entry.path.with_suffix(".parquet")
    try:
        with pq.ParquetFile(path) as file:
            table = file.read([*_COLUMNS, "unit"])
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a readable table of outcomes ({error}); run the task again") from error
    places = np.flatnonzero([unit == metric.unit for unit in table["unit"].to_pylist()])
    table = table.take(arrow.whole_numbers(places))
    ids = table["id"].to_pylist()
    given = dict(zip(measured.ids.to_pylist(), item_values(measured).tolist(), strict=True))
    values = np.array([given.get(name, np.nan) for name in ids], dtype=np.float64)
    failed = np.array([status != "ok" for status in table["status"].to_pylist()], dtype=bool)
    short = np.array([falls_short(metric, value) for value in values.tolist()], dtype=bool)
    return Answers(entry.record.model, measured, ids, table, values, failed | short, path, places)


def item_values(measured: Measured) -> Floats:
    """Return (n,) values of single items: their own, or the corpus metric over each alone, NaN where undefined."""
    if measured.metric.aggregate is None:
        return measured.table[:, 0]
    blocks = [measured.table[start : start + _AT_ONCE] for start in range(0, len(measured), _AT_ONCE)]
    made = [measured.metric.aggregate(block, np.eye(len(block))) for block in blocks]
    values = np.concatenate(made) if made else np.zeros(0)
    return np.where(np.isfinite(values), values, np.nan)
