"""Cells of data files that hold clips: a path, bytes, a folder of frames, or a list of pictures."""

import math
import os
import re
from collections.abc import Mapping

from mmbench.benchmarks.sources.cells import is_number, listed_cells, local_path, picture, shown, text
from mmbench.benchmarks.sources.folder_files import CLIPS
from mmbench.harness.errors import DataError
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Video
from mmbench.harness.tasks.source import Cell, Row

_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")
"""`1:02:03.5`, `02:03.5`."""

_ENDS = (*CLIPS, ".ts", ".gif")
"""Of names of video files."""


def clip(cell: Cell, row: Row) -> Video:
    """Return the clip of a path, of bytes, of a `{bytes, path}` pair, of a folder of frames, or of a list of pictures.

    No file is opened here, and of a folder nothing but its names is read. Raises DataError for anything else.
    """
    if isinstance(cell, Video):
        return cell
    if isinstance(cell, Image):
        raise DataError(f"{row.where}: expected a clip, found a picture")
    data = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if isinstance(data, bytes):
        return Video.from_bytes(data, row.where)
    path = cell.get("path") if isinstance(cell, Mapping) and data is None else cell
    if is_number(path):
        path = text(path, row)
    if isinstance(path, str) and path and "\0" not in path:
        listed = listed_cells(path, row.where) if path.lstrip().startswith("[") else path
        if isinstance(listed, str):
            file = _named(local_path(path, row), row)
            return Video.from_path(row.base / file, locator=file)
        path = listed
    if isinstance(path, list | tuple) and path:
        return Video.of_frames([picture(each, row) for each in path], row.where)
    raise DataError(f"{row.where}: expected a clip (a path, bytes, or a list of pictures), found {shown(cell)}")


def _named(path: str, row: Row) -> str:
    """Return the path of a clip that data calls by its name alone, as many do, without the end of its file's name.

    Raises DataError where two files have it.
    """
    whole = row.base / path
    if os.path.lexists(whole):
        return path
    there = [end for end in _ENDS if os.path.lexists(f"{whole}{end}")]
    if len(there) > 1:
        raise DataError(f"{row.where}: {shown(path)} is {' and '.join(path + end for end in there)}; write which")
    return f"{path}{there[0]}" if there else path


def moment(cell: Cell, row: Row) -> float | None:
    """Return seconds of a number or of `hours:minutes:seconds`; None for an empty cell. Raises DataError.

    >>> from pathlib import Path
    >>> moment("1:02.5", Row({}, "row 0", Path()))
    62.5
    """
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return None
    value = float(cell) if is_number(cell) else _seconds(str(cell).strip())
    if value is None or not math.isfinite(value) or value < 0:
        raise DataError(f"{row.where}: expected a time in seconds, found {shown(cell)}")
    return value


def _seconds(text: str) -> float | None:
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = found.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    return float(text) if re.fullmatch(r"\d+(\.\d*)?|\.\d+", text) else None
