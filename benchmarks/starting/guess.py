"""What the columns of a table mean, guessed from their names and their first rows."""

import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice, takewhile
from typing import Any

from mmbench.benchmarks.sources.cells import listed_cells
from mmbench.benchmarks.sources.clips import clip, moment
from mmbench.benchmarks.sources.folder_files import is_clip
from mmbench.benchmarks.starting.pictures import pictures_of
from mmbench.harness.errors import MmbenchError
from mmbench.harness.tasks.source import Cell, Row, Source

SAMPLED = 500
"""Rows that are looked at."""
_TRIED = 3
"""Rows whose clips must be there for a column to be taken for that of the clips."""

_SHORT = 40
"""Characters: a longer text is no name of a group."""
_MOST_GROUPS = 20
_LABEL = ("label", "labels", "class", "cls", "category", "target", "species", "fine_label", "tags")
_LABEL_PARTS = ("label", "class", "categor", "species")
_CAPTIONS = ("captions", "caption", "references", "reference", "sentences", "texts", "text", "txt", "raw")
_QUESTION = ("question", "query", "prompt", "instruction")
_ANSWERS = ("answers", "answer", "gt_answer", "ground_truth", "response", "label", "target")
_OPTIONS = ("options", "choices", "multiple_choices", "candidates")
_TARGET = ("target", "answer", "label", "correct", "correct_choice_idx", "gt", "ground_truth")
_ONE_OPTION = re.compile(r"(?:(a|opt|option|choice|candidate)[ _-]?([0-9A-Ja-j])|([A-J]))", re.I)
_MARKS = ("0123456789", "123456789", "ABCDEFGHIJ")
_SEGMENT = {"start": ("start", "start_time", "start_sec"), "end": ("end", "end_time", "end_sec")}
_ROTATION = 1_000_000
_UNREAD = "no column holds pictures that can be read"
_YES_NO = {"yes", "no", "true", "false"}
_LETTERS = re.compile(r"\(?[A-Za-z][).]?")


@dataclass(slots=True)
class Guess:
    """What a table is taken for."""

    family: str
    fields: dict[str, str | list[str]]
    facts: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """Sentences on what a person should look at."""
    keys: dict[str, str] = field(default_factory=dict)
    """Other keys of the task, as they are written."""
    rows: dict[str, Any] = field(default_factory=dict)
    """Other keys of its source."""


def guess(source: Source) -> Guess | None:
    """Return what a source is taken for, or None where nothing fits: it needs a label, a question or captions."""
    rows = list(islice(source, SAMPLED))
    held = Table(rows, list(source.columns()))
    where = pictures_of(rows, held.names)
    film = held.clip() if where.field is None or where.why else None
    image = None if film else where.column
    made = _multiple_choice(held) or _asked(held) or _pairs(held)
    made = made or _captioned(held, image or film) or _labelled(held, source, image or film)
    if made is None:
        return None
    if image is not None and "images" not in made.fields:
        made.fields = {"image": _all_of(str(where.field), held.names), **made.fields}
        if where.texts is not None:
            made.rows = {"texts": {str(where.field): where.texts}}
            made.doubts.append(f"pictures are taken from files near the data, {where.texts}")
    elif film is not None:
        made.fields = {"video": film, **made.fields}
        made.keys["frames"] = "{sampler: uniform, count: 8}"
        for end, names in _SEGMENT.items():
            if found := held.named(names, held.moments):
                made.fields[end] = found
    if film is None and (where.why or image is None) and "images" not in made.fields:
        why = f"no column holds pictures that can be read ({where.why})" if where.why else _UNREAD
        made.doubts.append(f"{why}: name the one of the pictures as `image`")
    used = {name for names in made.fields.values() for name in ([names] if isinstance(names, str) else names)}
    if "options" in used and "A" in held.names:  # of which the options and the target are made
        used |= {*string.ascii_uppercase, "answer"}
    made.facts = [name for name in held.names if name not in ("id", *used) and held.is_group(name)]
    return made


def _all_of(image: str, names: Sequence[str]) -> str | list[str]:
    """Return the columns of one item's pictures, where they are numbered from 1 as in MMMU: all that there are."""
    if not image.endswith("_1"):
        return image
    numbered = takewhile(names.__contains__, (f"{image[:-1]}{number}" for number in count(1)))
    found = [*numbered]
    return found if len(found) > 1 else image


class Table:
    """The first rows of a source."""

    def __init__(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        self.rows = rows
        self.names = columns

    def named(self, names: Sequence[str], fits: Callable[[str], bool]) -> str | None:
        """Return the first column of one of these names, in any case, that fits."""
        lowered = {name.lower(): name for name in self.names}
        return next((lowered[name] for name in names if name in lowered and fits(lowered[name])), None)

    def cells(self, name: str) -> list[Cell]:
        """Return what is in a column, without empty cells."""
        return [cell for row in self.rows if (cell := row.cells.get(name)) is not None and cell != ""]

    def texts(self, name: str) -> list[str]:
        """Return the texts of a column, those of lists too; none where it holds anything else."""
        found: list[str] = []
        for row in self.rows:
            cell = row.cells.get(name)
            try:
                held = [] if cell is None else listed_cells(cell, row.where)
            except MmbenchError:
                return []
            found += [each for each in held if each is not None and each != ""]
        return found if all(isinstance(each, str) for each in found) else []

    def clip(self) -> str | None:
        """Return the first column of names of video files, also without their endings where these are there.

        Else the one that a source calls `video`.
        """
        named = (name for name in self.names if (cells := self.texts(name)) and all(map(is_clip, cells)))
        there = (name for name in self.names if self.plays(name))
        called = (name for name in self.names if name == "video" and self.cells(name))
        return next(chain(named, there, called), None)

    def plays(self, name: str) -> bool:
        """Tell whether the first cells of a column call clips that are there."""
        rows = [row for row in self.rows if row.cells.get(name) not in (None, "")][:_TRIED]
        try:
            return bool(rows) and all(
                is_clip(file := clip(row.cells[name], row).locator) and (row.base / file).is_file() for row in rows
            )
        except MmbenchError:
            return False

    def moments(self, name: str) -> bool:
        """Tell whether a column holds times."""
        try:
            return bool(self.cells(name)) and all(moment(row.cells.get(name), row) is not None for row in self.rows)
        except MmbenchError:
            return False

    def series(self) -> list[str]:
        """Return the columns of options that are numbered or lettered: `a0`, `a1`, …, `option 0`, …, `A`, `B`, …."""
        found: dict[tuple[str, bool], list[tuple[str, str]]] = {}
        for name in self.names:
            if (made := _ONE_OPTION.fullmatch(name)) and self.cells(name):
                mark = (made[2] or made[3]).upper()
                found.setdefault(((made[1] or "").lower(), mark.isdigit()), []).append((mark, name))
        for several in found.values():
            marks = [mark for mark, _ in several]
            if len(several) > 1 and any(marks == list(known[: len(marks)]) for known in _MARKS):
                return [name for _, name in several]
        return []

    def rotated(self) -> bool:
        """Tell whether rows are rotations of others, whose `index` is a million less, as in MMBench's own table."""
        numbers = {int(cell) for cell in self.cells("index") if str(cell).isascii() and str(cell).isdigit()}
        return any(number >= _ROTATION and number % _ROTATION in numbers for number in numbers)

    def is_read(self, name: str) -> bool:
        """Tell whether a column holds words, and not numbers alone."""
        return any(letter.isalpha() for text in self.texts(name) for letter in text)

    def is_record(self, name: str) -> bool:
        """Tell whether a column holds records, or lists of them."""
        first = next(iter(self.cells(name)), None)
        return isinstance(first[0] if isinstance(first, list) and first else first, dict)

    def part(self, name: str, keys: Sequence[str]) -> str | None:
        """Return the dotted name of the first of these keys that records of a column have; None where it has none."""
        first = next(iter(self.cells(name)), None)
        first = first[0] if isinstance(first, list) and first else first
        held = first if isinstance(first, dict) else {}
        return next((f"{name}.{key}" for key in keys if key in held), None)

    def alike(self, one: str, other: str) -> bool:
        """Tell whether two columns divide the rows into the same groups."""
        both = {(repr(row.cells.get(one)), repr(row.cells.get(other))) for row in self.rows}
        return len(both) == len({first for first, _ in both}) == len({second for _, second in both})

    def is_group(self, name: str) -> bool:
        """Tell whether a column divides the rows into a few named groups."""
        cells = self.cells(name)
        if not cells or not all(isinstance(cell, str) and len(cell) <= _SHORT for cell in cells):
            return False
        different = len(set(cells))
        return 1 < different <= min(_MOST_GROUPS, len(cells) / 2)


def _multiple_choice(table: Table) -> Guess | None:
    question = table.named(_QUESTION, lambda name: bool(table.texts(name)))
    columns: str | list[str] | None = table.named(_OPTIONS, lambda name: len(table.texts(name)) > len(table.rows))
    if columns is None and (held := table.named(_OPTIONS, table.is_record)) is not None:
        columns = table.part(held, ("text", "option", "answer"))
    if columns is None:
        columns = table.series() or None
    if question is None or columns is None:
        return None
    target = table.named(_TARGET, lambda name: bool(table.cells(name)))
    made = Guess("multiple-choice", {"question": question, "options": columns})
    if target is None:
        made.doubts.append("no column says which option is right: name it as `target`")
        return made
    made.fields["target"] = target
    texts = table.texts(target)
    if texts and all(_LETTERS.fullmatch(text.strip()) for text in texts):
        made.keys["target_as"] = "letter"
    elif texts and all(text.strip().isdigit() for text in texts):
        if any(int(text) == 0 for text in texts):
            made.keys["target_as"] = "index"
        else:
            made.doubts.append(f"'{target}' holds numbers: say whether from 0 (`target_as: index`) or 1 (`number`)")
    if table.rotated():
        made.fields = {"id": "index", **made.fields}
        made.keys |= {"group": f"{{column: index, modulo: {_ROTATION}}}", "metrics": "[group_accuracy, accuracy]"}
    return made


def _asked(table: Table) -> Guess | None:
    question = table.named(_QUESTION, lambda name: bool(table.texts(name)))
    if question is None:
        return None
    answers = table.named(_ANSWERS, lambda name: name != question and bool(table.cells(name)))
    answers = answers and (table.part(answers, ("answer", "text")) or answers)
    if answers is None:
        made = Guess("vqa", {"question": question})
        made.doubts.append("no column holds the answers: name it as `answers`")
        return made
    said = {str(cell).strip().lower() for cell in table.cells(answers)}
    if said and said <= _YES_NO:
        return Guess("yes-no", {"question": question, "target": answers})
    return Guess("vqa", {"question": question, "answers": answers})


def _pairs(table: Table) -> Guess | None:
    lowered = {name.lower(): name for name in table.names}

    def two(stem: str) -> list[str]:
        for first, second in ((f"{stem}_0", f"{stem}_1"), (f"{stem}_1", f"{stem}_2"), (f"{stem}0", f"{stem}1")):
            if first in lowered and second in lowered:
                return [lowered[first], lowered[second]]
        return []

    captions, images = two("caption"), two("image")
    if not captions or not images:
        return None
    return Guess("pairs", {"images": images, "captions": captions})


def _captioned(table: Table, image: str | None) -> Guess | None:
    captions = table.named(_CAPTIONS, lambda name: name != image and bool(table.texts(name)))
    if captions is None or table.is_group(captions):
        return None
    made = Guess("retrieval", {"captions": captions})
    made.doubts.append(
        f"captions to be found; for captions to be written: `family: captioning` and `references: {captions}`"
    )
    return made


def _labelled(table: Table, source: Source, image: str | None) -> Guess | None:
    others = [name for name in table.names if name != image and table.cells(name)]
    lowered = {name.lower(): name for name in others}
    named = [lowered[name] for name in _LABEL if name in lowered]
    spoken = [name for name in others if any(part in name.lower() for part in _LABEL_PARTS)]
    label = next(iter((*named, *spoken)), None)
    if label is None:
        label = next((name for name in others if name != "id" and table.is_group(name) and table.is_read(name)), None)
    elif not table.is_read(label) and source.class_names(label) is None:
        # Of `class_index` and `class_name` the one that a model can read.
        label = next((name for name in (*named, *spoken) if table.is_read(name) and table.alike(label, name)), label)
    if label is None:
        return None
    made = Guess("zero-shot-classification", {"label": label})
    if source.class_names(label) is None and not table.is_read(label) and not table.is_record(label):
        made.keys["classes"] = "classes.txt"
        made.doubts.append("labels are numbers: write the names of the classes into classes.txt, one a line, in order")
    return made


def splits_of(source: Source) -> Mapping[str, int]:
    """Return how many rows each split has, where a column `split` tells."""
    counts: dict[str, int] = {}
    if "split" in source.columns():
        for cell in source.values("split"):
            counts[str(cell)] = counts.get(str(cell), 0) + 1
    return counts
