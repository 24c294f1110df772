"""The right option as a data set writes it: a letter, a number, or its text, as the task declares."""

import re
import string
from collections.abc import Sequence
from typing import Literal

from mmbench.benchmarks.sources.cells import shown, text
from mmbench.benchmarks.sources.classes import Classes, canonical, class_index
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row

TargetAs = Literal["letter", "index", "number", "text"]
"""`letter`: `B`, `(b)` or `B.`; `index`: counted from 0, also in text; `number`: counted from 1; `text`: the option."""

_LETTER = re.compile(r"\(?([A-Za-z])[.):]?")


def right_option(cell: Cell, row: Row, options: Sequence[str], written: TargetAs | None) -> int:
    """Return the 0-based place of the right option; without `written` a text is a name and a number an index.

    Raises DataError where the cell is not written so, or is no option of the row.

    >>> from pathlib import Path
    >>> row = Row({}, "row 0", Path())
    >>> [right_option(cell, row, ["2", "1"], how) for cell, how in (("(b)", "letter"), ("1", "index"), (1, "number"))]
    [1, 1, 0]
    """
    if written is None:
        try:
            return class_index(cell, row, Classes(tuple(options)))
        except DataError as error:
            raise DataError(f"{error}{_how_to_say(cell)}") from error
    if written == "text":
        names = [canonical(option) for option in options]
        said = canonical(text(cell, row))
        if said not in names:
            raise DataError(f"{row.where}: '{said}' is none of the {len(options)} options{nearest(said, options)}")
        return names.index(said)
    place = _letter(cell, row) if written == "letter" else _number(cell, row) - (written == "number")
    if not 0 <= place < len(options):
        raise DataError(f"{row.where}: {shown(cell)} is the {written} of no option, of which there are {len(options)}")
    return place


def _how_to_say(cell: Cell) -> str:
    """Return which key of the task tells how a cell is meant that a class would not be written as."""
    said = cell.strip() if isinstance(cell, str) else ""
    if _LETTER.fullmatch(said):
        return "; if it is the letter of an option, say `target_as: letter` in the task"
    if said.isdigit():
        return "; or say `target_as: index`, `number` (from 1) or `text` in the task"
    return ""


def _letter(cell: Cell, row: Row) -> int:
    found = _LETTER.fullmatch(cell.strip()) if isinstance(cell, str) else None
    if found is None:
        raise DataError(f"{row.where}: expected a letter as `target_as` says, found {shown(cell)}")
    return string.ascii_uppercase.index(found[1].upper())


def _number(cell: Cell, row: Row) -> int:
    said = text(cell, row).strip()
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise DataError(f"{row.where}: expected a whole number as `target_as` says, found {shown(cell)}")
    return int(said)
