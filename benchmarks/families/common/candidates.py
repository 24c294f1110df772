"""Candidates: the answers that the ranking routes choose from, listed or taken from other rows of the data."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain

from pydantic import BaseModel, ConfigDict, Field

from mmbench.benchmarks.families.common.wording import WordingOptions
from mmbench.benchmarks.named import candidate_list
from mmbench.benchmarks.sources.cells import texts
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Data, Row, Source
from mmbench.harness.types import Route

_KEY = "candidates"


class FromRows(BaseModel):
    """Candidates from other rows; besides these keys those of `source`, where they differ from the task's own."""

    model_config = ConfigDict(extra="allow")

    column: str | list[str] | None = None
    """Where the texts stand; None: where the task's own answers do."""
    limit: int | None = Field(default=None, ge=1)
    """Candidates at the most, the commonest first."""


class CandidateOptions(WordingOptions):
    """The keys of families whose answers are ranked among candidates."""

    candidates: str | list[str] | FromRows | None = None
    """The answers that the ranking routes choose from: a list, a file with one a line, or those of other rows. They are
    made from *train* answers."""


def routes_of(options: CandidateOptions) -> tuple[Route, ...]:
    """Return the order of preference: with candidates an answer is ranked among them, without it is written."""
    return ("generate", "likelihood", "embed") if options.candidates is None else ("likelihood", "embed", "generate")


class Candidates:
    """The answers to rank; those of other rows are read when they are first asked for.

    Raises DataError where they are not there, or are those of the rows that are asked.
    """

    def __init__(self, options: CandidateOptions, data: Data, field: str) -> None:
        given = options.candidates
        self._base = data.base
        self._listed: tuple[str, ...] = ()
        self._rows: Source | None = None
        self._columns: Sequence[str] = ()
        self._limit: int | None = None
        if isinstance(given, FromRows):
            self._rows = data.beside(_KEY, given.model_extra or {}, FromRows.model_fields)
            named = given.column or data.fields[field]
            self._columns = [named] if isinstance(named, str) else named
            self._limit = given.limit
            _check(self._columns, self._rows.columns())
        elif given is not None:
            self._listed = candidate_list(given, data.base)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Each candidate once: in the order of the list, or the commonest first. Raises DataError."""
        if self._rows is None:
            return self._listed
        counts = Counter(text for text in self._texts_of(self._rows) if text.strip())
        if not counts:
            raise DataError(f"`{_KEY}`: the rows hold no text in {' and '.join(map(repr, self._columns))}")
        return tuple(text for text, _ in counts.most_common(self._limit))  # of equally common ones the first to come

    def _texts_of(self, rows: Source) -> Iterator[str]:
        # By column, which spares reading pictures; row by row, so that all texts of a row are as early as it is.
        for number, cells in enumerate(zip(*map(rows.values, self._columns), strict=True)):
            row = Row({}, f"`{_KEY}`, row {number} (counted from 0)", self._base)
            yield from chain.from_iterable(texts(cell, row) for cell in cells if cell is not None)


def _check(wanted: Sequence[str], columns: Sequence[str]) -> None:
    for name in wanted:
        if name not in columns and name.partition(".")[0] not in columns:
            raise DataError(f"`{_KEY}`: the rows have no column '{name}'{nearest(name, columns)}")
