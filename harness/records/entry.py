"""Entry: a record with the path it was read from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.records.record import Record, read


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and where it lies."""

    record: Record
    path: Path
    """Of its JSON; the outcomes are beside it."""


def in_results(results: Path) -> list[Path]:
    """Return the files of a results folder that ought to be records."""
    return sorted((results / "runs").glob("*/*.json"))


def find(paths: Iterable[Path]) -> tuple[list[Entry], list[DataError]]:
    """Return an entry for each record among these files, and an error for each file that is none."""
    entries: list[Entry] = []
    errors: list[DataError] = []
    for path in paths:
        try:
            entries.append(Entry(read(path), path))
        except DataError as error:
            errors.append(error)
    return entries, errors


def newest(entries: Iterable[Entry]) -> list[Entry]:
    """Return for each (model, task, protocol, route, control) the record made last, a full one before a partial one."""
    best: dict[tuple[Json, ...], Entry] = {}
    for entry in entries:
        record = entry.record
        key = (record.model, record.reference, record.protocol, record.route, record.control)
        held = best[key].record if key in best else None
        if held is None or (not record.partial, record.created) >= (not held.partial, held.created):
            best[key] = entry
    return list(best.values())
