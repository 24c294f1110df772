"""Image folders: one folder per class, the layout of most classification sets."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.located import Located
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, Row

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""Endings of picture files, in any case."""

_COLUMNS = ("id", "image", "label")


class Folder(Located):
    """Pictures in `path/[split/]CLASS/**`, sorted by name: columns `id` (the relative path), `image` and `label`.

    Hidden files and folders are passed over. Raises DataError where there is no folder or no picture.
    """

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        if path is None:
            raise DataError("a folder source needs a `path`")
        root = _existing(Path(path))
        self._root = root if split is None else _existing(root / split)
        self._classes = tuple(entry.name for entry in _entries(self._root) if entry.is_dir())
        if not self._classes:
            raise DataError(f"{self._root} has no class folders, expected {self._root.name}/CLASS/PICTURE.jpg")
        self._size = sum(self._count(name) for name in self._classes)

    def columns(self) -> Sequence[str]:
        """Return `id`, `image` and `label`."""
        return _COLUMNS

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where a row lacks it."""
        return cells_of(self, column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names of the class folders, sorted, for `label`; None for other columns."""
        return self._classes if column == "label" else None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        for name in self._classes:
            for picture in _pictures(f"{self._root}/{name}"):
                relative = Path(picture).relative_to(self._root).as_posix()
                yield Row({"id": relative, "image": relative, "label": name}, relative, self._root)

    def _count(self, name: str) -> int:
        count = sum(1 for _ in _pictures(f"{self._root}/{name}"))
        if not count:
            # Neither to drop the class nor to keep it is safe: both change how hard the task is.
            expected = ", ".join(SUFFIXES)
            raise DataError(f"{self._root / name} has no pictures, expected files that end in {expected}")
        return count


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        beside = (other.name for other in folder.parent.iterdir()) if folder.parent.is_dir() else ()
        raise DataError(f"{folder} is no folder, expected one that holds class folders{nearest(folder.name, beside)}")
    return folder


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    # The order of a directory listing differs between file systems.
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)


def _pictures(folder: str) -> Iterator[str]:
    for entry in _entries(folder):
        if entry.is_dir():
            yield from _pictures(entry.path)
        elif entry.name.lower().endswith(SUFFIXES):
            yield entry.path
