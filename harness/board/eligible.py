"""Eligible records of a board: its tasks, the protocol that shares a column, and what is left out and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mmbench.harness.board.line import Column
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.record import Record
from mmbench.harness.tasks.suite import find_suite


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of a board; an empty part limits nothing. Models are ranked among those that remain."""

    models: tuple[str, ...] = ()
    """Model labels, or globs of them."""
    dimensions: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()

    def model(self, label: str) -> bool:
        """Tell whether a model stays."""
        return not self.models or any(fnmatchcase(label, glob) for glob in self.models)

    def task(self, family: str, dimension: str) -> bool:
        """Tell whether a task stays."""
        return family in (self.families or (family,)) and dimension in (self.dimensions or (dimension,))

    def record(self, record: Record) -> bool:
        """Tell whether a record stays."""
        return (
            self.model(record.model)
            and self.task(record.family, record.card.dimension)
            and record.route in (self.routes or (record.route,))
        )

    def check(self, models: Iterable[str], columns: Iterable[Column]) -> None:
        """Raise UsageError, which names the nearest, for a part that nothing in the folder has."""
        labels, tasks = sorted(set(models)), list(columns)
        for glob in self.models:
            if not any(fnmatchcase(label, glob) for label in labels):
                raise UsageError(f"model '{glob}' is not in this folder{nearest(glob, labels)}")
        for part, known in (
            ("dimension", {column.dimension for column in tasks if column.dimension}),
            ("family", {column.family for column in tasks if column.family}),
        ):
            for name in self.dimensions if part == "dimension" else self.families:
                if name not in known:
                    there = nearest(name, known) or f" (there are: {', '.join(sorted(known)) or 'none'})"
                    raise UsageError(f"{part} '{name}' has no task in this folder{there}")


def outlines(suite: str | None, records: Iterable[Record]) -> list[Column]:
    """Return the tasks of a suite, or all that were run, by name; without metric and protocol, which records tell.

    No data is looked at. Raises UsageError or DataError where the suite cannot be read.
    """
    newest: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: record.created):
        newest[record.reference] = record
    if suite is None:
        return [_of_record(newest[task]) for task in sorted(newest)]
    return [
        _of_record(newest[task.reference])
        if task.reference in newest
        else Column(task.reference, "", "", task.family_name, task.card.dimension)
        for task in find_suite(suite).tasks
    ]


def alike(entries: Sequence[Entry], *, same_route: bool) -> list[Entry]:
    """Return the records that may share a column: whole, of one protocol, one for each model.

    Of several protocols the one of the record made last stands; of several routes of a model, likewise.
    """
    whole = [entry for entry in entries if not entry.record.partial]
    if not whole:
        return []
    current = max(whole, key=_created).record.protocol
    held = [entry for entry in whole if entry.record.protocol == current]
    if same_route:
        routes = [entry.record.route for entry in held]
        commonest = max(sorted(set(routes)), key=routes.count)
        held = [entry for entry in held if entry.record.route == commonest]
    latest = {entry.record.model: entry for entry in sorted(held, key=_created)}
    return list(latest.values())


def _created(entry: Entry) -> str:
    return entry.record.created


def _of_record(record: Record) -> Column:
    return Column(record.reference, "", "", record.family, record.card.dimension)
