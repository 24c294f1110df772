"""The tasks of a board with the run of each model, which every part of a report starts from."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmbench.harness.board.board import Board
from mmbench.harness.board.results import Results
from mmbench.harness.records.selection import Entry
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named

MOST_MODELS = 12
"""The board shows all models; what compares them item by item shows the first of it, or no page could hold it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One task under one protocol, and who was asked it."""

    reference: str
    family: str
    metric: Metric
    """The primary one."""
    card: Card
    entries: Mapping[str, Entry]
    """By model, in the order of the board; all models."""

    @property
    def entry(self) -> Entry:
        """Any of them: what they share."""
        return next(iter(self.entries.values()))


def models_shown(board: Board) -> list[str]:
    """Return the models that are compared item by item."""
    return [line.model for line in board.lines[:MOST_MODELS]]


def gather(results: Results, board: Board) -> list[Asked]:
    """Return the tasks of a board that anyone was asked, in its order."""
    held = {(record.reference, record.model): record for record in board.records}
    tasks = []
    for column in board.columns:
        records = [held[key] for line in board.lines if (key := (column.task, line.model)) in held]
        if records:
            entries = {each.model: Entry(each, results.path / "runs" / each.model / each.file_name) for each in records}
            metric = metric_named(records[0].family, records[0].primary.metric)
            tasks.append(Asked(column.task, records[0].family, metric, records[0].card, entries))
    return tasks
