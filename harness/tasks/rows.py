"""Tasks made in Python from rows in memory, which are copied, so that a row that changes later changes nothing."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.harness.errors import DataError, Unreadable, nearest
from mmbench.harness.foreign import described
from mmbench.harness.media.image import Content, Image
from mmbench.harness.tasks.source import Cell, Row, SourceSpec, cell_at
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import task_of_rows


def task(family: str, rows: Iterable[Mapping[str, object]], *, name: str = "rows", **keys: object) -> Task:
    """Make a task of rows in memory, for the `task` of `mmbench.run` and `mmbench.score`.

    A row maps columns to cells, as a line of JSON does. A picture is a Pillow image, a uint8 array of shape (height,
    width) or (height, width, 3), the bytes of a file, or a path, relative to the working directory. `keys` are those of
    a task file (`classes`, `metrics`, `fields`, `facts`, `version`, `card`, …), but for `source`. Rows are read once
    and copied; files are read when they are asked. Raises DataError for a row, a column or a key that cannot be used.
    """
    base = Path.cwd()
    written = {key: _copied(value, key) for key, value in keys.items()}
    return task_of_rows(Rows(rows, base), {"name": name, "family": family, **written}, base)


class Rows:
    """Rows in memory as a source of data."""

    Spec: ClassVar[type[SourceSpec]] = SourceSpec

    def __init__(self, rows: Iterable[Mapping[str, object]], base: Path) -> None:
        self._rows = tuple(_row(number, row, base) for number, row in enumerate(_checked(rows)))
        if not self._rows:
            raise DataError("a task needs at least one row")
        self._columns = tuple(dict.fromkeys(name for row in self._rows for name in row.cells))

    @classmethod
    def open(cls, spec: Any, base: Path, split: str | None) -> "Rows":
        """Raise DataError: what is in memory cannot be named in a file."""
        raise DataError("rows in memory cannot be opened by name")

    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in the order of their first use."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where a row lacks it."""
        for row in self._rows:
            try:
                yield cell_at(row.cells, column)
            except KeyError:
                raise DataError(f"{row.where} has no column '{column}'{nearest(column, row.cells)}") from None

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return None: rows hold no names behind their labels."""
        return None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


def _checked(rows: Any) -> Iterable[Any]:
    kind = type(rows).__name__
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        raise DataError(f"'rows' is of type {kind}; give its rows: rows=frame.to_dict('records')")
    if isinstance(rows, Mapping):
        raise DataError("'rows' is one mapping; give a list with a mapping of columns to cells for each row")
    if isinstance(rows, str | bytes | os.PathLike) or not isinstance(rows, Iterable):
        raise DataError(f"'rows' is of type {kind}; give a list of rows, and for a file write a task file")
    return rows


def _row(number: int, row: Any, base: Path) -> Row:
    where = f"row {number} (counted from 0)"
    if not isinstance(row, Mapping):
        raise DataError(f"{where} is of type {type(row).__name__}, expected a mapping of columns to cells")
    wrong = next((name for name in row if not isinstance(name, str)), None)
    if wrong is not None:
        raise DataError(f"{where} has a column called {wrong!r:.60}, expected a text")
    return Row({str(name): _copied(cell, f"row {number}, {name}") for name, cell in row.items()}, where, base)


def _copied(cell: Any, where: str) -> Cell:
    """Return a cell as a data file would hold it, which nobody else can change; of another kind as it is.

    What is of another kind no family takes for a text or a picture, and a fact is written as text.
    """
    return next((copy(cell, where) for kind, copy in _COPIES if isinstance(cell, kind)), cell)


def _array(cell: npt.NDArray[Any], where: str) -> Cell:
    if cell.ndim == 3 or (cell.ndim == 2 and cell.dtype == np.uint8):
        return Image.from_array(cell.copy(), where)
    return _copied(cell.tolist(), where)


def _picture(image: PIL.Image.Image, where: str) -> Image:
    """Return a picture with pixels of its own; of one that cannot be read each use is an error."""
    try:
        return Image.from_pil(image, where)
    except Exception as error:  # a file behind it may be gone or damaged, and a decoder raises anything
        said = str(error) if isinstance(error, Unreadable) else f"{where}: not a readable picture ({described(error)})"

    def unreadable() -> Content:
        raise Unreadable(said)

    return Image(unreadable, where)


_COPIES: Sequence[tuple[Any, Callable[[Any, str], Cell]]] = (
    (PIL.Image.Image, _picture),
    (np.generic, lambda cell, where: cell.item()),
    (np.ndarray, _array),
    (os.PathLike, lambda cell, where: os.fsdecode(cell)),
    (bytearray | memoryview, lambda cell, where: bytes(cell)),
    (Mapping, lambda cell, where: {name: _copied(inner, where) for name, inner in cell.items()}),
    (list | tuple, lambda cell, where: tuple(_copied(inner, where) for inner in cell)),
)
"""A kind of cell, and how it becomes one that nobody else can change."""
