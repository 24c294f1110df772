"""Annotations in one JSON document, as COCO, Karpathy's splits and VQA have them: what their sources share."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

from mmbench.benchmarks.sources.cells import data_file, shown
from mmbench.benchmarks.sources.text import TextFile
from mmbench.benchmarks.sources.text_bytes import decoded, whole_text
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.strict_json import parse_json
from mmbench.harness.tasks.source import Cell, PathSpec, Row

_MOST = 2_000_000_000
"""Bytes of a document, which is parsed as a whole; the instances of COCO's training pictures have 0.45 GB."""

_SHOWN = 200
"""Characters of a path in a message."""

_TRIED = 100
"""Rows of which one must have its picture, before a folder is taken for another one than was meant."""


class AnnotationsSpec(PathSpec):
    """The keys of a source that is a document beside a folder of pictures."""

    images: str | None = None
    """Folder of the pictures, relative to the task file; by default that of the document."""

    def folder(self, base: Path) -> Path:
        """Return the absolute folder of the pictures. Raises DataError."""
        if self.images is None:
            return self.located(base).parent
        return PathSpec(kind=self.kind, path=self.images).located(base)


@dataclass(frozen=True, slots=True)
class Told:
    """What a document tells."""

    cells: Sequence[Mapping[str, Cell]]
    """Those of each row."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Column to the names of all its labels, in the document's order."""


class Annotations(TextFile, ABC):
    """Rows made of a document once, held in memory without their pictures, those of a split where one is named."""

    Spec: ClassVar[type[AnnotationsSpec]] = AnnotationsSpec
    kind: ClassVar[str]

    @classmethod
    def open(cls, spec: AnnotationsSpec, base: Path, split: str | None) -> Self:  # type: ignore[override]
        """Return the data that a task names. Raises DataError."""
        file, folder = data_file(spec.located(base), cls.kind), spec.folder(base)
        if not folder.is_dir():
            raise DataError(f"{folder} is no folder; name that of the pictures as `images` in `source`")
        return cls(file, split, folder, cls.told(spec, base, file))

    def __init__(self, file: Path, split: str | None, folder: Path, told: Told) -> None:
        def rows() -> Iterator[Row]:
            return (Row(each, f"{file.name} item {number}", folder) for number, each in enumerate(told.cells))

        super().__init__(file, split, rows)
        self._names = told.names
        _check_pictures(self, folder)

    @classmethod
    @abstractmethod
    def told(cls, spec: Any, base: Path, file: Path) -> Told:
        """Read what the document tells. Raises DataError."""

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names of all labels of a column, where the document lists them."""
        return self._names.get(column)


def _check_pictures(rows: Annotations, folder: Path) -> None:
    """Raise DataError where none of the first pictures is there: one folder beside the right one is soon named."""
    cells = [row.cells for row in islice(rows, _TRIED) if "image" in row.cells]
    if cells and not holds_pictures(cells, folder):
        raise DataError(
            f"{folder} has no picture {str(cells[0]['image'])[:_SHOWN]!r}; "
            "name the folder of the pictures as `images` in `source`"
        )


def holds_pictures(rows: Sequence[Mapping[str, Cell]], folder: Path) -> bool:
    """Tell whether a picture of the first of these rows is in a folder."""
    return any(_is_there(folder, str(cells["image"])) for cells in rows[:_TRIED] if "image" in cells)


def _is_there(folder: Path, path: str) -> bool:
    try:
        return (folder / path).is_file()
    except (OSError, ValueError):  # longer than any file's name, or with a zero byte
        return False


def read_document(file: Path) -> Json:
    """Return what a JSON file holds. Raises DataError."""
    try:
        held: Json = parse_json(decoded(whole_text(file, _MOST), file))
    except json.JSONDecodeError as error:
        raise DataError(f"{file.name} line {error.lineno} is not valid JSON: {error.msg}") from error
    except ValueError as error:
        raise DataError(f"{file.name} is not valid JSON: {error}") from error
    return held


def records(document: Json, key: str, file: Path, what: str) -> list[Mapping[str, Json]]:
    """Return the records in the list under a key of a document. Raises DataError where there are none."""
    held = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(held, list):
        keys = [*map(str, document)] if isinstance(document, Mapping) else []
        raise DataError(f"{file.name} has no list '{key}', expected {what}{nearest(key, keys)}")
    for number, each in enumerate(held):
        if not isinstance(each, Mapping):
            raise DataError(f"{file.name}: '{key}' {number} is {shown(each)}, expected an object")
    return held


def part(record: Mapping[str, Json], key: str, where: str) -> Json:
    """Return what stands under a key of a record. Raises DataError where nothing does."""
    found = record.get(key)
    if found is None:
        raise DataError(f"{where} has no '{key}'{nearest(key, record)}")
    return found


def by_key(found: Sequence[Mapping[str, Json]], key: str, where: str) -> dict[str, Mapping[str, Json]]:
    """Return records by what stands under a key, as text. Raises DataError where two are alike."""
    held: dict[str, Mapping[str, Json]] = {}
    for number, record in enumerate(found):
        name = str(part(record, key, f"{where} {number}"))
        if name in held:
            raise DataError(f"{where}: two have the {key} {name}, expected different ones")
        held[name] = record
    return held
