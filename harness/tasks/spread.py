"""Rows that hold several items each, as a row for each of them."""

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.keyed import check_column, only
from mmbench.harness.tasks.over_rows import OverRows
from mmbench.harness.tasks.source import Cell, Row, Source, cell_at
from mmbench.harness.tasks.written_lists import REMEDY, Unclear, read_list


class Spread(OverRows):
    """A row for each member of a list column, in their order, with the other cells as they are.

    A row whose list is empty has none. An `id` is followed by the place in the list.
    """

    def __init__(self, rows: Source, column: str) -> None:
        check_column("per", column, rows.columns())
        super().__init__(rows)
        self._column = column

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores should know of the data."""
        return [*super().notes, f"an item for each of '{self._column}' in {len(self._rows):,} rows"]

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError."""
        for row in self.only({column}):
            try:
                yield cell_at(row.cells, column)
            except KeyError:
                raise DataError(f"{row.where} has no column '{column}'{nearest(column, row.cells)}") from None

    def only(self, names: Collection[str]) -> "Spread":
        """Return the same rows with the cells of these columns alone, where that spares reading the others."""
        made = Spread(self._rows, self._column)
        made._rows = only(self._rows, {*names, self._column})
        return made

    @cached_property
    def _size(self) -> int:
        return sum(len(_members(cell, self._column, "a row")) for cell in self._rows.values(self._column))

    def __len__(self) -> int:
        """Return how many rows there are; those with lists where counting them would fetch what nobody asked for."""
        return len(self._rows) if self.missing_bytes() else self._size

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            if self._column not in row.cells:
                raise DataError(f"{row.where} has no column '{self._column}'{nearest(self._column, row.cells)}")
            for place, member in enumerate(_members(row.cells[self._column], self._column, row.where)):
                cells = {**row.cells, self._column: member}
                if cells.get("id") is not None:
                    cells["id"] = f"{cells['id']}-{place}"
                yield Row(cells, f"{row.where}, '{self._column}' {place}", row.base, row.root)


def _members(cell: Cell, column: str, where: str) -> Sequence[Cell]:
    """Return the members of a list, also of one written in a text. Raises DataError for what is none."""
    held = cell
    if isinstance(cell, str):
        try:
            held = read_list(cell)
        except Unclear as error:
            raise DataError(f"{where}: '{column}' may hold a list or a text; {REMEDY}") from error
    if not isinstance(held, list | tuple):
        raise DataError(f"{where}: `per` needs a list in '{column}', found {type(cell).__name__}")
    return held
