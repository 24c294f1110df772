"""Other rows whose columns are added to those of a task, found by a key that both hold."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Join, Row, Source, cell_at, whole

_MOST = 1 << 32
"""Bytes of the other rows, which are held in memory."""


class Keyed:
    """The other rows and the columns in which both hold the key. Raises DataError where a column is not there."""

    def __init__(self, rows: Source, join: Join, own: Source) -> None:
        self.rows = rows
        if len(join.by) != 1:
            raise DataError("`join` needs `by: {COLUMN: COLUMN OF THE OTHER ROWS}`, one pair")
        ((self._mine, self._theirs),) = join.by.items()
        check_column("join", self._mine, own.columns())
        check_column("join", self._theirs, rows.columns())
        self._each = join.each
        if join.each is not None:
            check_column("join", join.each, rows.columns())

    def table(self, names: Collection[str] | None, own: Sequence[str]) -> Callable[[Row], Mapping[str, Cell]]:
        """Return what finds the cells that a row is given: those of `names`, None for all, which are none of its `own`.

        Raises DataError where two of the other rows have one key, or they are too many to hold.
        """
        keys = {self._theirs} if self._each is None else {self._theirs, self._each}
        rows = self.rows if names is None else only(self.rows, ({*names} - {*own}) | keys)
        if self._each is not None:
            return self._lists(rows, [name for name in rows.columns() if name not in own], self._each)
        table: dict[str, Mapping[str, Cell]] = {}
        held = 0
        for row in rows:
            key = said(cell_of(row.cells, self._theirs, row), self._theirs)
            if key is None or key in table:
                which = "no key" if key is None else f"again the key {key!r}"
                many = "" if key is None else "; name as `each` the column that tells such rows apart, to join them all"
                raise DataError(f"`join`: {row.where} has {which} in '{self._theirs}'{many}")
            table[key] = {name: cell for name, cell in row.cells.items() if name not in own}
            held = _holding(held, table[key].values())

        def found(row: Row) -> Mapping[str, Cell]:
            key = said(cell_of(row.cells, self._mine, row), self._mine)
            if key is None or key not in table:
                raise DataError(f"`join`: {row.where} has {key!r} in '{self._mine}', and no other row has this key")
            return table[key]

        return found

    def _lists(self, rows: Source, columns: Sequence[str], each: str) -> Callable[[Row], Mapping[str, Cell]]:
        """Return what finds the cells of all other rows of a key, a list for each column; empty where there is none."""
        table: dict[str, dict[str, list[Cell]]] = {}
        told: dict[str, str] = {}
        held = 0
        for row in rows:
            key, one = (said(cell_of(row.cells, name, row), name) for name in (self._theirs, each))
            if key is None or one is None:
                raise DataError(f"`join`: {row.where} has nothing in '{self._theirs if key is None else each}'")
            if one in told:
                raise DataError(
                    f"`join`: {row.where} has again {one!r} in '{each}', of {told[one]!r} and of {key!r}; what belongs "
                    "to two rows of a task is not read"
                )
            told[one] = key
            lists = table.setdefault(key, {name: [] for name in columns})
            for name in columns:
                lists[name].append(row.cells.get(name))
            held = _holding(held, row.cells.values())

        def found(row: Row) -> Mapping[str, Cell]:
            key = said(cell_of(row.cells, self._mine, row), self._mine)
            return table.get(key or "", {name: [] for name in columns})

        return found


def _holding(held: int, cells: Iterable[Cell]) -> int:
    """Return what is held with these cells too. Raises DataError where it is too much."""
    held += sum(map(_weight, cells))
    if held > _MOST:
        raise DataError(f"`join`: the other rows are more than {_MOST >> 30} GiB, and are held in memory")
    return held


def only(rows: Source, names: set[str]) -> Source:
    """Return the rows with these columns alone, where that spares reading the others."""
    narrowed: Callable[[set[str]], Source] | None = getattr(rows, "only", None)
    return rows if narrowed is None else narrowed(names)


def said(cell: Cell, column: str) -> str | None:
    """Return what a cell says where cells are compared, None where it is empty. Raises DataError for lists and records.

    >>> said(2.0, "level"), said("2", "level"), said(True, "easy"), said(None, "easy")
    ('2', '2', 'true', None)
    """
    if cell is None or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str | int | float):
        return str(whole(cell))
    raise DataError(f"'{column}' holds {type(cell).__name__}s, expected texts, numbers, true or false to compare with")


def cell_of(cells: Mapping[str, Cell], name: str, row: Row) -> Cell:
    """Return the cell of a column of a row. Raises DataError that names the nearest."""
    try:
        return cell_at(cells, name)
    except KeyError:
        raise DataError(f"{row.where} has no column '{name}'{nearest(name, cells)}") from None


def check_column(key: str, name: str, columns: Sequence[str]) -> None:
    """Raise DataError where there is no such column for a key of `source`."""
    if name not in columns and name.partition(".")[0] not in columns:
        raise DataError(
            f"`{key}`: the data has no column '{name}'{nearest(name, columns)} (columns: {', '.join(columns)})"
        )


def _weight(cell: Cell) -> int:
    if isinstance(cell, Mapping):
        return sum(map(_weight, cell.values()))
    return len(cell) if isinstance(cell, str | bytes) else 8
