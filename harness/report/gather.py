"""Tasks of a board with each model's run, the common input of every report section."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmbench.harness.board.board import Board
from mmbench.harness.errors import UsageError
from mmbench.harness.records.entry import Entry
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named


@dataclass(frozen=True, slots=True)
class Asked:
    """One task under one protocol, and who was asked it."""

    reference: str
    family: str
    metric: Metric
    """The primary one."""
    card: Card
    entries: Mapping[str, Entry]
    """Runs by model, all of them, in the order of the board."""

    @property
    def entry(self) -> Entry:
        """Any of them: what they share."""
        return next(iter(self.entries.values()))


MOST_MODELS = 12
"""The board shows all models; what compares them item by item shows the first of it, or no page could hold it."""


def models_shown(board: Board) -> list[str]:
    """Return the models that are compared item by item."""
    return [line.model for line in board.lines[:MOST_MODELS]]


def gather(board: Board) -> list[Asked]:
    """Return the tasks of a board that anyone was asked, in its order."""
    held = {(entry.record.reference, entry.record.model): entry for entry in board.entries}
    tasks = []
    for column in board.columns:
        there = [held[key] for line in board.lines if (key := (column.task, line.model)) in held]
        if there:
            first = there[0].record
            try:
                metric = metric_named(first.family, first.primary.metric)
            except UsageError:  # of a plug-in that cannot be used here; the folder's errors name it
                continue
            entries = {entry.record.model: entry for entry in there}
            tasks.append(Asked(column.task, first.family, metric, first.card, entries))
    return tasks
