"""Rows of a source as its task declares them: some of them alone, empty cells named, texts composed, tables joined."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.keyed import Keyed, cell_of, check_column, only, said
from mmbench.harness.tasks.over_rows import OverRows
from mmbench.harness.tasks.source import Cell, Other, Row, Source, SourceSpec, cell_at, whole
from mmbench.harness.tasks.spread import Spread

KEYS = ("per", "where", "empty", "texts", "join")
"""The keys of `source` that are read here."""

_HOLE = re.compile(r"\{([^{}]+)\}")
_SHOWN = 10


class Prepared(OverRows):
    """The rows of another source, in its order, without those that `where` leaves out.

    Nothing is guessed: a column, a value or a key that is not there is a DataError.
    """

    def __init__(self, rows: Source, spec: SourceSpec, joined: Keyed | None) -> None:
        super().__init__(rows)
        self._spec = spec
        self._joined = joined
        self._own = tuple(rows.columns())
        more = [] if joined is None else [name for name in joined.rows.columns() if name not in self._own]
        self._columns = (*self._own, *more, *spec.texts)
        self._wanted: frozenset[str] | None = None
        _check(spec, self._own, self._columns[: len(self._own) + len(more)])

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores should know of the data."""
        notes = super().notes
        if self._spec.where and self._here:
            notes.append(f"`where` keeps {len(self):,} of {len(self._rows):,} rows")
        elif self._spec.where:
            notes.append(f"`where` keeps some of {len(self._rows):,} rows")
        return notes

    def missing_bytes(self) -> int:
        """Return how much is still to be fetched, of joined rows too."""
        joined: int = 0 if self._joined is None else getattr(self._joined.rows, "missing_bytes", int)()
        return super().missing_bytes() + joined

    def columns(self) -> Sequence[str]:
        """Return the names of the columns, joined and composed ones last."""
        return self._columns

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind integer labels of a column of the rows themselves."""
        return self._rows.class_names(column) if column in self._own else None

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError."""
        if not self._spec.where and column.partition(".")[0] in self._own:
            yield from (_filled(cell, self._spec.empty) for cell in self._rows.values(column))
            return
        for row in self._narrowed({column}):
            try:
                yield cell_at(row.cells, column)
            except KeyError:
                raise DataError(f"{row.where} has no column '{column}'{nearest(column, row.cells)}") from None

    def only(self, names: Collection[str]) -> "Prepared":
        """Return the same rows with the cells of these columns alone, where their source spares reading the others."""
        made = Prepared(self._rows, self._spec, self._joined)
        made._wanted = frozenset(names)
        if self._spec.where and self._here:
            made._kept = self._kept  # counted once
        return made

    @property
    def _here(self) -> bool:
        """False where counting would fetch what nobody asked for yet."""
        return not super().missing_bytes()

    @cached_property
    def _kept(self) -> int:
        """Rows that `where` keeps. Raises DataError as `_Filter.check`."""
        kept = _Filter(self._spec)
        columns = (self._rows.values(name) for name in kept.columns)
        for cells in zip(*columns, strict=True):
            kept.takes([_filled(cell, self._spec.empty) for cell in cells])
        kept.check()
        return kept.count

    def __len__(self) -> int:
        """Return how many rows there are, at the most where `where` chooses among rows that are still to be fetched."""
        return self._kept if self._spec.where and self._here else len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return self._narrowed(self._wanted)

    def _narrowed(self, names: Collection[str] | None) -> Iterator[Row]:
        """Yield the rows with these columns and those that they are made of."""
        spec = self._spec
        rows = self._rows if names is None else only(self._rows, {*names, *_used(spec, names)})
        more = None if self._joined is None else self._joined.table(names and {*names, *_used(spec, names)}, self._own)
        kept = _Filter(spec)
        for row in rows:
            cells = {name: _filled(cell, spec.empty) for name, cell in row.cells.items()}
            if not kept.takes([cell_of(cells, name, row) for name in kept.columns]):
                continue
            made = Row(cells, row.where, row.base, row.root)
            if more is not None:
                cells.update(more(made))
            for name, lines in spec.texts.items():
                if names is None or name in names:
                    cells[name] = _composed(lines, made)
            yield made
        kept.check()


class _Filter:
    """What `where` keeps, and what it met on the way."""

    def __init__(self, spec: SourceSpec) -> None:
        self.columns = tuple(spec.where)
        self.count = 0
        """Rows that were kept."""
        self._others = [isinstance(given, Other) for given in spec.where.values()]
        self._named = [
            _listed(given.other_than if isinstance(given, Other) else given) for given in spec.where.values()
        ]
        self._met: list[set[str | None]] = [set() for _ in self.columns]

    def takes(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row with these cells is kept. Raises DataError for a list or a record."""
        told = [
            _there(cell) if named == [None] else said(cell, name)
            for cell, name, named in zip(cells, self.columns, self._named, strict=True)
        ]
        for one, met in zip(told, self._met, strict=True):
            met.add(one)
        kept = all((one in named) != other for one, named, other in zip(told, self._named, self._others, strict=True))
        self.count += kept
        return kept

    def check(self) -> None:
        """Raise DataError where a value that `where` names was in no row, or no row was kept."""
        for name, named, met in zip(self.columns, self._named, self._met, strict=True):
            missing = next((value for value in named if value not in met), "")
            if missing != "":
                found = ", ".join(map(repr, sorted(met, key=str)[:_SHOWN]))
                raise DataError(f"`where`: no row has {missing!r} in '{name}', only {found}")
        if self.columns and not self.count:
            raise DataError("`where` keeps no row; no row has what it asks of all its columns")


def _there(cell: Cell) -> str | None:
    """Tell whether a cell that is compared with nothing alone holds something: a picture, a list, a record."""
    parts = cell.values() if isinstance(cell, Mapping) else (cell,)
    return None if all(part is None or part == "" or part != part for part in parts) else "something"  # noqa: PLR0124


def prepared(rows: Source, spec: SourceSpec, joined: Callable[[], Source]) -> Source:
    """Return the rows as the keys of `source` declare them, or as they are where it has none. Raises DataError."""
    if spec.per is not None:
        rows = Spread(rows, spec.per)
    if not any(getattr(spec, key) for key in KEYS if key != "per"):
        return rows
    return Prepared(rows, spec, Keyed(joined(), spec.join, rows) if spec.join else None)


def _check(spec: SourceSpec, own: Sequence[str], columns: Sequence[str]) -> None:
    for name in spec.where:
        check_column("where", name, own)
    for name, lines in spec.texts.items():
        if name in columns:
            raise DataError(f"`texts`: the data has a column '{name}' already; give the text another name")
        for line in _lines(lines):
            for hole in _HOLE.findall(line):
                check_column("texts", hole, columns)


def _used(spec: SourceSpec, names: Collection[str]) -> set[str]:
    """Return the columns of which rows, texts and joined cells are made."""
    composed = {hole for name in names for line in _lines(spec.texts.get(name, ())) for hole in _HOLE.findall(line)}
    return {*spec.where, *composed, *(spec.join.by if spec.join else ())}


def _lines(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _listed(given: Any) -> list[str | None]:
    return [said(each, "where") for each in (given if isinstance(given, list) else [given])]


def _filled(cell: Cell, empty: Collection[str]) -> Cell:
    """Return a cell, None where its text is one that stands for nothing, or it is the number that pandas leaves."""
    nothing = cell.strip() in empty if isinstance(cell, str) else isinstance(cell, float) and cell != cell  # noqa: PLR0124
    return None if nothing else cell


def _composed(lines: str | Sequence[str], row: Row) -> str | None:
    """Return the lines with their columns filled in, without those of which a column is empty."""
    made = []
    for line in _lines(lines):
        texts = {hole: _text(cell_of(row.cells, hole, row), hole, row) for hole in _HOLE.findall(line)}
        if all(texts.values()):
            made.append(_HOLE.sub(lambda found: texts[found[1]], line))  # noqa: B023 - used at once
    return "\n".join(made) or None


def _text(cell: Cell, column: str, row: Row) -> str:
    if isinstance(cell, list | tuple):
        return "\n".join(_text(each, column, row) for each in cell)
    if isinstance(cell, str):
        return cell.strip()
    if cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)):
        return "" if cell is None or cell != cell else str(whole(cell))  # noqa: PLR0124
    raise DataError(f"{row.where}: '{column}' holds {type(cell).__name__}, expected text for `texts`")
