"""Sums of one task by one metric: what its pictures add to the score of each record, kept beside the records.

With them a board of a model more reads the outcomes of that model alone, and holds one task in memory at a time.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.digest import digest_bytes
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import arrow
from mmbench.harness.records.changes import Keys, part
from mmbench.harness.records.files import replaced
from mmbench.harness.records.measured import Column, Measured

FOLDER = ".board-cache"
"""Within a results folder; it may be deleted at any time."""

_LAYOUT = 1
"""Raised when sums would come out otherwise from the same files."""
_ROUNDING = 1e-6
"""By how much sums may differ from the score that they come to."""


@dataclass(slots=True, eq=False)
class ItemSet:
    """Items that records of a task were scored on."""

    digest: str
    """Of their ids and clusters."""
    keys: Keys
    items: tuple[Column, Column] | None = None
    """Ids and clusters of a set that was read now, which are compared sooner than a digest is made."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Sums of one record."""

    signature: str
    number: int
    """Of its set of items."""
    scale: float
    """What whole numbers are divided by to be the sums; 0 where these are kept as they are."""
    held: npt.NDArray[Any]

    @property
    def sums(self) -> Floats:
        """(pictures,) what each picture of its set adds to the score."""
        return self.held / self.scale if self.scale else np.asarray(self.held, np.float64)


@dataclass(slots=True, eq=False)
class TaskSums:
    """Sums of the records of one task, by the record's name."""

    sets: list[ItemSet] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    changed: bool = False
    """Since they were read."""

    def has(self, name: str, signature: str, score: float) -> bool:
        """Tell whether the sums of a record are known, of the files that it has now, and come to its score."""
        row = self.rows.get(name)
        if row is None or row.signature != signature:
            return False
        return abs(float(row.sums.sum()) - score) <= _ROUNDING * max(1.0, abs(score))

    def add(self, name: str, signature: str, measured: Measured, scope: str) -> None:
        """Note what the items of a record add."""
        number = self._set_of(measured)
        made = part(measured, scope, None if number is None else self.sets[number].keys)
        if number is None:
            number = len(self.sets)
            self.sets.append(ItemSet(_digest(measured), made.keys, (measured.ids, measured.clusters)))
        self.rows[name] = Row(signature, number, *_compact(made.sums, len(measured)))
        self.changed = True

    def _set_of(self, measured: Measured) -> int | None:
        items = (measured.ids, measured.clusters)
        for number, each in enumerate(self.sets):
            if each.items is not None and each.items[0].equals(items[0]) and each.items[1].equals(items[1]):
                return number
        digest = _digest(measured) if self.sets else ""
        for number, each in enumerate(self.sets):
            if each.digest == digest:
                each.items = items
                return number
        return None


def file_of(results: Path, name: str) -> Path:
    """Return where the sums of a task, a metric and data of this name are kept."""
    return results / FOLDER / f"{digest_bytes(name.encode(errors='replace'))[:16]}.npz"


def load_sums(file: Path) -> TaskSums:
    """Return what was kept; nothing where that is missing, damaged or of another layout."""
    made = TaskSums()
    try:
        with np.load(file, allow_pickle=False) as held:
            if int(held["layout"]) != _LAYOUT:
                return TaskSums()
            for number, digest in enumerate(held["digests"].tolist()):
                keys, names, signatures, scales, whole, plain = (held[f"{part}{number}"] for part in _PARTS)
                sums = (*_rows_of(whole, np.uint8, len(keys)), *_rows_of(plain, np.float64, len(keys)))
                made.sets.append(ItemSet(str(digest), np.asarray(keys, np.uint64)))
                of_each = zip(names.tolist(), signatures.tolist(), scales.tolist(), sums, strict=True)
                for name, signature, scale, row in of_each:
                    made.rows[name] = Row(signature, number, scale if row.dtype == np.uint8 else 0.0, row)
    except (OSError, ValueError, TypeError, LookupError, EOFError, MemoryError, zipfile.BadZipFile):
        return TaskSums()
    return made


def save_sums(file: Path, made: TaskSums) -> bool:
    """Write sums beside their place and rename them; tell whether that was possible."""
    used = sorted({row.number for row in made.rows.values()})
    arrays: dict[str, npt.NDArray[Any]] = {
        "layout": np.array(_LAYOUT),
        "digests": _texts([made.sets[number].digest for number in used]),
    }
    for place, number in enumerate(used):
        keys = made.sets[number].keys
        rows = [(name, row) for name, row in made.rows.items() if row.number == number]
        rows.sort(key=lambda each: not each[1].scale)
        parts: tuple[npt.NDArray[Any], ...] = (
            keys,
            _texts([name for name, _ in rows]),
            _texts([row.signature for _, row in rows]),
            np.array([row.scale for _, row in rows]),
            np.array([row.held for _, row in rows if row.scale], np.uint8).reshape(-1, len(keys)),
            np.array([row.held for _, row in rows if not row.scale], np.float64).reshape(-1, len(keys)),
        )
        arrays |= {f"{part}{place}": array for part, array in zip(_PARTS, parts, strict=True)}
    try:
        file.parent.mkdir(exist_ok=True)
        with replaced(file) as path, path.open("wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]
    except OSError:
        return False
    return True


_PARTS = ("keys", "names", "signatures", "scales", "whole", "plain")
"""Arrays of each set of items: of its records first those whose sums are whole numbers over a scale."""


def _rows_of(table: npt.NDArray[Any], dtype: type[np.generic], width: int) -> npt.NDArray[Any]:
    """Return a table of so many columns. Raises ValueError for another."""
    if table.dtype != dtype or table.shape[1:] != (width,):
        raise ValueError("sums of records are of another shape than their keys")
    return table


def _compact(sums: Floats, items: int) -> tuple[float, npt.NDArray[Any]]:
    """Return a scale and sums in one byte each where these are whole numbers over it, else 0 and the sums.

    >>> _compact(np.array([0.0, 1 / 3, 2 / 3]), 3)
    (3.0, array([0, 1, 2], dtype=uint8))
    >>> _compact(np.array([0.1, 0.25]), 3)
    (0.0, array([0.1 , 0.25]))
    """
    whole = np.rint(sums * items)
    if len(sums) and whole.min() >= 0 and whole.max() <= 255 and (whole / items == sums).all():
        return float(items), whole.astype(np.uint8)
    return 0.0, sums


def _digest(measured: Measured) -> str:
    """Return a digest of the ids and clusters of items, in their order."""
    total = hashlib.sha256()
    for column in (measured.ids, measured.clusters):
        lengths, content = arrow.content(column)
        total.update(lengths.astype("<i8").tobytes())
        total.update(content)
    return total.hexdigest()


def _texts(names: Sequence[str]) -> npt.NDArray[np.str_]:
    return np.array(names, dtype=np.str_).reshape(-1)
