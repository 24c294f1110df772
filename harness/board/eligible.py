"""Eligible records of a board: its tasks, the protocol that shares a column, and what is left out and why."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mmbench.harness.board.line import Column
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.record import Record
from mmbench.harness.records.unlike import unlike
from mmbench.harness.records.unscored import Unscored


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of a board; an empty part limits nothing. Models are ranked among those that remain."""

    models: tuple[str, ...] = ()
    """Model labels, or globs of them."""
    dimensions: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    """Names of tasks, `name@version`, YAML files, or globs of these."""

    @property
    def narrows(self) -> bool:
        """Tell whether it limits tasks."""
        return bool(self.dimensions or self.families or self.tasks)

    def resolved(self, references: Iterable[str]) -> "Filter":
        """Return the same with tasks named by `name@version`. Raises UsageError for a name that means none."""
        if not self.tasks:
            return self
        from mmbench.harness.tasks.task_names import of_records  # reads YAML, which few boards need

        return replace(self, tasks=tuple(of_records(self.tasks, references, "this folder")))

    def model(self, label: str) -> bool:
        """Tell whether a model stays."""
        return not self.models or any(fnmatchcase(label, glob) for glob in self.models)

    def task(self, reference: str, family: str, dimension: str) -> bool:
        """Tell whether a task stays."""
        named = reference in (self.tasks or (reference,))
        return named and family in (self.families or (family,)) and dimension in (self.dimensions or (dimension,))

    def record(self, record: Record) -> bool:
        """Tell whether a record stays."""
        return (
            self.model(record.model)
            and self.task(record.reference, record.family, record.card.dimension)
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


def outlines(suite: str | None, records: Iterable[Record], failed: Iterable[Unscored] = ()) -> list[Column]:
    """Return the tasks of a suite, or all that were run, by name; without metric and protocol, which records tell.

    A task that failed, or was never finished, was run. No data is looked at. Raises UsageError or DataError where the
    suite cannot be read.
    """
    newest: dict[str, Column] = {
        each.reference: Column(each.reference, "", "", each.family, each.dimension) for each in failed
    }
    for record in sorted(records, key=lambda record: record.created):
        newest[record.reference] = Column(record.reference, "", "", record.family, record.card.dimension)
    if suite is None:
        return [newest[task] for task in sorted(newest)]
    from mmbench.harness.tasks.suite import find_suite

    return [
        newest[task.reference]
        if task.reference in newest
        else Column(task.reference, "", "", task.family_name, task.card.dimension)
        for task in find_suite(suite).tasks
    ]


@dataclass(frozen=True, slots=True)
class Apart:
    """Record of a board's task that stands in no column."""

    entry: Entry
    why: str


def by_other_prompt(entries: Iterable[Entry], tasks: Collection[str]) -> list[Apart]:
    """Return the records that ask one of these tasks by a variant of its prompt, and have no column of their own."""
    return [
        Apart(entry, f"asked by the prompt '{entry.record.card.prompt}', not comparable with the benchmark's own")
        for entry in entries
        if (record := entry.record).card.prompt and record.control is None
        if record.official in tasks and record.reference not in tasks
    ]


OLDER = "older than the newest attempt of its label"
"""Why records stand apart of which a remark on their label tells."""
NOT_SHARED = "not a task of all models"
"""Why records stand apart where models are ranked on what all have, which a note tells."""
TOLD = (OLDER, NOT_SHARED)


def alike(entries: Sequence[Entry], *, same_route: bool, partial: bool = False) -> tuple[list[Entry], list[Apart]]:
    """Return the records that may share a column, and the rest: whole, of one protocol and metric, one for each model.

    Of several protocols that stands which most models were asked by, so that one changed label empties no board; of
    those that as many were asked by, that of the record made last. A record that leads with another metric than the
    last of these is scored by this one; of several routes of a model, the last stands. With `partial` records of the
    first items alone stand where there is no whole one.
    """
    whole = [entry for entry in entries if not entry.record.partial]
    apart = []
    if partial and not whole:
        whole = list(entries)
    else:
        apart = [Apart(entry, "only part of its items") for entry in entries if entry.record.partial]
    if not whole:
        return [], apart
    standing = _commonest(whole)
    current = standing.record
    held: list[Entry] = []
    why = _Why(standing)
    for entry in whole:
        by_metric = _led_by(current, entry) if entry.record.protocol == current.protocol else None
        if by_metric is not None:
            held.append(by_metric)
        else:
            same = entry.record.protocol == current.protocol
            apart.append(Apart(entry, f"no value of {current.primary.metric}" if same else why(entry)))
    if same_route:
        routes = [entry.record.route for entry in held]
        commonest = max(sorted(set(routes)), key=routes.count)
        apart += [Apart(entry, "another route") for entry in held if entry.record.route != commonest]
        held = [entry for entry in held if entry.record.route == commonest]
    latest = {entry.record.model: entry for entry in sorted(held, key=_created)}
    apart += [Apart(entry, "another route") for entry in held if latest[entry.record.model] is not entry]
    return list(latest.values()), apart


def _commonest(whole: Sequence[Entry]) -> Entry:
    """Return the record made last of the protocol by which most models were asked."""
    models: defaultdict[str, set[str]] = defaultdict(set)
    for entry in whole:
        models[entry.record.protocol].add(entry.record.model)
    return max(whole, key=lambda entry: (len(models[entry.record.protocol]), entry.record.created))


class _Why:
    """Says why records of another protocol stand apart; where their data differ, in which items."""

    def __init__(self, standing: Entry) -> None:
        self._standing = standing
        self._said: dict[str, str] = {}

    def __call__(self, entry: Entry) -> str:
        held, here = (str(each.record.dataset["digest"]) for each in (entry, self._standing))
        if held == here:
            return "another protocol"
        if held not in self._said:
            found = unlike(self._standing, entry)
            self._said[held] = (
                f"other data than the board's{f': {found}' if found else ''}; run all on the same to rank them"
            )
        return self._said[held]


def _led_by(current: Record, entry: Entry) -> Entry | None:
    """Return a record of the same protocol with the primary metric of `current`, and its chance and best value."""
    record, metric = entry.record, current.primary.metric
    if record.primary.metric == metric:
        return entry
    scores = tuple(
        replace(score, primary=True, chance=current.primary.chance)
        if score.metric == metric
        else replace(score, primary=False)
        for score in record.scores
    )
    if not any(score.primary for score in scores):
        return None
    return replace(entry, record=replace(record, scores=scores, card=current.card))


def _created(entry: Entry) -> str:
    return entry.record.created
