"""Rows of scenes remembered between runs: to draw lots for them anew takes longer than all else of a warm task.

One file a split, beside the store, which counts only for the code that would make the same rows.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mmbench.benchmarks.scenes.shown_again import drawn_once
from mmbench.harness import digest as digests
from mmbench.harness.media import image as images
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.store.location import store_path
from mmbench.harness.store.made import keep_made, maker, recall_made
from mmbench.harness.tasks.source import Cell, Row

_NO_FOLDER = Path()
"""What paths of rows without paths are relative to."""


def frozen(made: Mapping[str, Cell], where: str) -> Row:
    """Return a row that nobody can change, since all who ask for it share it."""
    return _row({name: tuple(cell) if isinstance(cell, list) else cell for name, cell in made.items()}, where)


def _row(fixed: dict[str, Cell], where: str) -> Row:
    return Row(MappingProxyType(fixed), where, _NO_FOLDER)


def recall(name: str, split: str, count: int, again: int = 0) -> tuple[Row, ...] | None:
    """Return the rows of a split as `keep` was given them; None where there are none that are sure.

    The pictures of the first `again` are shown in parts as well.
    """
    try:
        packed = recall_made(_file(name, split), _maker())
        if packed is None:
            return None
        whole, *scenes = zlib.decompress(packed).split(b"\n")
        rows = _unpacked(json.loads(whole), iter(scenes), again)
    except (OSError, ValueError, TypeError, LookupError, StopIteration, zlib.error):
        return None
    return rows if len(rows) == count else None


def keep(name: str, split: str, rows: Sequence[Row]) -> None:
    """Remember all rows of a split."""
    from mmbench.benchmarks.scenes.scene import SIDE  # as below, of what is remembered nobody needs it

    scenes: list[str] = []
    pictured = [column for column, cell in rows[0].cells.items() if _shows(cell)]
    columns: dict[str, list[Any]] = {column: [row.cells[column] for row in rows] for column in rows[0].cells}
    columns |= {column: [_packed(cell, scenes) for cell in columns[column]] for column in pictured}
    whole = {"where": [row.where for row in rows], "columns": columns, "pictures": pictured, "side": SIDE}
    packed = zlib.compress("\n".join([_text(whole), *scenes]).encode(), 1)
    with suppress(OSError):  # of an installation without its source
        keep_made(_file(name, split), _maker(), packed)


def _file(name: str, split: str) -> Path:
    return store_path().with_name("scenes") / f"{name}-{split}"


@cache
def _maker() -> str:
    """Return the identity of all that decides what a row is. Raises OSError."""
    here = Path(__file__).parent
    return maker([*sorted(here.rglob("*.py")), Path(images.__file__), Path(digests.__file__)])


def _shows(cell: Cell) -> bool:
    return isinstance(cell, Image) or (isinstance(cell, tuple) and any(isinstance(each, Image) for each in cell))


def _packed(cell: Cell, scenes: list[str]) -> Any:
    """Return a cell of pictures as JSON holds it; what they are drawn from is added to `scenes`."""
    if isinstance(cell, tuple):
        return [_packed(each, scenes) for each in cell]
    if not isinstance(cell, Image):
        raise TypeError("a column of pictures has another cell")
    scenes.append(_text(cell.params))
    return {"at": cell.locator, "digest": cell.digest}


def _unpacked(whole: Any, scenes: Iterable[bytes], again: int) -> tuple[Row, ...]:
    columns, left, size = whole["columns"], iter(scenes), (whole["side"], whole["side"])
    for column in whole["pictures"]:
        columns[column] = [
            _picture(cell, left, size, again=row < again)
            if isinstance(cell, dict)
            else tuple(_picture(each, left, size) for each in cell)
            for row, cell in enumerate(columns[column])
        ]
    # By column, of which few hold lists: row by row it would take longer than all else.
    columns = {name: _fixed(cells) for name, cells in columns.items()}
    made = zip(*columns.values(), strict=True)
    return tuple(
        [_row(dict(zip(columns, row, strict=True)), where) for row, where in zip(made, whole["where"], strict=True)]
    )


def _fixed(cells: Sequence[Cell]) -> Sequence[Cell]:
    if list not in set(map(type, cells)):
        return cells
    return [tuple(cell) if isinstance(cell, list) else cell for cell in cells]


def _picture(
    packed: Mapping[str, str], scenes: Iterator[bytes], size: tuple[int, int], *, again: bool = False
) -> Image:
    draw: Callable[[], Pixels] = partial(_draw, next(scenes))
    draw = drawn_once(packed["digest"], draw) if again else draw
    return Image.known(draw, packed["at"], packed["digest"], size)


def _draw(scene: bytes) -> Pixels:
    from mmbench.benchmarks.scenes import render

    return render.draw_scene(None, **json.loads(scene))


def _text(whole: Any) -> str:
    return _ENCODER.encode(whole)


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
"""Made once: `json.dumps` makes one for each call."""
