"""Tables of VLMEvalKit: tab-separated, pictures as base64 or as the index of another row, options in columns A, B, …"""

import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.cells import listed_cells, shown
from mmbench.benchmarks.sources.csv import CsvFile
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Cell, Row

_LONGEST_INDEX = 64
"""Characters: a picture's cell of no more is the index of the row that has it (VLMEvalKit, vlmeval/dataset)."""

_EMPTY = ("", "nan", "NaN")
"""Options that are none: pandas writes an empty cell so, as a text where a table went through it as texts."""

_MOST_SHARED = 1 << 32
"""Characters of pictures that other rows name, which are held in memory."""


class TsvFile(CsvFile):
    """Rows of a table that VLMEvalKit reads, as it is; every cell is a string.

    Besides its own columns it has `id` (the column `index`), `options` (the list of what stands in A, B, … to the last
    that is not empty) and `target` (the 0-based place of the option whose letter, or text, is in `answer`), each where
    the table has no column of this name. `image` holds the picture, or the list of them, also where the table names
    another row's, or a file in `image_path`. Raises DataError as `CsvFile`.
    """

    kind = "tsv"
    delimiter = "\t"

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        self._shared: dict[str, Cell] | None = None
        super().__init__(path, split)

    def _read(self) -> Iterator[Row]:
        if self._shared is None:
            self._shared = self._named_pictures()
        for row in super()._read():
            yield Row(_completed(row, self._shared), row.where, row.base)

    def _named_pictures(self) -> dict[str, Cell]:
        """Return the pictures that other rows name, by their index, also of a row that names one itself."""
        names = {
            row.cells["index"]: cell
            for row in super()._read()
            if (cell := row.cells.get("image")) and len(cell) <= _LONGEST_INDEX and "index" in row.cells
        }
        named = {*names.values()}
        held: dict[str, Cell] = {}
        size = 0
        for row in super()._read() if named else ():
            cell, index = row.cells.get("image", ""), row.cells["index"]
            if index in named and len(cell) > _LONGEST_INDEX:
                held[index] = cell
                size += len(cell)
                if size > _MOST_SHARED:
                    raise DataError(
                        f"{row.where}: more than {_MOST_SHARED / 1e9:.0f} GB of pictures are named by others"
                    )
        for first in named - held.keys():
            last, seen = first, {first}
            while (last := names.get(last, "")) and last not in seen:
                seen.add(last)
                if last in held:
                    held[first] = held[last]
                    break
        return held


def _completed(row: Row, shared: Mapping[str, Cell]) -> dict[str, Cell]:
    cells = dict(row.cells)
    own = cells.get("image") or cells.get("image_path")
    if own:
        several = _several(own, row.where)
        cells["image"] = shared.get(own, own) if several is None else [shared.get(each, each) for each in several]
    if "index" in cells:
        cells.setdefault("id", cells["index"])
    options = _options(cells, row.where)
    if "B" in cells and "options" not in cells:
        cells["options"] = options
        answer = str(cells.get("answer", ""))
        target = _target(answer, options)
        if target is not None:
            cells.setdefault("target", target)
        elif answer and "target" not in cells:
            found = (
                f"the answer {shown(answer)} is neither the letter nor the text of one of its {len(options)} options"
            )
            return _Lacking(cells, f"{row.where}: {found}")
    return cells


class _Lacking(dict[str, Cell]):
    """Cells of a row of which no target can be told; who asks for it is told why, and others are not troubled."""

    def __init__(self, cells: Mapping[str, Cell], why: str) -> None:
        super().__init__(cells)
        self._why = why

    def __missing__(self, name: str) -> Cell:
        if name == "target":
            raise DataError(self._why)
        raise KeyError(name)


def _several(cell: str, where: str) -> list[str] | None:
    """Return the pictures of a cell that lists them, as Python writes it; None where it is one. Raises DataError."""
    if not cell.lstrip().startswith("["):
        return None
    found = listed_cells(cell, where)
    return [str(each) for each in found] if len(found) > 1 or found != [cell] else None


def _options(cells: Mapping[str, Cell], where: str) -> list[str]:
    """Return the options of a row. Raises DataError where a letter is left out: the marks would be those of others."""
    letters = [letter for letter in string.ascii_uppercase if cells.get(letter, "") not in _EMPTY]
    if "B" not in cells or not letters:
        return []
    expected = string.ascii_uppercase[: len(letters)]
    if letters != [*expected]:
        missing = next(letter for letter in expected if letter not in letters)
        raise DataError(f"{where} has an option {letters[-1]} and none {missing}; write the options without a gap")
    return [str(cells[letter]) for letter in letters]


def _target(answer: str, options: Sequence[str]) -> int | None:
    """Return the place of the right option; None where the answer is neither a letter of one nor its text."""
    said = answer.strip()
    place = string.ascii_uppercase.find(said.upper()) if len(said) == 1 else -1
    if 0 <= place < len(options):
        return place
    return options.index(said) if options.count(said) == 1 else None
