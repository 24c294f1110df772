"""Cells of data files: pictures, lists and labels in many notations become one type, or an error naming the row."""

import math
import numbers
import os
import re
import reprlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from mmbench.benchmarks.sources.encoded import Damaged, encoded
from mmbench.benchmarks.sources.text_bytes import coding, text_bytes
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell, Row, cell_at, is_sound, whole
from mmbench.harness.tasks.written_lists import REMEDY, Unclear, read_list

_SHOWN = 10
_LONGEST_LINE = 1 << 31
"""Bytes: pictures as base64 make long lines, and what is packed could make one without end."""


def column(row: Row, name: str) -> Cell:
    """Return the cell of a column, also one within records as `answers.answer`.

    Raises DataError that names the nearest column.
    """
    try:
        return cell_at(row.cells, name)
    except KeyError:
        raise DataError(f"{row.where} has no column '{name}'{nearest(name, row.cells)}") from None


def cells_of(rows: Iterable[Row], name: str) -> Iterator[Cell]:
    """Yield the cell of one column for each row. Raises DataError as `column`."""
    return (column(row, name) for row in rows)


def picture(cell: Cell, row: Row) -> Image:
    """Return the picture of a path, of bytes, also as base64, or of a `{bytes, path}` pair; no file is opened here.

    Of base64 that is damaged it is one that cannot be read, as of a file that is. Raises DataError for anything else.
    """
    if isinstance(cell, Image):
        return cell
    data = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if isinstance(data, str):
        try:
            data = _encoded(data, row)
        except Damaged as error:
            return Image.unreadable(f"{row.where}: {shown(cell)} is no picture: {error}", row.where)
    if isinstance(data, bytes):
        return Image.from_bytes(data, row.where)
    # Beside bytes, a path is only the name that the file once had.
    path = cell.get("path") if isinstance(cell, Mapping) and data is None else cell
    if isinstance(path, str) and path and "\0" not in path:
        file = local_path(path, row)
        return Image.from_path(row.base / file, locator=file)
    raise _no_picture(cell, row)


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_WRITTEN_BYTES = re.compile(r"""b['"]|\{\s*['"](bytes|path)['"]\s*:|<PIL\.|<_io\.""")


def local_path(path: str, row: Row) -> str:
    """Return a path of a cell as this machine writes it. Raises DataError for an address."""
    path = _encodable(path, row)
    if _ADDRESS.match(path):
        raise DataError(f"{row.where}: {shown(path)} is an address, and nothing is fetched; write the path of a file")
    if _UNSURE.search(path) or not path.isascii():
        path = _existing(path, row.base)
    if row.root is not None and not Path(os.path.normpath(row.base / path)).is_relative_to(os.path.normpath(row.root)):
        raise DataError(f"{row.where}: {shown(path)} is outside of its data set, and is not read")
    return path


_UNSURE = re.compile(r"\\|%[0-9A-Fa-f]{2}|^\s|\s$")


def _existing(path: str, base: Path) -> str:
    """Return how a file is called here that another system, or an address, writes otherwise: the path itself if so."""
    if os.path.lexists(base / path):
        return path
    windows = path.replace("\\", "/")
    forms = [windows, path.strip(), unquote(path)]
    if not "".join(forms).isascii():  # a letter with its accent is one sign for most systems, and two for Macs
        forms += [unicodedata.normalize(form, each) for each in (path, *forms) for form in ("NFC", "NFD")]
    return next((form for form in forms if os.path.lexists(base / form)), windows)


def _encoded(cell: str, row: Row) -> bytes | str:
    if _WRITTEN_BYTES.match(cell):
        raise DataError(
            f"{row.where}: {shown(cell)} is a picture as Python prints it, which may be cut; write paths or base64"
        )
    try:
        data = encoded(cell)
    except ValueError as error:
        raise _no_picture(cell, row) from error
    return cell if data is None else data


def _no_picture(cell: Cell, row: Row) -> DataError:
    return DataError(f"{row.where}: expected a picture (a path, bytes, base64 or a data URI), found {shown(cell)}")


def pictures(cell: Cell, row: Row) -> tuple[Image, ...]:
    """Return the pictures of a list, of a list written in a string, or of a single cell. Raises DataError."""
    return tuple(picture(item, row) for item in listed_cells(cell, row.where))


def text(cell: Cell, row: Row) -> str:
    """Return a string as it is and a number as it is written, a whole one without a point.

    Raises DataError for anything else.
    """
    if isinstance(cell, str):
        return _encodable(cell, row)
    if is_number(cell) and (isinstance(cell, numbers.Integral) or math.isfinite(cell)):
        return str(whole(cell))
    if isinstance(cell, Decimal) and cell.is_finite():
        return str(int(cell)) if cell == cell.to_integral_value() else f"{cell:f}"
    inside = "; name the field within it, as in `answers.answer`" if isinstance(cell, Mapping) else ""
    raise DataError(f"{row.where}: expected text, found {shown(cell)}{inside}")


def texts(cell: Cell, row: Row) -> tuple[str, ...]:
    """Return the texts of a list, of a list written in a string, or the single text. Raises DataError.

    An empty list gives an empty tuple: whether that is an error is the family's to say.
    """
    return tuple(text(item, row) for item in listed_cells(cell, row.where))


def label_values(cell: Cell, where: str = "a cell") -> tuple[Cell, ...]:
    """Return the labels of a cell as they are written: those of a list, of one written in a string, or the single one.

    Raises DataError as `listed_cells`.

    >>> label_values('["cat", 3]'), label_values("cat")
    (('cat', 3), ('cat',))
    """
    return tuple(listed_cells(cell, where))


def data_file(path: Path | str | None, kind: str) -> Path:
    """Return the file that a source reads. Raises DataError that names the nearest file of the folder."""
    if path is None:
        raise DataError(f"a {kind} source needs a `path`")
    file = Path(path)
    if not file.is_file():
        if file.exists():
            raise DataError(f"{file} is a folder, a pipe or a device, expected a file of {kind} data")
        beside = (other.name for other in file.parent.iterdir()) if file.parent.is_dir() else ()
        raise DataError(f"{file} is no file, expected {kind} data{nearest(file.name, beside)}")
    return file


def text_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their line ends, or of a UTF-16 one that begins with its mark.

    Raises DataError that names the line.
    """
    with text_bytes(file) as lines:
        coded = coding(lines)
        if coded != "utf-8":
            yield from _recoded(lines, file, coded)
            return
        for number, line in enumerate(iter(partial(lines.readline, _LONGEST_LINE), b""), 1):
            if number == 1:
                _refuse_packed(line, file)
            _check_length(len(line), number, file)
            try:
                # Spreadsheets write a byte order mark, which would become part of the first column's name.
                decoded = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{file.name} line {number} is not UTF-8 text ({error.reason}); save the file as UTF-8"
                ) from error
            yield decoded


def _recoded(lines: BinaryIO, file: Path, coded: str) -> Iterator[str]:
    with TextIOWrapper(lines, coded, newline="\n") as texts:
        try:
            for number, line in enumerate(iter(partial(texts.readline, _LONGEST_LINE), ""), 1):
                _check_length(len(line), number, file)
                yield line
        except UnicodeError as error:
            raise DataError(f"{file.name} is no whole {coded.upper()} text; save the file as UTF-8") from error


def _check_length(length: int, number: int, file: Path) -> None:
    if length == _LONGEST_LINE:
        raise DataError(f"{file.name} line {number} is longer than {_LONGEST_LINE >> 30} GiB; cut the file")


_PACKED = {
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"(\xb5/\xfd": "compressed by zstd",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"PAR1": "Parquet",
}


def _refuse_packed(start: bytes, file: Path) -> None:
    for mark, what in _PACKED.items():
        if start.startswith(mark):
            raise DataError(f"{file.name} is {what}, expected plain text; unpack or export it first")


def listed_cells(cell: Cell, where: str) -> list[Cell]:
    """Return the members of a list, of a list written in a string (JSON, Python, NumPy), or the single cell.

    Raises DataError that names `where` and the remedy, where a string may be a list or not.
    """
    if isinstance(cell, list | tuple):
        return list(cell)
    if not isinstance(cell, str):
        return [cell]
    try:
        found = read_list(cell)
    except Unclear as error:
        raise DataError(f"{where}: {shown(cell)} may be a list or a text; {REMEDY}") from error
    return [cell] if found is None else found


def _encodable(cell: str, row: Row) -> str:
    if not is_sound(cell):
        raise DataError(f"{row.where}: the text {shown(cell)} holds half a surrogate pair")
    return cell


def is_number(cell: Cell) -> bool:
    """Tell whether a cell is a number, of Python or NumPy; True and False are none."""
    return isinstance(cell, numbers.Real) and not isinstance(cell, bool)


def shown(cell: Cell) -> str:
    """Return a cell as an error message shows it, cut where it is long."""
    return "nothing" if cell is None else reprlib.repr(cell)


def some_names(names: list[str]) -> str:
    """Return the first names in quotes, and how many more there are."""
    first = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return f"{first} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else first or "none"
