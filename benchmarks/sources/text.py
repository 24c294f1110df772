"""Line-by-line reading shared by text sources, so that each defines only how a line becomes a row."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.located import Located
from mmbench.benchmarks.sources.splits import rows_of_split, split_of, split_size
from mmbench.harness.tasks.source import Cell, Row


class TextFile(Located):
    """Rows that `rows` reads anew each time, those of a split where one is named.

    One pass at the start counts them, collects their columns and meets every row that cannot be used. Raises DataError.
    """

    def __init__(self, file: Path, split: str | None, rows: Callable[[], Iterator[Row]]) -> None:
        columns: dict[str, None] = {}
        sizes: Counter[str | None] = Counter()
        for row in rows():
            columns |= dict.fromkeys(row.cells)
            sizes[split_of(row.cells)] += 1
        self._rows = rows
        self._split = split
        self._columns = tuple(columns)
        self._size = split_size(sizes, split, self._columns, file.name)

    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in the order of their first use."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where a row lacks it."""
        return cells_of(self, column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return None: a text file holds no names behind its labels."""
        return None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return rows_of_split(self._rows(), self._split)
