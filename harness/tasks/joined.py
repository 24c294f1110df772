"""Splits of one data set read as one table: a column says of which split a row is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from itertools import repeat
from typing import ClassVar, Self

from mmbench.harness.errors import DataError
from mmbench.harness.render.figures import some
from mmbench.harness.tasks.source import Cell, Row, Source, SourceSpec

SPLIT = "split"
"""The column that is made, with the names that the task file gives the splits, in the place of one of the data."""
_ID = "id"


def splits_of(given: object) -> dict[str, str]:
    """Return the splits that are read together: what the task calls them to what the data does; none where it is one.

    Raises DataError where the names are no texts, or one split has two of them.

    >>> splits_of({"train": "train", "test": "validation"}), splits_of("test")
    ({'train': 'train', 'test': 'validation'}, {})
    """
    if not isinstance(given, Mapping):
        return {}
    if not given or not all(isinstance(each, str) and each for each in given.values()):
        raise DataError(
            "`split` is one split, or several with what the data calls them: {train: train, test: validation}"
        )
    if len(set(given.values())) < len(given):
        raise DataError("`split` names one split of the data twice")
    return {str(name): each for name, each in given.items()}


class Joined:
    """Rows of several splits, one after the other; `id` is `SPLIT/ID`, as each split may count from 0 for itself.

    Raises DataError where the splits are not of one kind: other columns, or other names behind the labels.
    """

    Spec: ClassVar[type[SourceSpec]] = SourceSpec

    def __init__(self, parts: Mapping[str, Source]) -> None:
        self._parts = dict(parts)
        first, *others = self._parts
        self._columns = tuple(column for column in self._parts[first].columns() if column != SPLIT)
        for name in others:
            differ = sorted(({*self._parts[name].columns()} - {SPLIT}) ^ {*self._columns})
            if differ:
                raise DataError(f"the splits '{first}' and '{name}' differ in their columns: {some(differ, 5)}")
        self.notes = list(dict.fromkeys(note for part in self._parts.values() for note in getattr(part, "notes", ())))
        """What a reader of the scores should know of the data."""

    @classmethod
    def open(cls, spec: SourceSpec, base: object, split: str | None) -> Self:
        """Raise DataError: splits are joined where `split` of a source is a mapping."""
        raise DataError("`kind` names data, not how its splits are read")

    def columns(self) -> Sequence[str]:
        """Return the columns that the splits share, and `split`."""
        return (*self._columns, SPLIT)

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column, split after split."""
        for name, part in self._parts.items():
            if column == SPLIT:
                yield from repeat(name, len(part))
            elif column == _ID:
                yield from (f"{name}/{cell}" for cell in part.values(column))
            else:
                yield from part.values(column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind integer labels. Raises DataError where two splits have different ones."""
        found = {name: part.class_names(column) for name, part in self._parts.items()}
        first, *others = found
        for name in others:
            if [*(found[name] or ())] != [*(found[first] or ())]:
                raise DataError(f"the splits '{first}' and '{name}' have other names behind '{column}'; list `classes`")
        return found[first]

    def templates(self) -> Sequence[str] | None:
        """Return the prompt templates that the data brings."""
        brought = getattr(next(iter(self._parts.values())), "templates", None)
        return None if brought is None else brought()

    def only(self, names: Collection[str]) -> Self:
        """Return the same rows with the cells of these columns alone."""
        narrowed = copy(self)
        narrowed._parts = {
            name: part if (only := getattr(part, "only", None)) is None else only({*names} - {SPLIT})
            for name, part in self._parts.items()
        }
        return narrowed

    def missing_bytes(self) -> int:
        """Return the bytes that are still to be fetched."""
        return sum(getattr(part, "missing_bytes", int)() for part in self._parts.values())

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def __iter__(self) -> Iterator[Row]:
        for name, part in self._parts.items():
            for row in part:
                cells = {**row.cells, SPLIT: name}
                if _ID in cells:
                    cells[_ID] = f"{name}/{cells[_ID]}"
                yield Row(cells, f"{name}: {row.where}", row.base, row.root)
