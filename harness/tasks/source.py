"""Data source: rows of cells, and the columns in which a task finds its fields."""

import math
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.light import light
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.tasks.written_lists import Unclear, read_list

Plain: TypeAlias = bool | int | float | str | None
"""What a column is compared with."""

Cell: TypeAlias = Any
"""One value of a row: what the data file holds, or an `Image` where the source makes pictures itself."""


@light(frozen=True, slots=True)
class Row:
    """One record of a data source."""

    cells: Mapping[str, Cell]
    """Column name to value."""
    where: str
    """What an error message points at: `labels.csv line 7`."""
    base: Path
    """Paths in cells are relative to this folder."""
    root: Path | None = None
    """Paths in cells may not leave this folder, as those of data that a stranger wrote; None: they may."""


def _nothing_beside(key: str, given: Mapping[str, Json], more: Iterable[str]) -> "Source":
    raise DataError(f"`{key}` names other rows of the data, and this task has none")


@dataclass(frozen=True, slots=True)
class Data:
    """The rows of a task and what its columns mean."""

    source: "Source"
    fields: Mapping[str, str | list[str]]
    """A family's field to the column (or columns) that hold it."""
    facts: tuple[str, ...]
    """Columns that travel with each item."""
    base: Path
    """Folder of the task file; named files are relative to it."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the scores should know of the data."""
    frames: FrameSpec = FrameSpec()
    """Which frames of its clips are shown."""
    beside: "Callable[[str, Mapping[str, Json], Iterable[str]], Source]" = _nothing_beside
    """Opens other rows than those that are asked: the task's key that names them, the keys of `source` in which they
    differ, and what else may stand there. Raises DataError, also where they are not others."""

    def facts_of(self, row: Row) -> dict[str, Json]:
        """Return the facts of one row."""
        return {name: _plain(_cell_or_none(row.cells, name)) for name in self.facts}

    def id_of(self, row: Row, number: int) -> str:
        """Return the row's `id` where there is such a column, else its 0-based number."""
        name = str(self.fields.get("id", "id"))
        given = _cell_or_none(row.cells, name)
        empty = given is None or given == "" or given != given  # noqa: PLR0124
        return str(number) if empty else _sound(str(whole(given)))


def cell_at(cells: Mapping[str, Cell], name: str) -> Cell:
    """Return the cell of a column, or what a dotted name reaches in its records, or in its numbers. Raises KeyError.

    >>> cell_at({"answers": [{"answer": "a"}, {"answer": "b"}]}, "answers.answer")
    ['a', 'b']
    >>> cell_at({"groups": [3, 1, 2]}, "groups.2")
    2
    """
    if name in cells:
        return cells[name]
    head, *inner = name.split(".")
    cell = cells[head]
    for key in inner:
        cell = _within(cell, key)
    return cell


def _cell_or_none(cells: Mapping[str, Cell], name: str) -> Cell:
    try:
        return cell_at(cells, name)
    except KeyError:
        return None


def _within(cell: Cell, key: str) -> Cell:
    if cell is None:
        return None
    if isinstance(cell, str) and cell.lstrip().startswith("{"):
        found = _listed(f"[{cell}]")  # one record as JSON or Python writes it
        cell = found[0] if isinstance(found, list) and len(found) == 1 else cell
    if isinstance(cell, Mapping):
        return cell[key]
    listed = _listed(cell) if isinstance(cell, str) else cell
    if not isinstance(listed, list | tuple):
        raise KeyError(key)
    if key.isascii() and key.isdecimal() and all(isinstance(each, int | float) for each in listed):
        if int(key) >= len(listed):
            raise KeyError(key)
        return listed[int(key)]
    return [_within(each, key) for each in listed]


def is_sound(text: str) -> bool:
    """Tell whether a text can be written: JSON can escape half a surrogate pair, which breaks every digest it is in."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _sound(text: str) -> str:
    """Return a text that names an item or a group of them, `?` in the place of what cannot be written."""
    return text if text.isascii() or is_sound(text) else text.encode(errors="replace").decode()


def whole(cell: Cell) -> Cell:
    """Return a whole number that became a float as an integer, and anything else as it is.

    pandas writes the integers of a column so where one of its cells is empty.

    >>> whole(2.0), whole(2.5), whole("2.0"), whole(1e300)
    (2, 2.5, '2.0', 1e+300)
    """
    if isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(float(cell)) < _EXACT:
        return int(cell)
    return cell


_EXACT = 2**53
"""From here on a float no longer holds every integer."""


def _plain(cell: Cell) -> Json:
    if isinstance(cell, (list, tuple)):
        return [_plain(each) for each in cell]
    if isinstance(cell, str):
        found = _listed(cell)
        return _sound(found) if isinstance(found, str) else [_plain(each) for each in found]
    if isinstance(cell, float) and not math.isfinite(cell):
        return None  # as empty cells become where a table holds numbers
    return cell if cell is None or isinstance(cell, (bool, int, float)) else str(cell)


def _listed(cell: str) -> list[Cell] | str:
    # A fact may be any text, so that only what is a list for sure is taken for one.
    try:
        found = read_list(cell)
    except Unclear:
        return cell
    return cell if found is None else found


class Other(BaseModel):
    """What a column does not hold in the rows that are asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    other_than: Plain | list[Plain]


class Join(BaseModel):
    """Other rows of the data; besides `by` the keys of `source` in which they differ from the task's own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    by: dict[str, str]
    """A column of the task's rows, and the one of the other rows that holds the same."""
    each: str | None = None
    """The column that tells other rows of one key apart, which are then joined all, in lists; None: there is one."""


class SourceSpec(BaseModel):
    """The keys that `source` has for every kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    """Name of the kind of source."""
    split: str | None = None
    """Part of the data that is asked."""
    per: str | None = None
    """Column with a list, of which each member is a row of its own."""
    where: dict[str, Plain | list[Plain] | Other] = {}
    """Columns, and what they hold in the rows that are asked."""
    empty: list[str] = []
    """Texts that stand for an empty cell."""
    texts: dict[str, str | list[str]] = {}
    """Columns that are composed of others: lines with columns in braces, each left out where one of them is empty."""
    join: Join | None = None
    """Other rows, of which each adds its columns to the rows with its key."""


class PathSpec(SourceSpec):
    """The keys of a source that lies in a file or a folder."""

    path: str
    """Relative to the task file."""

    def located(self, base: Path) -> Path:
        """Return the absolute path. Raises DataError where it cannot be followed."""
        try:
            path = (base / self.path).resolve()
            if not path.exists() and "\\" in self.path:  # raises for a name longer than any file's
                path = (base / self.path.replace("\\", "/")).resolve()  # as Windows writes it
                path.exists()
        except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
            reason = (isinstance(error, OSError) and error.strerror) or str(error).partition(" from ")[0]
            raise DataError(f"the path {reprlib.repr(self.path)} cannot be followed: {reason}") from error
        return path


class Source(Protocol):
    """Rows of data, read again at each iteration and never held in memory as a whole.

    A source may have `notes`, a list of texts: what a reader of the scores should know of the data; a method
    `templates()` that returns the prompt templates which the data brings, or None; a method `only(names)` that
    returns the same rows with the cells of these columns alone, where that spares reading the others; and a method
    `missing_bytes()` that tells how much is still to be fetched.
    """

    Spec: ClassVar[type[SourceSpec]]
    """The task-file keys of `source` for this kind."""

    @classmethod
    def open(cls, spec: Any, base: Path, split: str | None) -> "Source":
        """Return the data that a `Spec` names; paths in it are relative to `base`. Raises DataError where it is not.

        `split` is the split to read: that of the spec, or another that a suite names in its place.
        """

    def columns(self) -> Sequence[str]:
        """Return the names of the columns."""

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column alone, which spares reading the pictures of the others."""

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind integer labels of a column, where the data itself holds them."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Row]: ...
