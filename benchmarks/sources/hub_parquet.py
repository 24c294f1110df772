"""Parquet shards of a repository of the hub: counted by their ends, and fetched one by one as their rows are due."""

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from typing import Self

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.hub_files import Part
from mmbench.benchmarks.sources.parquet_rows import (
    Footer,
    check_names,
    footer_at_end,
    footer_bytes,
    footer_of,
    heads,
    names_behind,
    rows_of,
    wanted_for,
)
from mmbench.harness.errors import DataError
from mmbench.harness.hub.repository import Repository
from mmbench.harness.tasks.source import Cell, Row

_END = 1 << 16
"""Bytes at the end of a shard that hold most footers."""


class HubParquet:
    """Rows of Parquet shards, of which only the ends are asked for before their rows are due. Raises DataError."""

    def __init__(self, repository: Repository, part: Part) -> None:
        self._repository = repository
        self._part = part
        self._wanted: list[str] | None = None
        first = self._footer(part.files[0])
        self._first, self._columns, self._features = first, first.columns, first.features
        self._sizes = repository.rows(part.files, lambda path: self._footer(path).rows)
        if not sum(self._sizes.values()):
            raise DataError(f"{repository.name} has no rows in '{part.split}', expected at least one")

    def columns(self) -> Sequence[str]:
        """Return the names of the top-level columns."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column."""
        return cells_of(self._read(wanted_for(column, self._columns)), column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names that the `datasets` library stored beside integer labels."""
        return names_behind(self._features.get(column))

    def only(self, names: Collection[str]) -> Self:
        """Return the same rows with the cells of these columns alone."""
        narrowed = copy(self)
        narrowed._wanted = heads(names, self._columns)
        return narrowed

    def __len__(self) -> int:
        return sum(self._sizes.values())

    def __iter__(self) -> Iterator[Row]:
        return self._read(self._wanted)

    def _read(self, columns: list[str] | None) -> Iterator[Row]:
        for path in self._part.files:
            file = self._repository.fetch(path, self._part.files)
            found = footer_of(file)
            if (found.columns, found.rows) != (self._columns, self._sizes[path]):
                raise DataError(
                    f"{path} of {self._repository.name} has {found.rows} rows of {list(found.columns)}, expected "
                    f"{self._sizes[path]} of {list(self._columns)}, as its end and the first shard say; name another "
                    "`revision`"
                )
            check_names(self._first, found, f"{path} of {self._repository.name}")
            yield from rows_of(file, columns)

    def _footer(self, path: str) -> Footer:
        files = self._part.files
        if self._repository.here(path) is not None or not self._repository.gives_ends:
            return footer_of(self._repository.fetch(path, files))
        end = self._repository.end(path, _END, files)
        needed = footer_bytes(end)
        if needed is None:
            raise DataError(f"{path} of {self._repository.name} cannot be read as Parquet: its end is of another kind")
        return footer_at_end(end if needed <= len(end) else self._repository.end(path, needed, files), path)
