"""Common row parsing and column names of all families."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from mmbench.benchmarks.named import PLAIN, class_list, template_list
from mmbench.benchmarks.sources.cells import column, is_number, label_values, listed_cells, picture
from mmbench.benchmarks.sources.classes import canonical
from mmbench.benchmarks.sources.clips import clip, moment
from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.media.video import Medium, Video
from mmbench.harness.tasks.clip_fields import SEGMENT
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Cell, Data, Row
from mmbench.harness.types import Sample


def named_metrics(family: str, names: Sequence[str], known: Mapping[str, Metric]) -> list[Metric]:
    """Return the metrics of these names. Raises UsageError that names the nearest."""
    for name in names:
        if name not in known:
            raise UsageError(f"{family} has no metric '{name}'{nearest(name, known)}")
    return [known[name] for name in names]


def segment_of(data: Data, row: Row) -> tuple[Cell, ...]:
    """Return the cells that say where a clip's segment starts and ends; None where there is none: that side is open."""
    return tuple(row.cells.get(str(data.fields[key])) if key in data.fields else None for key in SEGMENT)


def media_of(data: Data, row: Row) -> tuple[Medium, ...]:
    """Return the clip of a row, or its pictures, of a list of them, or of several columns of which some may be empty.

    Nothing where the data has neither field. Raises DataError where the row has no picture.
    """
    if (name := data.fields.get("video")) is not None:
        return (_segment(data, row, column(row, str(name)), *segment_of(data, row)),)
    name = data.fields.get("image")
    if name is None:
        return ()
    if isinstance(name, list):
        cells = [cell for cell in (column(row, each) for each in name) if cell is not None and cell != ""]
    else:
        cell = column(row, name)
        cells = list(cell) if isinstance(cell, list | tuple) else [cell]
    if not cells:
        raise DataError(f"{row.where} has no picture; every row needs at least one")
    return tuple(picture(cell, row) for cell in cells)


def listed(data: Data, row: Row, field: str) -> list[Cell]:
    """Return the cells of a field that several columns may fill, without those that are empty."""
    names = data.fields[field]
    cells = [column(row, name) for name in (names if isinstance(names, list) else [names])]
    return [cell for cell in cells if cell is not None]


def clips_of(data: Data, row: Row) -> tuple[Video, ...]:
    """Return the clips of the field `videos`: of several columns, of a list in one, or of a single cell.

    A segment is told for each of them likewise. Raises DataError, also where these are not as many as the clips.
    """
    cells = _each(data, row, "videos")
    sides = [_each(data, row, key) if key in data.fields else [None] * len(cells) for key in SEGMENT]
    for key, side in zip(SEGMENT, sides, strict=True):
        if len(side) != len(cells):
            raise DataError(f"{row.where}: `{key}` tells of {len(side)} clips, and `videos` of {len(cells)}")
    return tuple(_segment(data, row, *each) for each in zip(cells, *sides, strict=True))


def _each(data: Data, row: Row, field: str) -> list[Cell]:
    """Return one cell for each clip; a list within one of several columns is a clip of pictures."""
    if isinstance(data.fields[field], list):
        return [column(row, name) for name in data.fields[field]]
    return list(listed_cells(column(row, str(data.fields[field])), row.where))


def _segment(data: Data, row: Row, cell: Cell, *sides: Cell) -> Video:
    start, end = (moment(side, row) for side in sides)
    if start is not None and end is not None and end <= start:
        raise DataError(f"{row.where}: the segment ends at {end:g} s and starts at {start:g} s")
    return clip(cell, row).sampled(data.frames, start, end)


def labelled_samples(data: Data, target: Callable[[Row], tuple[int, ...]]) -> Iterator[Sample]:
    """Yield one sample a row, with its picture and the classes that `target` reads. Raises DataError, as that does."""
    for number, row in enumerate(data.source):
        yield Sample(
            id=data.id_of(row, number),
            media=media_of(data, row),
            target=target(row),
            facts=data.facts_of(row),
        )


def shown_before(samples: Iterable[Sample]) -> int:
    """Return how many samples show the picture of an earlier one, by content, once their pictures were read."""
    shown = [first.known_digest or first.locator for sample in samples for first in sample.media[:1]]
    return len(shown) - len(set(shown))


def class_names(given: str | Sequence[str] | None, data: Data, label: str) -> tuple[str, ...]:
    """Return the classes as given, as the data names them, or as the sorted values of its labels."""
    if given is not None:
        listed = class_list(given, data.base)
        if "" in listed:
            data.notes.append(f"class {listed.index('')} has no name, as the task lists it: its prompts hold none")
        return listed
    if named := data.source.class_names(label):
        _note_codes(named, data)
        return tuple(named)
    own: set[str] = set()
    for number, cell in enumerate(data.source.values(label)):
        for value in label_values(cell, f"row {number} (counted from 0)"):
            if value is None or (isinstance(value, str) and not value.strip()):
                raise DataError(f"row {number} (counted from 0) has no label in column '{label}'")
            if not isinstance(value, str):
                what = "numbers" if is_number(value) else f"no texts ({type(value).__name__})"
                raise DataError(f"labels in column '{label}' are {what}; name the classes with the key 'classes'")
            own.add(canonical(value))
    if not own:
        raise DataError(f"column '{label}' holds no label at all")
    _note_codes(own, data)
    return tuple(sorted(own))


def prompt_templates(given: str | Sequence[str] | None, data: Data) -> tuple[str, ...]:
    """Return the templates as given, else as the data brings them, else `a photo of a {}.`."""
    brought = getattr(data.source, "templates", None)
    if given is None and brought is not None and (held := brought()):
        data.notes.append(f"prompt templates are those of the data ({len(held)})")
        return tuple(held)
    return template_list(PLAIN if given is None else given, data.base)


def named_by_source(given: str | Sequence[str] | None, data: Data, label: str) -> bool:
    """Tell whether the data itself names its classes, as folders do: a label in text is then a name and no index."""
    return given is None and data.source.class_names(label) is not None


_CODES = {
    r"\d+(\.0)?": "all digits",
    r"n\d{8}": "WordNet ids",
}


_EMPTY = ("nan", "none", "null", "n/a", "<na>", "nat")


def _note_codes(names: Collection[str], data: Data) -> None:
    """Note classes whose names say nothing to a text tower: its score would be that of the codes, or of empty cells."""
    for name in sorted(names):
        if name.lower() in _EMPTY:
            data.notes.append(
                f"one class is called '{name}', as tables write an empty cell; if it is none, take its rows out"
            )
    for pattern, what in _CODES.items():
        if all(re.fullmatch(pattern, name) for name in names):
            first = ", ".join(sorted(names)[:3])
            data.notes.append(
                f"the names of the classes are {what} ({first}), which say nothing of the pictures; "
                "list their names with the key `classes`"
            )


def is_multi_label(data: Data, label: str) -> bool:
    """Return True when the first label is a list: an item may then have several."""
    first = next(iter(data.source.values(label)), None)
    return isinstance(first, (list, tuple)) or label_values(first, "row 0 (counted from 0)") != (first,)
