"""Class names of a task, and the class that a cell of the label column names."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from mmbench.benchmarks.sources.cells import is_number, listed_cells, shown
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row


@lru_cache(maxsize=4096)  # labels are few, and come again with every row
def canonical(name: str) -> str:
    """Return the one spelling of a name: composed letters, nothing around that cannot be seen.

    >>> canonical("cafe\u0301 ") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name).strip().strip(_UNSEEN).strip()


_UNSEEN = "\ufeff\u200b\u200e\u200f"
"""Byte order mark, zero-width space and marks of direction, which spreadsheets and web pages leave."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a task, found by name or by index."""

    names: tuple[str, ...]
    """The place of a name is the index of its class."""
    own: bool = False
    """True where the data itself names its classes, as folders do: a label of digits is then a name and no index."""
    indices: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    """The one spelling of a name to the index of each class that bears it: two for "missile" of ImageNet."""

    def __post_init__(self) -> None:
        indices: dict[str, tuple[int, ...]] = {}
        for index, name in enumerate(self.names):
            spelling = canonical(name)
            indices[spelling] = (*indices.get(spelling, ()), index)
        object.__setattr__(self, "indices", indices)

    def __len__(self) -> int:
        return len(self.names)


def class_index(cell: Cell, row: Row, classes: Classes) -> int:
    """Return the 0-based class of a label: a number is an index, a string a name and else, if all digits, an index.

    Raises DataError where the label fits no class, or two.

    >>> digits = Classes(("zero", "one"))
    >>> from pathlib import Path
    >>> row = Row({}, "labels.csv line 2", Path())
    >>> class_index("one", row, digits), class_index("1", row, digits), class_index(1, row, digits)
    (1, 1, 1)
    """
    if isinstance(cell, str):
        return _index_of_text(cell, row, classes)
    if isinstance(cell, Decimal) and cell.is_finite() and cell == int(cell):
        cell = int(cell)
    # pandas writes whole numbers as floats where a cell of the column is empty.
    if is_number(cell) and cell == cell // 1:
        if not 0 <= cell < len(classes):
            raise DataError(f"{row.where}: {cell} is no class index, expected 0 to {len(classes) - 1}")
        return int(cell)
    raise DataError(f"{row.where}: expected a class name or a 0-based class index, found {shown(cell)}")


def class_indices(cell: Cell, row: Row, classes: Classes) -> tuple[int, ...]:
    """Return the classes of a multi-label cell in its order, each once: of a list or of a single label.

    An empty list is an item of no class. Raises DataError as `class_index`.
    """
    items = [cell] if isinstance(cell, str) and canonical(cell) in classes.indices else listed_cells(cell, row.where)
    return tuple(dict.fromkeys(class_index(item, row, classes) for item in items))


def _index_of_text(label: str, row: Row, classes: Classes) -> int:
    label = canonical(label)
    named = classes.indices.get(label, ())
    # Nine digits are more than any list of classes needs, and int() refuses strings of thousands.
    number = int(label) if label.isascii() and label.isdigit() and len(label) <= 9 else None
    if number is not None and (classes.own or number >= len(classes)):
        number = None
    if len(named) > 1:
        places = ", ".join(map(str, named))
        raise DataError(f"{row.where}: '{label}' is the name of several classes ({places}); write the index instead")
    if named and number is not None and number != named[0]:
        raise DataError(
            f"{row.where}: '{label}' is the name of class {named[0]} and the index of '{classes.names[number]}'; "
            "write a JSON integer for the index, or rename the class"
        )
    if named:
        return named[0]
    if number is None:
        raise DataError(
            f"{row.where}: '{label}' is neither one of the {len(classes)} class names nor an index "
            f"below {len(classes)}{nearest(label, classes.names)}"
        )
    return number
