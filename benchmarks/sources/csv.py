"""CSV and TSV files with a header row, as spreadsheets write them."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.cells import data_file, shown, text_lines
from mmbench.benchmarks.sources.text import TextFile
from mmbench.benchmarks.sources.text_bytes import ending
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Row

_LONGEST = 2**31 - 1
"""Characters of a cell: pictures as base64 and long texts pass the 131,072 that the library allows unasked."""

_MARKS = ",;\t|"
"""What stands between cells: Excel writes the semicolon where the comma is the decimal point."""

_SAID = re.compile(r"sep=(.)\r*\n?", re.IGNORECASE)
"""First line in which Excel is told what stands between cells."""

_PART = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


class CsvFile(TextFile):
    """Rows of a `.csv` file, or of a tab-separated `.tsv` file, also packed (`.gz`); every cell is a string.

    Where its header has none of the commas (tabs) that its name promises, but semicolons, tabs, commas or bars, these
    stand between cells; so does what a first line `sep=;` says. Rows without content are passed over, and so are
    columns without name or content. A row is named by the line it starts on. Raises DataError for a file, a header or
    a row that cannot be used.
    """

    kind = "csv"
    delimiter: str | None = None
    """What stands between cells; None: as the file's name and header tell."""

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        self._file = data_file(path, self.kind)
        self._delimiter, self._said = self._told()
        self._header = self._read_header()
        self._width = max(number for number, name in enumerate(self._header, 1) if name or number == 1)
        super().__init__(self._file, split, self._read)

    def _told(self) -> tuple[str, bool]:
        """Return what stands between cells, and whether the first line says so and is no header."""
        first = next((line for line in _lines(self._file) if line.strip()), "")
        usual = self.delimiter or ("\t" if ending(self._file) == ".tsv" else ",")
        if self.delimiter is None and (said := _SAID.fullmatch(first)):
            return said[1], True
        others = [mark for mark in _MARKS if mark in first]
        return (others[0] if self.delimiter is None and usual not in first and len(others) == 1 else usual), False

    def _read_header(self) -> tuple[str, ...]:
        line, names = next(self._records(), (1, []))
        where = f"{self._file.name} line {line}"
        if not names:
            raise DataError(f"{self._file.name} is empty, expected a header with the names of the columns")
        other = next((mark for mark in _MARKS if len(names) == 1 and mark in names[0]), None)
        if other is not None:
            expected = "tabs" if self._delimiter == "\t" else "commas (tabs in a .tsv file)"
            raise DataError(f"{where}: the header is separated by {other!r}, expected {expected}; save it so")
        if not any(names):
            raise DataError(f"{where}: no column of the header has a name")
        name, count = Counter(filter(None, names)).most_common(1)[0]
        if count > 1:
            raise DataError(f"{where}: {count} columns of the header are called '{name}', expected different names")
        return tuple(names)

    def _read(self) -> Iterator[Row]:
        records = self._records()
        head, _ = next(records)
        # A first column without a name is the index that pandas writes; others are what spreadsheets leave.
        nameless = [place for place, name in enumerate(self._header) if place and not name]
        for line, cells in records:
            where = f"{self._file.name} line {line}"
            if len(cells) != len(self._header):
                self._check_width(cells, where)
            if nameless and (told := next((place for place in nameless if any(cells[place : place + 1])), 0)):
                raise DataError(
                    f"{self._file.name} line {head}: column {told + 1} of the header has no name, and line {line} "
                    f"holds {shown(cells[told])} in it; name the column, or take it out"
                )
            named = zip(self._header, cells, strict=False)
            yield Row({name: cell for name, cell in named if name}, where, self._file.parent)

    def _check_width(self, cells: Sequence[str], where: str) -> None:
        """Raise DataError where cells are missing, or have content behind the last column."""
        if len(cells) < self._width or any(cells[len(self._header) :]):
            raise DataError(f"{where} has {len(cells)} cells, expected {self._width} as in the header")

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(_LONGEST)
        # Without `strict` a quote that is never closed would swallow the rest of the file as one cell.
        reader = csv.reader(_lines(self._file), delimiter=self._delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(f"{self._file.name} line {line} is not valid CSV: {_meant(error)}") from error
            if any(cells) and not (self._said and line == 1):
                yield line, cells


def _lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file, also of one whose lines end in CR alone, as Excel writes them for old Macs."""
    for line in text_lines(file):
        if "\r" in line and "\r" in line.rstrip("\r\n"):
            yield from _PART.findall(line)
        else:
            yield line


def _meant(error: csv.Error) -> str:
    """Return what the library says of a cell, in words for a person who looks at the file."""
    said = str(error)
    if "expected after" in said:
        return "a cell that begins with a quote goes on behind the closing one; write quotes within it twice"
    if "unexpected end" in said:
        return "a quote that opens a cell is never closed"
    return said
