"""Selection of a run on the command line: a label in a results folder, a record file, or a folder of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.records.entry import Entry, find, newest


@dataclass(frozen=True, slots=True)
class Selection:
    """The records of one run."""

    label: str
    """Of its model."""
    entries: tuple[Entry, ...]
    """The newest for each task, protocol, route and control, by task."""
    errors: tuple[DataError, ...]
    """Files that are no readable record; they were passed over."""

    def own(self) -> dict[str, Entry]:
        """Return `task@version` to the record made last under no control, a full one before a partial one."""
        mine = [entry for entry in self.entries if entry.record.control is None]
        mine.sort(key=lambda entry: (not entry.record.partial, entry.record.created))
        return {entry.record.reference: entry for entry in mine}


def select(name: str | Path, results: str | Path = "results") -> Selection:
    """Return the run of this name. Raises UsageError where there is none, or it holds records of several models."""
    given, folder = Path(name), Path(results) / "runs"
    labelled = folder / str(name)
    if str(name) and labelled.is_dir() and labelled.parent == folder:
        return _selection(str(name), sorted(labelled.glob("*.json")))
    if given.is_file():
        return _selection(str(name), [given.with_suffix(".json")])
    if given.is_dir():
        found = [path for pattern in ("*.json", "*/*.json", "runs/*/*.json") for path in given.glob(pattern)]
        return _selection(str(name), sorted(found))
    labels = sorted(path.name for path in folder.glob("*") if path.is_dir())
    near = nearest(str(name), labels)
    known = f"; it holds {', '.join(labels[:10])}" if labels and not near else ""
    raise UsageError(f"there is no run '{name}' in {results}, nor a file or folder of that name{near or known}")


def _selection(name: str, paths: Sequence[Path]) -> Selection:
    entries, errors = find(paths)
    if not entries:
        raise UsageError(str(errors[0]) if errors else f"there are no records in {name}")
    labels = sorted({entry.record.model for entry in entries})
    if len(labels) > 1:
        raise UsageError(f"{name} holds records of {', '.join(labels)}; name one, such as --output {name} {labels[0]}")
    kept = sorted(newest(entries), key=lambda entry: entry.record.reference)
    return Selection(labels[0], tuple(kept), tuple(errors))
