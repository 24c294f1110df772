"""Cells that hold masks: pictures, or segmentations as COCO writes them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from mmbench.benchmarks.families.common.placing import size_of
from mmbench.benchmarks.metrics.segmentation import Mask, mask_of_polygons, mask_of_runs
from mmbench.benchmarks.sources.cells import column, is_number, listed_cells, picture, shown
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import DataError, Unreadable
from mmbench.harness.strict_json import parse_json
from mmbench.harness.tasks.source import Cell, Data, Row
from mmbench.harness.types import Sample

_WHITE = 127
"""Above this level a mask is taken to be set, as the scripts of Where2Place and PointArena do."""


def identity(cell: Cell, row: Row) -> str:
    """Return what tells one mask from another. Raises DataError."""
    held = _segmentation(cell, row)
    if held is not None:
        return digest_json(held)
    try:
        return picture(cell, row).digest
    except Unreadable as error:
        raise DataError(f"{row.where}: the mask cannot be read ({error})") from error


def masks_of(data: Data, samples: Iterable[Sample]) -> Iterator[Mask | None]:
    """Yield the mask of each sample, in the order of the data; None where that has none, or the picture no size.

    Raises Unreadable for a picture that is none, and DataError.
    """
    name = data.fields.get("mask")
    rows = ((data.id_of(row, number), row) for number, row in enumerate(data.source if name else ()))
    for sample in samples:
        if name is None:
            yield None
            continue
        row = next(row for known, row in rows if known == sample.id)
        yield _mask(column(row, str(name)), row, sample)


def _mask(cell: Cell, row: Row, sample: Sample) -> Mask | None:
    held = _segmentation(cell, row)
    if held is None:
        return np.asarray(picture(cell, row).pil().convert("L")) > _WHITE
    try:
        if isinstance(held[0], Mapping):
            each = [mask_of_runs(one["counts"], *map(int, one["size"])) for one in held]
            if len({mask.shape for mask in each}) > 1:
                raise DataError("its parts are of pictures of different sizes")
            return np.asarray(np.logical_or.reduce(each))
        try:
            width, height = size_of(sample)
        except Unreadable:
            return None  # the item is an error by its picture
        return mask_of_polygons(held, height, width)
    except DataError as error:
        raise DataError(f"{row.where}: the mask cannot be used: {error}") from error


def _segmentation(cell: Cell, row: Row) -> Sequence[Cell] | None:
    """Return run lengths or outlines of a cell, one or several; None where it is a picture. Raises DataError."""
    if isinstance(cell, str) and cell.lstrip().startswith(("{", "[")):
        try:
            cell = parse_json(cell)
        except ValueError:
            return None
    if isinstance(cell, Mapping) and "counts" in cell:
        cell = [cell]
    if not isinstance(cell, list | tuple):
        return None
    if cell and all(map(is_number, cell)):
        cell = [cell]
    made = [_runs(each, row) if isinstance(each, Mapping) else _outline(each, row) for each in cell]
    if not made or len({isinstance(each, Mapping) for each in made}) > 1:
        raise DataError(
            f"{row.where}: expected a mask (a picture, run lengths or outlines of COCO), found {shown(cell)}"
        )
    return made


def _runs(given: Mapping[str, Cell], row: Row) -> Mapping[str, Cell]:
    counts: Cell = given.get("counts")
    size = listed_cells(given.get("size"), row.where)
    counts = counts.decode("ascii", "replace") if isinstance(counts, bytes) else counts
    written = isinstance(counts, str) or (isinstance(counts, list | tuple) and all(map(is_number, counts)))
    if not written or len(size) != 2 or not all(map(is_number, size)):
        raise DataError(f"{row.where}: expected a mask as {{size: [height, width], counts: …}}, found {shown(given)}")
    return {"size": [int(side) for side in size], "counts": counts if isinstance(counts, str) else [*map(int, counts)]}


def _outline(given: Cell, row: Row) -> list[float]:
    numbers = listed_cells(given, row.where)
    if not all(map(is_number, numbers)):
        raise DataError(f"{row.where}: expected an outline [x1, y1, x2, y2, …] of a mask, found {shown(given)}")
    return [float(number) for number in numbers]
