"""Answers of one model to a task's items, of which a report scans a few columns and shows a few rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.items import falls_short
from mmbench.harness.records.measured import Measured, read_measured
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome

_SAID = ("status", "prediction", "target")
"""Columns that are read of every item, besides what it scored."""
_AT_ONCE = 256
"""Items that a corpus metric is asked about one by one in a single call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model made of one item."""

    outcome: Outcome
    value: float
    """NaN where it has none."""
    wrong: bool
    """Not answered, or short of the best."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The n outcomes of the primary metric's unit."""

    entry: Entry
    measured: Measured
    """Values of the items that were scored."""
    ids: list[str]
    said: Mapping[str, Any]
    """Arrow columns of n texts: `status`, `prediction` and `target`."""
    values: Floats
    """(n,) value of each item, NaN where it has none."""
    wrong: npt.NDArray[np.bool_]
    """(n,) not answered, or short of the best."""
    places: npt.NDArray[np.intp]
    """(n,) rows in the file, which ascend."""

    @property
    def model(self) -> str:
        """Label of the model."""
        return self.entry.record.model

    def read(self, rows: Sequence[int]) -> dict[str, Answer]:
        """Read the few answers in these rows whole, by id. Raises DataError when the outcomes are damaged."""
        chosen = np.sort(np.asarray(rows, dtype=np.intp))
        with open_outcomes(self.entry.path, self.entry.record.outcomes_digest) as table:
            found = table.rows(self.places[chosen].tolist())
        return {
            outcome.id: Answer(outcome, float(self.values[row]), bool(self.wrong[row]))
            for outcome, row in zip(found, chosen.tolist(), strict=True)
        }


def read_answers(entry: Entry, metric: Metric) -> Answers:
    """Return what a record's model answered. Raises DataError when the outcomes are missing or damaged."""
    measured = read_measured(entry.path, entry.record, metric)
    with open_outcomes(entry.path, entry.record.outcomes_digest) as held:
        table = held.columns(["id", "unit", *_SAID])
        places = np.flatnonzero(arrow.equal(table["unit"], metric.unit))
        table = table.take(arrow.whole_numbers(places))
        ids = table["id"].to_pylist()
        failed = ~arrow.equal(table["status"], "ok")
        said = {name: table[name].cast("large_string").dictionary_encode() for name in _SAID}
    given = dict(zip(measured.ids.to_pylist(), item_values(measured).tolist(), strict=True))
    values = np.array([given.get(name, np.nan) for name in ids], dtype=np.float64)
    short = np.array([falls_short(metric, value) for value in values.tolist()], dtype=bool)
    return Answers(entry, measured, ids, said, values, failed | short, places)


def item_values(measured: Measured) -> Floats:
    """Return (n,) values of single items: their own, or the corpus metric over each alone, NaN where undefined."""
    if measured.metric.aggregate is None:
        return measured.table[:, 0]
    blocks = [measured.table[start : start + _AT_ONCE] for start in range(0, len(measured), _AT_ONCE)]
    made = [measured.metric.aggregate(block, np.eye(len(block))) for block in blocks]
    values = np.concatenate(made) if made else np.zeros(0)
    return np.where(np.isfinite(values), values, np.nan)
