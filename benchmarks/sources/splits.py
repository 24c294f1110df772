"""Splits of built-in and tabular data: rows that a column marks as train, validation or test."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from mmbench.benchmarks.sources.cells import some_names
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row

SPLIT = "split"
"""The column that names the split of a row in a csv, jsonl or parquet file."""


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
        raise DataError(f"{name} has no row of split '{split}', only of {some_names(found)}{nearest(split, found)}")
    return sizes[split]


def rows_of_split(rows: Iterable[Row], split: str | None) -> Iterator[Row]:
    """Yield the rows of a split, or all where it is None."""
    return (row for row in rows if split is None or split_of(row.cells) == split)
