"""Tables of a repository of the hub, CSV and JSON, with the pictures beside them that their rows name."""

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Self

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.csv import CsvFile
from mmbench.benchmarks.sources.folder_files import is_picture
from mmbench.benchmarks.sources.hub_files import Part, archives
from mmbench.benchmarks.sources.jsonl import JsonlFile
from mmbench.benchmarks.sources.text import TextFile
from mmbench.harness.errors import DataError
from mmbench.harness.hub.repository import Repository
from mmbench.harness.tasks.source import Cell, Row
from mmbench.harness.tasks.written_lists import Unclear, read_list

_READ_TO_PLAN = 64_000_000
"""Bytes of tables that are fetched to learn which pictures their rows name."""


def table_of(file: Path) -> TextFile:
    """Return the rows of one table, read as its name and first character say. Raises DataError."""
    return CsvFile(file, None) if file.suffix.lower() in (".csv", ".tsv") else JsonlFile(file, None)


class HubTables:
    """Rows of tables, fetched whole at first; a picture that a row names is fetched when the row is due.

    Raises DataError.
    """

    def __init__(self, repository: Repository, part: Part) -> None:
        self._repository = repository
        self._paths = part.files
        self._tables = [table_of(repository.fetch(path, part.files)) for path in part.files]
        columns = [tuple(sorted(table.columns())) for table in self._tables]
        other = next((place for place, each in enumerate(columns) if each != columns[0]), None)
        if other is not None and not part.files[0].endswith(("l", "json")):  # lines of JSON may lack keys
            raise DataError(
                f"{part.files[other]} of {repository.name} has other columns than {part.files[0]}; name one as `split`"
            )
        self._columns = tuple(dict.fromkeys(name for table in self._tables for name in table.columns()))
        self._listed = set(repository.files)
        self._wanted: frozenset[str] | None = None
        self._check_unpacked()

    @staticmethod
    def files(repository: Repository, part: Part) -> tuple[str, ...]:
        """Return the tables and the pictures that their rows name, where the tables are here or small."""
        small = repository.bytes_of(part.files) <= _READ_TO_PLAN
        if not small and any(repository.here(path) is None for path in part.files):
            return part.files
        held = HubTables(repository, part)
        named = dict.fromkeys(path for at, row in held._rows() for path in held._named(at, row))
        return (*part.files, *named)

    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in the order of their first use."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column; no picture is fetched."""
        return cells_of((row for _, row in self._rows()), column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return None: a text file holds no names behind its labels."""
        return None

    def only(self, names: Collection[str]) -> Self:
        """Return the same rows, of which the pictures in these columns alone are fetched."""
        narrowed = copy(self)
        narrowed._wanted = frozenset(name.partition(".")[0] for name in names)
        return narrowed

    def __len__(self) -> int:
        return sum(map(len, self._tables))

    def __iter__(self) -> Iterator[Row]:
        for at, row in self._rows():
            for path in self._named(at, row):
                self._repository.fetch(path)
            yield row

    def _rows(self) -> Iterator[tuple[str, Row]]:
        for path, table in zip(self._paths, self._tables, strict=True):
            yield from ((posixpath.dirname(path), row) for row in table)

    def _named(self, folder: str, row: Row) -> Iterator[str]:
        """Yield the files of the repository that a row names, relative to the folder of its table."""
        for name, cell in row.cells.items():
            if self._wanted is None or name in self._wanted:
                for each in _texts(cell):
                    path = posixpath.normpath(posixpath.join(folder, each.replace("\\", "/")))
                    if path in self._listed and path not in self._paths:
                        yield path

    def _check_unpacked(self) -> None:
        """Raise DataError where the pictures of the first row lie in an archive."""
        packed = archives(self._listed)
        first = next(self._rows(), None)
        if first is None or not packed or any(self._named(*first)):
            return
        if any(isinstance(cell, str) and is_picture(cell) for cell in first[1].cells.values()):
            raise DataError(packed_pictures(self._repository.name, packed))


def _texts(cell: Cell) -> Iterator[str]:
    """Yield what in a cell may be the path of a picture: the text, those of a list, also as CSV holds it, `path`."""
    if isinstance(cell, str) and cell.startswith("["):
        try:
            cell = read_list(cell) or cell
        except Unclear:
            return
    for each in cell if isinstance(cell, list) else [cell]:
        held = each.get("path") if isinstance(each, Mapping) else each
        if isinstance(held, str) and held:
            yield held


def packed_pictures(name: str, packed: Sequence[str]) -> str:
    """Return what to do about pictures in archives."""
    return (
        f"{name} keeps its pictures in {packed[0]}{' and others' if len(packed) > 1 else ''}, which is not unpacked "
        "here: download and unpack it, and name what it held by `kind: folder`, `csv` or `jsonl` and its `path`"
    )
