"""Where the pictures of a table are: in a column, or in files near it that a column names in part."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbench.benchmarks.sources.cells import is_number, pictures
from mmbench.benchmarks.sources.folder_files import SUFFIXES, entries
from mmbench.harness.errors import MmbenchError
from mmbench.harness.tasks.source import Cell, Row, whole

NAMES = (
    "image",
    "images",
    "img",
    "picture",
    "photo",
    "file",
    "filename",
    "file_name",
    "filepath",
    "path",
    "image_path",
    "img_path",
    "image_file",
    "image_name",
    "imgname",
    "jpg",
)
"""Usual names of columns of pictures, in small letters."""

_NUMBERS = ("image_id", "imageid", "img_id", "imgid", "id", "name", "uid")
"""Names of columns that say how a file is called, often without its ending."""

_TRIED = 3
"""Rows that are looked at, of which one must have its picture."""

_NAMED = 20
"""Rows of which all must have their files, where these are looked for near a table."""

_MOST_FOLDERS = 40
_MADE = ("picture", "picture_file")
"""Names of the column that is composed where files are elsewhere than a column says."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where pictures are; what is not known is None."""

    column: str | None = None
    """That holds or names them."""
    field: str | None = None
    """What `image` of the task's fields is: the column, or one that is composed of it."""
    texts: str | None = None
    """How the composed column is written."""
    why: str = ""
    """Why the column that should hold them does not."""


def pictures_of(rows: Sequence[Row], names: Sequence[str]) -> Pictures:
    """Return where the pictures of a table are, looked for in its columns and in the folders near it."""
    lowered = {name.lower(): name for name in names}
    usual = [lowered[name] for name in NAMES if name in lowered]
    why = ""
    for name in dict.fromkeys((*usual, *names)):
        shows, reason = _shows(rows, name)
        if shows:
            return Pictures(name, name)
        why = why or (reason if name in usual or "is an address" in reason else "")
    told = [lowered[name] for name in _NUMBERS if name in lowered]
    for name in dict.fromkeys((*usual, *told, *names)):
        if (pattern := _near(rows, name)) is not None:
            field = next((made for made in _MADE if made not in names), None)
            return Pictures(name, field, pattern) if field else Pictures(name, name)
    named = next(iter(usual), None)
    return Pictures(named, named, why=why)


def _shows(rows: Sequence[Row], name: str) -> tuple[bool, str]:
    """Tell whether one of the first cells of a column is a picture that can be read, and else why the first is not."""
    why = ""
    for row in [row for row in rows if row.cells.get(name)][:_TRIED]:
        try:
            for each in pictures(row.cells[name], row):
                each.pil()
            return True, ""
        except MmbenchError as error:
            why = why or str(error)
    return False, why


def _near(rows: Sequence[Row], name: str) -> str | None:
    """Return how the files of a column's cells are called, relative to the table; None where that is not sure."""
    told = [(row.base, text) for row in rows if (text := _text(row.cells.get(name))) is not None][:_NAMED]
    if not told or "{" in name or "}" in name:
        return None
    base, first = told[0]
    endings = ("",) if first.lower().endswith(SUFFIXES) else ("", *SUFFIXES)
    found = called_near(base, {ending: [f"{text}{ending}" for _, text in told] for ending in endings})
    # Files that a column names as they are were read already: they are damaged.
    if found is None or found == (base, ""):
        return None
    folder, ending = found
    return f"{os.path.relpath(folder, base)}/{{{name}}}{ending}".removeprefix("./")


def called_near(base: Path, names: Mapping[str, Sequence[str]]) -> tuple[Path, str] | None:
    """Return the one folder near another that has all files of one of these lists, and the key of the list.

    Folders within come before those beside; None where none fits, or several do: names such as `7.jpg` are many things.
    """
    inner = [base, *_folders(base)]
    for folders in (inner, [base.parent, *_folders(base.parent)]):
        found = [
            (folder, key)
            for folder in dict.fromkeys(folders)
            for key, files in names.items()
            if (folders is inner or folder not in inner) and all(map(_is_file, (folder / file for file in files)))
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - a name of any length


def _text(cell: Cell) -> str | None:
    if isinstance(cell, str):
        return cell if cell and "\0" not in cell and len(cell) < 256 and ".." not in cell else None  # noqa: PLR2004
    return str(whole(cell)) if is_number(cell) and cell == cell // 1 else None


def _folders(base: Path) -> list[Path]:
    """Return the folders in another one, without those whose name has a brace."""
    found = [Path(entry.path) for entry in entries(base) if entry.is_dir()]
    return [each for each in found[:_MOST_FOLDERS] if not {"{", "}"} & {*each.name}]
