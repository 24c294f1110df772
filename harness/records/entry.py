"""Entry: a record with the path it was read from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.errors import DataError
from mmbench.harness.records.record import Record, as_record, read_json
from mmbench.harness.records.unscored import Unscored, as_unscored


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and where it lies."""

    record: Record
    path: Path
    """Of its JSON; the outcomes are beside it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What files of a results folder hold."""

    entries: tuple[Entry, ...]
    unscored: tuple[Unscored, ...]
    errors: tuple[DataError, ...]
    """Files that are neither; they were passed over."""


def in_results(results: Path) -> list[Path]:
    """Return the files of a results folder that ought to be records."""
    return sorted((results / "runs").glob("*/*.json"))


def find(paths: Iterable[Path]) -> Found:
    """Return the record of each file, the task without scores, or an error that names the file."""
    entries: list[Entry] = []
    unscored: list[Unscored] = []
    errors: list[DataError] = []
    for path in paths:
        try:
            held = read_json(path)
            if "status" in held:
                unscored.append(as_unscored(held, path))
            else:
                entries.append(Entry(as_record(held, path), path))
        except DataError as error:
            errors.append(error)
    return Found(tuple(entries), tuple(unscored), tuple(errors))
