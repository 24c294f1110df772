"""The right option as a data set writes it: a letter, a number, or its text, as the task declares."""

import re
import string
from collections.abc import Iterable, Sequence
from typing import Literal

from mmbench.benchmarks.sources.cells import shown, text
from mmbench.benchmarks.sources.classes import Classes, canonical, class_index
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row

TargetAs = Literal["letter", "index", "number", "text"]
"""`letter`: `B`, `(b)` or `B.`; `index`: counted from 0, also in text; `number`: counted from 1; `text`: the option."""

_UNLIKELY = 0.001
"""Probability below which the order of options is hardly chance."""

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
        return class_index(cell, row, Classes(tuple(options), kind="option"))
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


def never_first(asked: Iterable[tuple[int, int]]) -> list[str]:
    """Return a note where no right option is the first, by the place of each and how many options there are.

    So it is where the data counts from 1 and is read from 0, and else hardly ever.

    >>> len(never_first([(1, 3)] * 20)), never_first([(1, 3)] * 10), never_first([(0, 3), *[(1, 3)] * 40])
    (1, [], [])
    """
    count, likely = 0, 1.0
    for place, options in asked:
        if place == 0:
            return []
        count, likely = count + 1, likely * (1 - 1 / options)
    if likely > _UNLIKELY:
        return []
    return [f"the first option is right in none of {count} items; if the data counts from 1, say `target_as: number`"]


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
