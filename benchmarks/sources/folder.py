"""Folders of pictures or clips: one folder per class, the layout of most classification sets."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.classes import canonical
from mmbench.benchmarks.sources.folder_files import CLIPS, SUFFIXES, entries, files, is_clip, is_picture, notes_of
from mmbench.benchmarks.sources.located import Located
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Cell, PathSpec, Row

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Names of folders that are splits, in small letters, to the split."""


class FolderSpec(PathSpec):
    """The keys of a folder."""

    clips: Literal["files", "folders"] | None = None
    """`folders`: each folder of pictures below a class is a clip; `files`: the files are clips; None: as they end."""


class Folder(Located):
    """Pictures in `path/[split/]CLASS/**`, sorted by name: columns `id` (the relative path), `image` and `label`.

    Where there are video files and no pictures, or `clips: folders` says that each folder of pictures is a clip, the
    column is `video`.
    Hidden files and folders and the clutter of systems are passed over, files of other endings are counted in `notes`.
    Raises DataError where there is no folder or no picture.
    """

    Spec: ClassVar[type[FolderSpec]] = FolderSpec

    def __init__(self, path: Path | str | None, split: str | None, clips: Literal["files", "folders"] | None = None):
        if path is None:
            raise DataError("a folder source needs a `path`")
        root = _existing(Path(path))
        self._root = root if split is None else _existing(root / split)
        self._classes = tuple(entry.name for entry in entries(self._root) if entry.is_dir())
        if not self._classes:
            raise DataError(f"{self._root} has no class folders, expected {self._root.name}/CLASS/PICTURE.jpg")
        self._refuse_splits()
        self._clips = clips or self._told()
        self._left_out: Counter[str] = Counter()
        self._size = sum(self._count(name) for name in self._classes)
        self.notes = notes_of(self._left_out)
        """What a run says about the data."""

    @classmethod
    def open(cls, spec: Any, base: Path, split: str | None) -> Self:
        """Return the data that a task names. Raises DataError."""
        return cls(spec.located(base), split, spec.clips)

    def columns(self) -> Sequence[str]:
        """Return `id`, `image` or `video`, and `label`."""
        return ("id", self._shown, "label")

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where a row lacks it."""
        return cells_of(self, column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names of the class folders, sorted, for `label`; None for other columns."""
        return tuple(dict.fromkeys(map(canonical, self._classes))) if column == "label" else None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        for name in self._classes:
            for item in self._items(name):
                relative = Path(item).relative_to(self._root).as_posix()
                yield Row({"id": relative, self._shown: relative, "label": name}, relative, self._root)

    @property
    def _shown(self) -> str:
        return "video" if self._clips else "image"

    def _told(self) -> Literal["files"] | None:
        """Return `files` where the first file that is a picture or a clip is a clip."""
        found = (file for name in self._classes for file in files(f"{self._root}/{name}"))
        first = next((file for file in found if is_picture(file) or is_clip(file)), None)
        return "files" if first is not None and is_clip(first) else None

    def _items(self, name: str) -> Iterator[str]:
        """Yield the pictures or clips of a class; a clip that is a folder is the innermost one."""
        if self._clips != "folders":
            yield from filter(is_clip if self._clips else is_picture, files(f"{self._root}/{name}"))
            return
        yield from dict.fromkeys(str(Path(file).parent) for file in files(f"{self._root}/{name}") if is_picture(file))

    def _refuse_splits(self) -> None:
        kinds = [SPLIT_NAMES.get(name.lower()) for name in self._classes]
        if None in kinds and len(set(kinds) - {None}) < 2:  # one of other classes may well be called `train`
            return
        found = [name for name, kind in zip(self._classes, kinds, strict=True) if kind]
        raise DataError(
            f"the folders {', '.join(found)} of {self._root.name} are splits, no classes; "
            f"name one in `source`, such as `split: {found[0]}`"
        )

    def _count(self, name: str) -> int:
        fits = is_clip if self._clips == "files" else is_picture
        count = 0
        for file in files(f"{self._root}/{name}"):
            if fits(file):
                count += 1
            else:
                self._left_out[Path(file).suffix.lower()] += 1
        if not count:
            # Neither to drop the class nor to keep it is safe: both change how hard the task is.
            what, expected = ("clips", CLIPS) if self._clips == "files" else ("pictures", SUFFIXES)
            raise DataError(f"{self._root / name} has no {what}, expected files that end in {', '.join(expected)}")
        return sum(1 for _ in self._items(name)) if self._clips == "folders" else count


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        beside = (other.name for other in folder.parent.iterdir()) if folder.parent.is_dir() else ()
        raise DataError(f"{folder} is no folder, expected one that holds class folders{nearest(folder.name, beside)}")
    return folder
