"""Selection of a run on the command line: a label in a results folder, a record file, or a folder of records."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.records.attempt import Attempt, attempts
from mmbench.harness.records.entry import Entry, find
from mmbench.harness.records.reported import NAME


@dataclass(frozen=True, slots=True)
class Selection:
    """The records of one run."""

    label: str
    """Of its model."""
    attempt: Attempt
    errors: tuple[DataError, ...]
    """Files that are no readable record; they were passed over."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Records of the newest attempt: the newest for each task, protocol, route and control, by task."""
        return tuple(sorted(self.attempt.entries, key=lambda entry: entry.record.reference))

    def own(self) -> dict[str, Entry]:
        """Return `task@version` to the record made last under no control, a full one before a partial one."""
        mine = [entry for entry in self.entries if entry.record.control is None]
        mine.sort(key=lambda entry: (not entry.record.partial, entry.record.created))
        return {entry.record.reference: entry for entry in mine}


def select(name: str | Path, results: str | Path = "results") -> Selection:
    """Return the run of this name: of a label the newest attempt, whole.

    Raises UsageError where there is none, it holds records of several labels, or its newest attempt has no scores.
    """
    if not isinstance(name, str | os.PathLike):
        raise UsageError(f"a run is a label, a record file or a folder of records, not a {type(name).__name__}")
    given, folder = Path(name), Path(results) / "runs"
    labelled = folder / str(name)
    if str(name) and labelled.is_dir() and labelled.parent == folder:
        return _selection(str(name), sorted(labelled.glob("*.json")))
    if given.is_file():
        if given.suffix not in (".json", ".parquet"):
            raise UsageError(f"{name} is no record of a run; records are the .json files below {folder}")
        return _selection(str(name), [given.with_suffix(".json")])
    if given.is_dir():
        found = [
            path
            for pattern in ("*.json", "*/*.json", "runs/*/*.json")
            for path in given.glob(pattern)
            if path.name != NAME
        ]
        return _selection(str(name), sorted(found))
    labels = sorted(path.name for path in folder.glob("*") if path.is_dir())
    near = nearest(str(name), labels)
    known = f"; it holds {', '.join(labels[:10])}" if labels and not near else ""
    raise UsageError(f"there is no run '{name}' in {results}, nor a file or folder of that name{near or known}")


def _selection(name: str, paths: Sequence[Path]) -> Selection:
    found = find(paths)
    made = attempts(found.entries, found.unscored)
    if not made:
        raise UsageError(str(found.errors[0]) if found.errors else f"there are no records in {name}")
    labels = [attempt.label for attempt in made]
    if len(labels) > 1:
        raise UsageError(f"{name} holds records of {', '.join(labels)}; name one, such as --output {name} {labels[0]}")
    if not made[0].entries:
        raise UsageError(f"{name} has no scores; {'; '.join(made[0].remarks())}")
    return Selection(labels[0], made[0], found.errors)
