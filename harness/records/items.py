"""Items of a run selected for display: of one task, the wrong ones, the first few."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmbench.harness.records.entry import Entry
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.records.selection import Selection
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.tasks.task_names import expanded, is_file, of_records
from mmbench.harness.types import Outcome

_CLOSE = 1e-9
"""What sums of floats are off by."""


@dataclass(frozen=True, slots=True)
class Items:
    """Items of one task."""

    entry: Entry
    metric: Metric
    """The primary one, which says what is wrong."""
    outcomes: tuple[Outcome, ...]
    """Those to show, in the order of the data, up to the limit."""
    found: int
    """How many there are without a limit."""


def find_items(
    selection: Selection, task: str | None = None, *, wrong: bool = False, limit: int | None = None
) -> list[Items]:
    """Return the items of each task of a run, or of one task; with `wrong` those that fell short or were not answered.

    No more than the first `limit` of a task are read whole. Raises UsageError for a task that the run does not have,
    DataError where outcomes cannot be read.
    """
    # A record file of a control names that control; elsewhere items are those that were asked with their own pictures.
    entries = list(selection.own().values()) or list(selection.entries)
    return [_items(entry, wrong=wrong, limit=limit) for entry in of_task(entries, task)]


def _items(entry: Entry, *, wrong: bool, limit: int | None) -> Items:
    metric = metric_named(entry.record.family, entry.record.primary.metric)
    with open_outcomes(entry.path, entry.record.outcomes_digest) as table:
        chosen: Sequence[int] = range(len(table))
        if wrong:
            chosen = [row for row, outcome in enumerate(table.scored(metric.name)) if is_wrong(metric, outcome)]
        return Items(entry, metric, tuple(table.rows(chosen[:limit])), len(chosen))


def of_task(entries: Sequence[Entry], task: str | None) -> list[Entry]:
    """Return the records of one task, or all. Raises UsageError where there is none."""
    if task is None:
        return list(entries)
    named = of_records([task], (entry.record.reference for entry in entries), "the run")
    return [entry for entry in entries if entry.record.reference in named]


def task_files(names: Sequence[str | None]) -> list[Path]:
    """Return those names that are task files, not names of the catalogue."""
    return [Path(file) for name in names if name and is_file(name) for file in expanded([name])]


def is_wrong(metric: Metric, outcome: Outcome) -> bool:
    """Tell whether an item was not answered, or its value falls short of the best there is.

    >>> metric = Metric("accuracy", "")
    >>> is_wrong(metric, Outcome("1", "ok", "cat", "dog", {"accuracy": 0.0}))
    True
    >>> is_wrong(metric, Outcome("2", "ok", "dog", "dog", {"accuracy": 1.0}))
    False
    """
    if outcome.status != "ok":
        return True
    value = item_value(metric, outcome)
    return value is not None and falls_short(metric, value)


def falls_short(metric: Metric, value: float) -> bool:
    """Tell whether a value is worse than the best; False where a metric has no best value or no better end.

    >>> falls_short(Metric("accuracy", ""), 0.9), falls_short(Metric("cider", "", best=None), 0.9)
    (True, False)
    """
    if metric.best is None or metric.higher_is_better is None:
        return False
    return value < metric.best - _CLOSE if metric.higher_is_better else value > metric.best + _CLOSE


def other_reply(outcome: Outcome) -> str | None:
    """Return the reply, where it differs from what was read of it; else None.

    >>> [other_reply(Outcome("1", "ok", "cat", "dog", {}, reply=reply)) for reply in ("(a)", "cat", None)]
    ['(a)', None, None]
    """
    return None if outcome.reply == outcome.prediction else outcome.reply


def item_value(metric: Metric, outcome: Outcome) -> float | None:
    """Return what a metric gives one item: its own value, else the corpus metric over it alone; None: not defined."""
    if metric.name in outcome.values:
        return outcome.values[metric.name]
    statistics = outcome.statistics.get(metric.name)
    if statistics is None or metric.aggregate is None:
        return None
    value = float(metric.aggregate(np.array([statistics], dtype=np.float64), np.ones((1, 1)))[0])
    return value if np.isfinite(value) else None
