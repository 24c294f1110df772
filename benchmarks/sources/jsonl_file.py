"""Rows with lists and numbers in them, one JSON object a line, as most vision-language sets are handed around."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.cells import (
    cells_of,
    data_file,
    parse_json,
    rows_of_split,
    split_of,
    split_size,
    text_lines,
)
from mmbench.harness.errors import DataError
from mmbench.harness.task import Cell, Row


class JsonlFile:
    """Rows of a file with one JSON object a line; blank lines are passed over.

    Its columns are the keys of all lines; a line may lack some. Raises DataError that names the line and the place.
    """

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        self._file = data_file(path, "jsonl")
        self._split = split
        columns: dict[str, None] = {}
        sizes: Counter[str | None] = Counter()
        for row in self._rows():
            columns |= dict.fromkeys(row.cells)
            sizes[split_of(row.cells)] += 1
        self._columns = tuple(columns)
        self._size = split_size(sizes, split, self._columns, self._file.name)

    def columns(self) -> Sequence[str]:
        """Return the keys of all lines, in the order of their first use."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where a row lacks it."""
        return cells_of(self, column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return None: a jsonl file holds no names behind its labels."""
        return None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return rows_of_split(self._rows(), self._split)

    def _rows(self) -> Iterator[Row]:
        for number, line in enumerate(text_lines(self._file), 1):
            if line.strip():
                where = f"{self._file.name} line {number}"
                yield Row(_record(line.rstrip(), where), where, self._file.parent)


def _record(line: str, where: str) -> dict[str, Cell]:
    try:
        record = parse_json(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where} column {error.pos + 1} is not valid JSON: {error.msg}") from error
    except ValueError as error:
        raise DataError(f"{where} is not valid JSON: {error}") from error
    if not isinstance(record, dict):
        raise DataError(f"{where} is no JSON object, expected {{...}} with a key for each column")
    return record
