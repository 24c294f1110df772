"""The classes of a task: as it lists them, as the data names them, or as its labels have them; and what looks wrong."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from mmbench.benchmarks.named import CLASSES, class_list, class_map
from mmbench.benchmarks.sources.cells import is_number, label_values, some_names
from mmbench.benchmarks.sources.classes import Classes, canonical
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Cell, Data

ClassesOption = str | list[str] | dict[str, str]
"""A named list, a file, a list, or a table of what the data writes and the name of its class."""

_WORDNET = re.compile(r"n\d{8}")
_IMAGENET = ("n01440764", "n15075141", 1000)
"""First, last and number of the classes of ILSVRC 2012, whose indices go by the order of their WordNet ids."""


def classes_of(given: ClassesOption | None, data: Data, label: str) -> Classes:
    """Return the classes as given, as the data names them, or as the sorted values of its labels.

    What looks wrong in them is noted. Raises DataError.
    """
    made = _listed(given, data, label) if given is not None else _own(data, label)
    data.notes.extend(_oddities(made.names))
    return made


def _listed(given: ClassesOption, data: Data, label: str) -> Classes:
    if (table := class_map(given, data.base)) is not None:
        own = data.source.class_names(label)
        if own and {*own} <= {*table}:  # integers of the data are then indices into its own names
            return Classes(tuple(table[name] for name in own), own=True, called=tuple(own))
        return Classes(tuple(table.values()), called=tuple(table))
    names = class_list(given, data.base)  # type: ignore[arg-type]
    if "" in names:
        data.notes.append(f"class {names.index('')} has no name, as the task lists it: its prompts hold none")
    if isinstance(given, str) and given.startswith("imagenet") and given in CLASSES:
        own = data.source.class_names(label)
        if own and _is_imagenet(own):
            return Classes(names, called=tuple(sorted(own)))
    return Classes(names)


def _is_imagenet(own: Sequence[str]) -> bool:
    return (min(own), max(own), len(set(own))) == _IMAGENET and all(map(_WORDNET.fullmatch, own))


def _own(data: Data, label: str) -> Classes:
    if named := data.source.class_names(label):
        data.notes.extend(_codes(named))
        return Classes(tuple(named), own=True)
    names = _met(data, label)
    _refuse_joined(names, label)
    data.notes.extend(_codes(names))
    return Classes(tuple(sorted(names)))


def _met(data: Data, label: str) -> set[str]:
    """Return the different labels. Raises DataError for a label that is none, or no text."""
    found: set[str] = set()
    for number, cell in enumerate(data.source.values(label)):
        for value in label_values(cell, f"row {number} (counted from 0)"):
            if value is None or (isinstance(value, str) and not value.strip()):
                raise DataError(f"{_where(data, number)} has no label in column '{label}'")
            if not isinstance(value, str):
                raise DataError(f"{_where(data, number)}: {_no_text(value, label)}")
            found.add(canonical(value))
    if not found:
        raise DataError(f"column '{label}' holds no label at all")
    return found


def _where(data: Data, number: int) -> str:
    return next(islice(data.source, number, None)).where


def _no_text(value: Cell, label: str) -> str:
    if isinstance(value, Mapping):
        parts = some_names([*map(str, value)])
        return f"labels in column '{label}' are records of {parts}; name the part that is meant, as in `{label}.name`"
    what = "numbers" if is_number(value) else f"no texts ({type(value).__name__})"
    return f"labels in column '{label}' are {what}; name the classes with the key 'classes'"


_JOINTS = (";", "|")


def _refuse_joined(names: Collection[str], label: str) -> None:
    """Raise DataError where labels are several in one text: each set of them would be a class of its own."""
    for mark in _JOINTS:
        parts = {name: [part.strip() for part in name.split(mark)] for name in sorted(names)}
        met = Counter(part for each in parts.values() for part in each)
        joined = next((name for name, each in parts.items() if len(each) > 1 and any(met[one] > 1 for one in each)), "")
        if joined:
            first = ", ".join(f'"{one}"' for one in parts[joined])
            raise DataError(
                f"column '{label}' has the label '{joined}', which looks like several with '{mark}' between; "
                f"write them as a list, [{first}], or, if it is one, name the classes with the key 'classes'"
            )


_CODES = {r"\d+(\.0)?": "all digits", _WORDNET.pattern: "WordNet ids"}
_EMPTY = ("nan", "none", "null", "n/a", "<na>", "nat")


def _codes(names: Collection[str]) -> list[str]:
    """Return a note on labels that say nothing to a text tower: the score would be that of the codes, or of nothing."""
    made = [
        f"one class is called '{name}', as tables write an empty cell; if it is none, take its rows out"
        for name in sorted(names)
        if name.lower() in _EMPTY
    ]
    for pattern, what in _CODES.items():
        if all(re.fullmatch(pattern, name) for name in names):
            first = ", ".join(sorted(names)[:3])
            made.append(
                f"the names of the classes are {what} ({first}), which say nothing of the pictures; say what each "
                f"stands for by the key `classes`, as in {{'{min(names)}': NAME}}"
            )
    return made


def _oddities(names: Sequence[str]) -> list[str]:
    """Return notes on names that models can hardly tell apart, or that carry what is no part of a name."""
    made = []
    if len(names) == 1:
        several = "; in a file, each stands on a line of its own" if "," in names[0] else ""
        made.append(f"there is but one class, '{names[0][:60]}', so that every answer is right{several}")
    spelt: dict[str, str] = {}
    for name in names:
        other = spelt.setdefault(re.sub(r"[\s_-]", "", name.casefold()), name)
        if other != name:
            made.append(
                f"the classes '{other}' and '{name}' differ in capital letters, spaces or hyphens alone; "
                "write them alike if they are one"
            )
            break
    if low := [name for name in names if "_" in name]:
        made.append(
            f"names of classes have underscores ({', '.join(low[:3])}), which prompts show as they are; "
            f"say how they read by the key `classes`, as in {{'{low[0]}': '{low[0].replace('_', ' ')}'}}"
        )
    if any(_numbered(names, start) for start in (0, 1)):
        made.append(
            f"names of classes begin with their numbers ('{names[0]}'), which stand in the prompts too; take them out"
        )
    return made


def counted_from_one(names: Sequence[str], met: Collection[int]) -> list[str]:
    """Return a note where the first class alone has no item, as where labels count from 1 and are read from 0."""
    if len(names) < 3 or {*met} != {*range(1, len(names))}:  # noqa: PLR2004 - of two it says nothing
        return []
    return [
        f"no label is 0 ('{names[0]}'), and every other class has items; if labels count from 1, say which is which: "
        f"`classes: {{'1': {names[0]}, …}}`"
    ]


def _numbered(names: Sequence[str], start: int) -> bool:
    return all(re.match(rf"0*{number}[\s,.:;)_-]+[^\W\d]", name) for number, name in enumerate(names, start))
