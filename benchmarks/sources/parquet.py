"""Parquet shards as the Hugging Face hub stores them, pictures included, read a few rows at a time."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.located import Located
from mmbench.benchmarks.sources.parquet_rows import (
    check_names,
    footer_in,
    footer_of,
    heads,
    names_behind,
    opened,
    records,
    rows_of,
    wanted_for,
)
from mmbench.benchmarks.sources.splits import SPLIT, rows_of_split, split_of, split_size
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row

_MOST = 100_000
"""Shards that are looked for."""


class ParquetFile(Located):
    """Rows of one `.parquet` file, of a folder of shards, or of the shards that a pattern as `data/test-*` matches.

    A row is named by its file and its 0-based number in it. Raises DataError where a file cannot be used.
    """

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        if path is None:
            raise DataError("a parquet source needs a `path`")
        self._files = _shards(Path(path))
        self._split = split
        self._wanted: list[str] | None = None
        first = footer_of(self._files[0])
        self._columns, self._features = first.columns, first.features
        sizes: Counter[str | None] = Counter()
        for file in self._files:
            with opened(file) as shard:
                found = footer_in(shard)
                self._check(found.columns, file.name)
                check_names(first, found, file.name)
                sizes += _sizes(shard, found.columns, split)
        self._size = split_size(sizes, split, self._columns, Path(path).name)

    def columns(self) -> Sequence[str]:
        """Return the names of the top-level columns."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column, the only one that is read. Raises DataError where there is none."""
        return cells_of(self._rows(wanted_for(column, self._columns, SPLIT)), column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names that the `datasets` library stored beside integer labels, or beside lists of them."""
        return names_behind(self._features.get(column))

    def only(self, names: Collection[str]) -> Self:
        """Return the same rows with the cells of these columns alone, the only ones that are read."""
        narrowed = copy(self)
        narrowed._wanted = heads(names, self._columns, SPLIT)
        return narrowed

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return self._rows(self._wanted)

    def _rows(self, columns: list[str] | None) -> Iterator[Row]:
        return rows_of_split((row for file in self._files for row in rows_of(file, columns)), self._split)

    def _check(self, columns: tuple[str, ...], name: str) -> None:
        twice = next((column for column, count in Counter(columns).items() if count > 1), None)
        if twice is not None:
            raise DataError(f"{name} has two columns '{twice}', expected different names")
        if columns != self._columns:
            first = self._files[0].name
            raise DataError(f"{name} has the columns {list(columns)}, expected {list(self._columns)} as in {first}")


def _shards(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    folder, pattern = (path, "*.parquet") if path.is_dir() else (path.parent, path.name)
    names = sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    # Writers leave hidden files and `_metadata` beside their shards.
    shards = tuple(folder / name for name in names if Path(name).match(pattern) and name[0] not in "._")
    if not shards:
        raise DataError(f"{path} is no parquet file and no folder or pattern of them{nearest(path.name, names)}")
    _check_all_there(folder, pattern, names)
    return shards


_NUMBERED = re.compile(r"(?P<head>.+-)(?P<number>\d+)-of-(?P<total>\d+)\.parquet")


def _check_all_there(folder: Path, pattern: str, names: Sequence[str]) -> None:
    """Raise DataError where a shard is missing by the names of others: a part would be scored as the whole."""
    told = filter(None, map(_NUMBERED.fullmatch, names))
    sets = {(found["head"], found["total"], len(found["number"])) for found in told if int(found["total"]) <= _MOST}
    for head, total, width in sorted(sets):
        for number in range(int(total)):
            name = f"{head}{number:0{width}}-of-{total}.parquet"
            if name not in names and Path(name).match(pattern):
                raise DataError(f"{folder} has no {name}, of which the names of other shards tell; fetch it")


def _sizes(shard: Any, columns: tuple[str, ...], split: str | None) -> Counter[str | None]:
    if split is None or SPLIT not in columns:
        return Counter({None: shard.metadata.num_rows})
    return Counter(split_of(cells) for cells in records(shard, [SPLIT]))
