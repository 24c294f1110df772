"""Rows over those of another source: what a kind of them does not say for itself is as there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Source, SourceSpec


class OverRows:
    """What all sources have that a task makes of another one, which was opened before."""

    Spec: ClassVar[type[SourceSpec]] = SourceSpec

    def __init__(self, rows: Source) -> None:
        self._rows = rows

    @classmethod
    def open(cls, spec: Any, base: Path, split: str | None) -> Self:
        """Raise DataError: the other source is what can be opened."""
        raise DataError(f"{cls.__name__.lower()} rows cannot be opened by name")

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores should know of the data."""
        return list(getattr(self._rows, "notes", ()))

    def templates(self) -> Sequence[str] | None:
        """Return the prompt templates that the data brings."""
        brought: Callable[[], Sequence[str] | None] | None = getattr(self._rows, "templates", None)
        return None if brought is None else brought()

    def missing_bytes(self) -> int:
        """Return how much is still to be fetched."""
        missing: int = getattr(self._rows, "missing_bytes", int)()
        return missing

    def columns(self) -> Sequence[str]:
        """Return the names of the columns."""
        return self._rows.columns()

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind integer labels of a column."""
        return self._rows.class_names(column)
