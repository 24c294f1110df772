"""CSV and TSV files with a header row, as spreadsheets write them."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmbench.benchmarks.sources.cells import data_file, text_lines
from mmbench.benchmarks.sources.text import TextFile
from mmbench.benchmarks.sources.text_bytes import ending
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Row

_LONGEST = 2**31 - 1
"""Characters of a cell: pictures as base64 and long texts pass the 131,072 that the library allows unasked."""


class CsvFile(TextFile):
    """Rows of a `.csv` file, or of a tab-separated `.tsv` file, in UTF-8, also packed (`.gz`); every cell is a string.

    A row is named by the line it starts on. Raises DataError for a file, a header or a row that cannot be used.
    """

    kind = "csv"
    delimiter: str | None = None
    """What stands between cells; None: a tab in a `.tsv` file, else a comma."""

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        self._file = data_file(path, self.kind)
        self._header = self._read_header()
        super().__init__(self._file, split, self._read)

    def _read_header(self) -> tuple[str, ...]:
        line, names = next(self._records(), (1, []))
        where = f"{self._file.name} line {line}"
        if not names:
            raise DataError(f"{self._file.name} is empty, expected a header with the names of the columns")
        other = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), None)
        if other is not None:
            raise DataError(
                f"{where}: the header is separated by {other!r}, expected commas (tabs in a .tsv file); save it so"
            )
        if "" in names[1:]:
            raise DataError(f"{where}: column {names.index('', 1) + 1} of the header has no name")
        name, count = Counter(names).most_common(1)[0]
        if count > 1:
            raise DataError(f"{where}: {count} columns of the header are called '{name}', expected different names")
        return tuple(names)

    def _read(self) -> Iterator[Row]:
        records = self._records()
        next(records)
        for line, cells in records:
            where = f"{self._file.name} line {line}"
            if len(cells) != len(self._header):
                raise DataError(f"{where} has {len(cells)} cells, expected {len(self._header)} as in the header")
            named = zip(self._header, cells, strict=True)
            # A first column without a name is the index that pandas writes.
            yield Row({name: cell for name, cell in named if name}, where, self._file.parent)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        delimiter = self.delimiter or ("\t" if ending(self._file) == ".tsv" else ",")
        csv.field_size_limit(_LONGEST)
        # Without `strict` a quote that is never closed would swallow the rest of the file as one cell.
        reader = csv.reader(text_lines(self._file), delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(f"{self._file.name} line {line} is not valid CSV: {error}") from error
            if cells:
                yield line, cells
