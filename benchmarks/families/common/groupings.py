"""Groupings: which items of a task belong together, by columns or by their places."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mmbench.benchmarks.sources.cells import column, text
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Cell, Data, Row, Source

FACT = "group"
"""The fact that tells to which group an item belongs."""
_DIGITS = 19


class Every(BaseModel):
    """Rows whose numbers in a column leave one rest: copies of an item that are numbered so."""

    model_config = ConfigDict(extra="forbid")

    column: str
    modulo: Annotated[int, Field(ge=2)]


Places = Annotated[list[Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]], Field(min_length=1)]
"""Which of so many rows in turn belong together: of four, `[[0, 1], [2, 3]]`."""
OneGrouping = Annotated[int, Field(ge=2)] | Annotated[list[str], Field(min_length=1)] | Places | Every
_Name = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=40)]
GroupOption = OneGrouping | Annotated[dict[_Name, OneGrouping], Field(min_length=1)]


class Grouping:
    """Which items belong together: so many rows in turn, places of these, those with the same cells or the same rest.

    Raises DataError for a column that is neither a field nor a fact, and for places that leave a row out.
    """

    def __init__(self, by: OneGrouping, data: Data, name: str) -> None:
        self.by = by
        self.name = name
        """Empty where it is the only one."""
        self.fact = f"{FACT}:{name}" if name else FACT
        if self.fact in data.facts:
            raise DataError(f"the fact '{self.fact}' is made by the key `group`; take it out of 'facts'")
        self._columns = [by.column] if isinstance(by, Every) else _columns(by)
        self._places = _places(by)
        held = {*data.facts, *(each for each in data.fields.values() if isinstance(each, str))}
        if unknown := next((each for each in self._columns if each not in held), None):
            raise DataError(f"`group` is made of facts; write '{unknown}' into 'facts'")

    @property
    def in_turn(self) -> bool:
        """True where rows belong together by their places."""
        return bool(self._places)

    def as_json(self) -> Json:
        """Return what the protocol id is made of."""
        by = self.by
        if isinstance(by, Every):
            return {"column": by.column, "modulo": by.modulo}
        return by if isinstance(by, int) else [*by]

    def group_of(self, row: Row, number: int) -> str:
        """Return the group of a row. Raises DataError where a cell tells none."""
        if not self._places:
            return self._named([column(row, name) for name in self._columns], row)
        turn, place = divmod(number, len(self._places))
        which = self._places[place]
        return str(turn) if isinstance(self.by, int) else f"{turn}-{which}"

    def sizes(self, source: Source, groups: Collection[str]) -> Mapping[str, int]:
        """Return how many rows each of these groups has; where columns tell, they are read from end to end."""
        if self._places:
            each = Counter(self._places)
            return {name: each[int(name.rpartition("-")[2]) if "-" in name else 0] for name in groups}
        return Counter(
            self._named(cells, Row({}, f"row {number} (counted from 0)", Path()))
            for number, cells in enumerate(zip(*map(source.values, self._columns), strict=True))
        )

    def _named(self, cells: Iterable[Cell], row: Row) -> str:
        told = [text(cell, row) for cell in cells]
        if not isinstance(self.by, Every):
            return told[0] if len(told) == 1 else digest_json([*told])[:12]
        said = told[0]
        if not (said.isascii() and said.isdigit() and len(said) < _DIGITS):
            raise DataError(f"{row.where}: '{self.by.column}' holds {said[:40]!r}, expected a number for `group`")
        return str(int(said) % self.by.modulo)


def _columns(by: OneGrouping) -> list[str]:
    return [str(each) for each in by] if isinstance(by, list) and isinstance(by[0], str) else []


def _places(by: OneGrouping) -> list[int]:
    """Return of each of so many rows in turn the number of its group; nothing where columns tell. Raises DataError."""
    if isinstance(by, int):
        return [0] * by
    if not isinstance(by, list) or isinstance(by[0], str):
        return []
    of = {int(place): which for which, places in enumerate(by) for place in places}
    if sorted(of) != [*range(sum(map(len, by)))]:
        raise DataError(f"`group`: {by} does not name each of {len(of)} rows in turn once, counted from 0")
    return [of[place] for place in range(len(of))]
