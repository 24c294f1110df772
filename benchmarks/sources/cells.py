"""Data files write pictures, lists and labels in many ways; here each becomes one type, or an error naming its row."""

import json
import math
import numbers
import reprlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from mmbench.harness.errors import DataError, nearest
from mmbench.harness.media import Image
from mmbench.harness.task import Cell, Row

SPLIT = "split"
"""The column that names the split of a row in a csv, jsonl or parquet file."""

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a task, found by name or by index."""

    names: tuple[str, ...]
    """The place of a name is the index of its class."""
    indices: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    """A name to the index of each class that bears it: two for "missile" of ImageNet."""

    def __post_init__(self) -> None:
        indices: dict[str, tuple[int, ...]] = {}
        for index, name in enumerate(self.names):
            indices[name] = (*indices.get(name, ()), index)
        object.__setattr__(self, "indices", indices)

    def __len__(self) -> int:
        return len(self.names)


def column(row: Row, name: str) -> Cell:
    """Return the cell of a column. Raises DataError that names the nearest column."""
    if name not in row.cells:
        raise DataError(f"{row.where} has no column '{name}'{nearest(name, row.cells)}")
    return row.cells[name]


def cells_of(rows: Iterable[Row], name: str) -> Iterator[Cell]:
    """Yield the cell of one column for each row. Raises DataError as `column`."""
    return (column(row, name) for row in rows)


def picture(cell: Cell, row: Row) -> Image:
    """Return the picture of a path, of encoded bytes, or of a `{bytes, path}` pair; a file is not opened here.

    Raises DataError for anything else.
    """
    if isinstance(cell, Image):
        return cell
    data = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if isinstance(data, bytes):
        return Image.from_bytes(data, row.where)
    # Beside bytes, a path is only the name that the file once had.
    path = cell.get("path") if isinstance(cell, Mapping) and data is None else cell
    if isinstance(path, str) and path and "\0" not in path:
        return Image.from_path(row.base / path, locator=path)
    raise DataError(f"{row.where}: expected a picture (a path, bytes or both), found {_shown(cell)}")


def pictures(cell: Cell, row: Row) -> tuple[Image, ...]:
    """Return the pictures of a list, of a JSON list in a string, or of a single cell. Raises DataError."""
    return tuple(picture(item, row) for item in _items(cell))


def text(cell: Cell, row: Row) -> str:
    """Return a string as it is and a number as it is written. Raises DataError for anything else."""
    if isinstance(cell, str):
        return _encodable(cell, row)
    if _is_number(cell) and (isinstance(cell, numbers.Integral) or math.isfinite(cell)):
        return str(cell)
    raise DataError(f"{row.where}: expected text, found {_shown(cell)}")


def texts(cell: Cell, row: Row) -> tuple[str, ...]:
    """Return the texts of a list, of a JSON list in a string, or the single text. Raises DataError.

    An empty list gives an empty tuple: whether that is an error is the family's to say.
    """
    return tuple(text(item, row) for item in _items(cell))


def class_index(cell: Cell, row: Row, classes: Classes) -> int:
    """Return the 0-based class of a label: a number is an index, a string a name and else, if all digits, an index.

    Raises DataError where the label fits no class, or two.

    >>> digits = Classes(("zero", "one"))
    >>> row = Row({}, "labels.csv line 2", Path())
    >>> class_index("one", row, digits), class_index("1", row, digits), class_index(1, row, digits)
    (1, 1, 1)
    """
    if isinstance(cell, str):
        return _index_of_text(cell, row, classes)
    if (
        _is_number(cell) and cell == cell // 1
    ):  # pandas writes whole numbers as floats where a cell of the column is empty
        if not 0 <= cell < len(classes):
            raise DataError(f"{row.where}: {cell} is no class index, expected 0 to {len(classes) - 1}")
        return int(cell)
    raise DataError(f"{row.where}: expected a class name or a 0-based class index, found {_shown(cell)}")


def class_indices(cell: Cell, row: Row, classes: Classes) -> tuple[int, ...]:
    """Return the classes of a multi-label cell in its order, each once: a list, a JSON list, or a single label.

    An empty list is an item of no class. Raises DataError as `class_index`.
    """
    items = [cell] if isinstance(cell, str) and cell in classes.indices else _items(cell)
    return tuple(dict.fromkeys(class_index(item, row, classes) for item in items))


def label_values(cell: Cell) -> tuple[Cell, ...]:
    """Return the labels of a cell as they are written: those of a list, of a JSON list in a string, or the single one.

    >>> label_values('["cat", 3]'), label_values("cat")
    (('cat', 3), ('cat',))
    """
    return tuple(_items(cell))


def parse_json(source: str) -> Cell:
    """Return a JSON value. Raises ValueError, also for NaN, Infinity and numbers too large for a float."""
    try:
        return _JSON.decode(source)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def data_file(path: Path | str | None, kind: str) -> Path:
    """Return the file that a source reads. Raises DataError that names the nearest file of the folder."""
    if path is None:
        raise DataError(f"a {kind} source needs a `path`")
    file = Path(path)
    if not file.is_file():
        beside = (other.name for other in file.parent.iterdir()) if file.parent.is_dir() else ()
        raise DataError(f"{file} is no file, expected {kind} data{nearest(file.name, beside)}")
    return file


def text_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their line ends. Raises DataError that names the line."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    # Spreadsheets write a byte order mark, which would become part of the first column's name.
                    decoded = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise DataError(f"{file.name} line {number} is not UTF-8 text ({error.reason})") from error
                yield decoded
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error


def split_of(cells: Mapping[str, Cell]) -> str | None:
    """Return what a row's `split` column holds, as text."""
    cell = cells.get(SPLIT)
    return None if cell is None else str(cell)


def split_size(sizes: Counter[str | None], split: str | None, columns: Collection[str], name: str) -> int:
    """Return the number of rows of a split (None: of all) from the number for each value of the column `split`.

    Raises DataError, with the splits there are, where the split has no rows.
    """
    if not sizes.total():
        raise DataError(f"{name} has no rows, expected at least one")
    if split is None:
        return sizes.total()
    if SPLIT not in columns:
        raise DataError(f"{name} has no column '{SPLIT}' that tells which rows are '{split}'{nearest(SPLIT, columns)}")
    if not sizes[split]:
        found = sorted(value for value in sizes if value is not None)
        raise DataError(f"{name} has no row of split '{split}', only of {_listed(found)}{nearest(split, found)}")
    return sizes[split]


def rows_of_split(rows: Iterable[Row], split: str | None) -> Iterator[Row]:
    """Yield the rows of a split, or all where it is None."""
    return (row for row in rows if split is None or split_of(row.cells) == split)


def _index_of_text(label: str, row: Row, classes: Classes) -> int:
    named = classes.indices.get(label, ())
    # Nine digits are more than any list of classes needs, and int() refuses strings of thousands.
    number = int(label) if label.isascii() and label.isdigit() and len(label) <= 9 else None
    if number is not None and number >= len(classes):
        number = None
    if len(named) > 1:
        places = ", ".join(map(str, named))
        raise DataError(f"{row.where}: '{label}' is the name of several classes ({places}); write the index instead")
    if named and number is not None and number != named[0]:
        raise DataError(
            f"{row.where}: '{label}' is the name of class {named[0]} and the index of '{classes.names[number]}'; "
            "write a JSON integer for the index, or rename the class"
        )
    if named:
        return named[0]
    if number is None:
        raise DataError(
            f"{row.where}: '{label}' is neither one of the {len(classes)} class names nor an index "
            f"below {len(classes)}{nearest(label, classes.names)}"
        )
    return number


def _items(cell: Cell) -> list[Cell]:
    if isinstance(cell, list | tuple):
        return list(cell)
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            parsed = parse_json(cell)
        except ValueError:  # a text or a file name that happens to start with a bracket
            return [cell]
        return list(parsed)
    return [cell]


def _encodable(cell: str, row: Row) -> str:
    # JSON can escape half a surrogate pair; such a string breaks the digest of every request it becomes part of.
    try:
        cell.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{row.where}: the text {_shown(cell)} holds half a surrogate pair") from error
    return cell


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, numbers.Real) and not isinstance(cell, bool)


def _shown(cell: Cell) -> str:
    return "nothing" if cell is None else reprlib.repr(cell)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown or "none"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large for a number")
    return value


_JSON = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
