"""Class names of a task, and the class that a cell of the label column names."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from mmbench.benchmarks.sources.cells import is_number, listed_cells, shown, text
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row, is_sound


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
    called: tuple[str, ...] = ()
    """What the data writes for each class, a text or a number, where the task says so; it is then read no other way."""
    kind: str = "class"
    """What messages call them: the options of a question are read in the same way."""
    indices: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    """The one spelling of a name to the index of each class that bears it: two for "missile" of ImageNet."""

    def __post_init__(self) -> None:
        indices: dict[str, tuple[int, ...]] = {}
        for index, name in enumerate(self.called or self.names):
            if not is_sound(name):
                raise DataError(f"the class name {shown(name)} holds half a surrogate pair; write it anew")
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
    if isinstance(cell, str) or (classes.called and not classes.own):
        return _index_of_text(cell if isinstance(cell, str) else text(cell, row), row, classes)
    if isinstance(cell, Decimal) and cell.is_finite() and cell == int(cell):
        cell = int(cell)
    # pandas writes whole numbers as floats where a cell of the column is empty.
    if is_number(cell) and cell == cell // 1:
        if not 0 <= cell < len(classes):
            expected = f"expected 0 to {len(classes) - 1}{_counted(cell, classes)}"
            raise DataError(f"{row.where}: {cell} is no {classes.kind} index, {expected}")
        return int(cell)
    expected = f"a {classes.kind} name or a 0-based {classes.kind} index".replace("a option", "an option")
    raise DataError(f"{row.where}: expected {expected}, found {shown(cell)}")


def _counted(cell: Cell, classes: Classes) -> str:
    """Return what is likely meant by an index just beyond those that there are."""
    if cell == len(classes) and classes.kind == "option":
        return "; where they count from 1, say so: `target_as: number`"
    if cell == len(classes):
        return f"; where they count from 1, say so: `classes: {{'1': {classes.names[0]}, …}}`"
    return "; -1 stands for a label that is kept back, as in test sets" if cell == -1 else ""


_ZERO_ONE = {"0", "1", "0.0", "1.0", "True", "False"}


def _may_be_flags(items: Sequence[Cell], classes: Classes) -> bool:
    """Tell whether labels may be a 0 or 1 for each class; a source that knows that they are indices gives a tuple."""
    named = all(isinstance(item, str) and item in classes.indices for item in items)
    return {*map(str, items)} <= _ZERO_ONE and not classes.called and not named


def class_indices(cell: Cell, row: Row, classes: Classes) -> tuple[int, ...]:
    """Return the classes of a multi-label cell in its order, each once: of a list or of a single label.

    An empty list is an item of no class. Raises DataError as `class_index`.
    """
    items = [cell] if isinstance(cell, str) and canonical(cell) in classes.indices else listed_cells(cell, row.where)
    if not isinstance(cell, tuple) and len(items) == len(classes) > 1 and _may_be_flags(items, classes):
        raise DataError(
            f"{row.where}: {shown(cell)} may be a 0 or 1 for each class, or a list of indices; "
            "write the names of its classes, or their indices"
        )
    return tuple(dict.fromkeys(class_index(item, row, classes) for item in items))


def _settled(classes: Classes) -> str:
    if classes.kind == "option":
        return "say which is meant, `target_as: text`, `index` (from 0) or `number` (from 1)"
    return "write a JSON integer for the index, or rename the class"


def _lettered(label: str, classes: Classes) -> str:
    """Return what is likely meant by a text that is no name."""
    if classes.kind == "option" and len(label.strip("().")) == 1 and label.strip("().").isalpha():
        return "; where the data writes letters, say so: `target_as: letter`"
    return _counted(int(label), classes) if label.isascii() and label.isdigit() and len(label) < 10 else ""  # noqa: PLR2004


def _index_of_text(label: str, row: Row, classes: Classes) -> int:
    label = canonical(label)
    named = classes.indices.get(label, ())
    # Nine digits are more than any list of classes needs, and int() refuses strings of thousands.
    number = int(label) if label.isascii() and label.isdigit() and len(label) <= 9 else None
    if number is not None and (classes.own or classes.called or number >= len(classes)):
        number = None
    if len(named) > 1:
        places = ", ".join(map(str, named))
        raise DataError(f"{row.where}: '{label}' is the name of several classes ({places}); write the index instead")
    if named and number is not None and number != named[0]:
        raise DataError(
            f"{row.where}: '{label}' is the name of {classes.kind} {named[0]} and the index of "
            f"'{classes.names[number]}'; {_settled(classes)}"
        )
    if named:
        return named[0]
    if number is None and classes.called:
        what = f"none of the {len(classes)} labels that `classes` lists{nearest(label, classes.called)}"
        raise DataError(f"{row.where}: '{label}' is {what}")
    if number is None and classes.own:
        what = f"none of the {len(classes)} class names that the data itself lists{nearest(label, classes.names)}"
        raise DataError(f"{row.where}: '{label}' is {what}")
    if number is None:
        raise DataError(
            f"{row.where}: '{label}' is neither one of the {len(classes)} {classes.kind} names nor an index "
            f"below {len(classes)}{nearest(label, classes.names)}{_lettered(label, classes)}"
        )
    return number
