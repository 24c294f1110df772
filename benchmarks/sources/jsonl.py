"""JSON Lines: one JSON object a line with lists and numbers, the format of most vision-language sets."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mmbench.benchmarks.sources.annotations import read_document
from mmbench.benchmarks.sources.cells import data_file, text_lines
from mmbench.benchmarks.sources.text import TextFile
from mmbench.benchmarks.sources.text_bytes import ending
from mmbench.harness.errors import DataError
from mmbench.harness.strict_json import parse_json
from mmbench.harness.tasks.source import Cell, Row


class JsonlFile(TextFile):
    """Rows of a file with one JSON object a line, or of a `.json` file that is one list of objects.

    The file may be packed (`.gz`). Blank lines are passed over. Its columns are the keys of all lines; a line may lack
    some. Raises DataError that names the line and the place.
    """

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        self._file = data_file(path, "jsonl")
        super().__init__(self._file, split, self._listed if _is_list(self._file) else self._read)

    def _listed(self) -> Iterator[Row]:
        held = read_document(self._file)
        if not isinstance(held, list) or not all(isinstance(each, dict) for each in held):
            raise DataError(f"{self._file.name} is neither JSON lines nor a list of objects, one for each row")
        for number, cells in enumerate(held):
            yield Row(cells, f"{self._file.name} row {number}", self._file.parent)

    def _read(self) -> Iterator[Row]:
        for number, line in enumerate(text_lines(self._file), 1):
            if line.strip():
                where = f"{self._file.name} line {number}"
                if number == 1 and line.strip(" \t\r\n\ufeff")[:1] + line.strip()[-1:] in _DOCUMENT:
                    raise DataError(
                        f"{where} begins one JSON document, expected JSON lines: one object a line; "
                        "a list of objects is read from a file that ends in .json"
                    )
                yield Row(_record(line.rstrip(), where), where, self._file.parent)


def is_lines(file: Path) -> bool:
    """Tell whether a `.json` file holds one object a line, as many programs write it. Raises DataError."""
    begun = [*islice((line.strip() for line in text_lines(file) if line.strip()), 2)]
    try:
        return len(begun) > 1 and all(isinstance(parse_json(line), dict) for line in begun)
    except ValueError:
        return False


def _is_list(file: Path) -> bool:
    if ending(file) != ".json":
        return False
    return next((line for line in text_lines(file) if line.strip()), "").lstrip("\ufeff \t")[:1] == "["


_DOCUMENT = ("[]", "[[", "[,", "[{", "[}", "{{", "{[", "{,")
"""First and last character of a line that begins an array, or an object that goes on in the next line."""


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
