"""Common row parsing and column names of all families."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mmbench.benchmarks.named import PLAIN, template_list
from mmbench.benchmarks.sources.cells import column, label_values, listed_cells, picture
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
        written = isinstance(cell, str) and cell.lstrip().startswith("[")
        cells = listed_cells(cell, row.where) if written or isinstance(cell, list | tuple) else [cell]
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


def prompt_templates(given: str | Sequence[str] | None, data: Data) -> tuple[str, ...]:
    """Return the templates as given, else as the data brings them, else `a photo of a {}.`."""
    brought = getattr(data.source, "templates", None)
    if given is None and brought is not None and (held := brought()):
        data.notes.append(f"prompt templates are those of the data ({len(held)})")
        return tuple(held)
    return template_list(PLAIN if given is None else given, data.base)


def is_multi_label(data: Data, label: str) -> bool:
    """Return True when the first label is a list: an item may then have several."""
    first = next(iter(data.source.values(label)), None)
    return isinstance(first, (list, tuple)) or label_values(first, "row 0 (counted from 0)") != (first,)
