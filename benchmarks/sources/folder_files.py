"""Files of a picture folder: which are pictures, which are clutter of systems, and which are left out and told."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import PIL.Image

from mmbench.harness.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""Endings of picture files that Pillow always reads, in any case."""

CLIPS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv", ".flv", ".wmv", ".3gp")
"""Endings of video files, in any case."""

_OPTIONAL = (".avif", ".heic", ".heif")
"""Endings that it reads where its build or a plug-in can."""

_CLUTTER = frozenset(
    (
        "@eadir",
        "__macosx",
        "lost+found",
        "$recycle.bin",
        "system volume information",
        "#recycle",
        "@recycle",
        "__pycache__",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
    )
)
"""Names, in small letters, that systems leave in people's folders; names that begin with a point are clutter too."""


def entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """Return what a folder holds, sorted by name, without clutter."""
    # The order of a directory listing differs between file systems.
    with os.scandir(folder) as found:
        kept = (each for each in found if not is_clutter(each.name))
        return sorted(kept, key=lambda each: each.name)


def is_clutter(name: str) -> bool:
    """Tell whether a file or folder of this name is passed over."""
    return name.startswith(".") or name.lower() in _CLUTTER


def files(folder: str, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[str]:
    """Yield the files of a folder and of those below it, in order, also behind links.

    Raises DataError where a link leads back into one of the folders `above`: pictures would come again and again.
    """
    state = Path(folder).stat()
    here = (state.st_dev, state.st_ino)
    if here in above:
        raise DataError(f"{folder} holds itself through a link; remove the link")
    for entry in entries(folder):
        if entry.is_dir():
            yield from files(entry.path, above | {here})
        else:
            yield entry.path


def is_picture(file: str) -> bool:
    """Tell whether the ending is one of pictures that can be read here."""
    name = file.lower()
    return name.endswith(SUFFIXES) or (name.endswith(_OPTIONAL) and Path(name).suffix in _registered())


def is_clip(file: str) -> bool:
    """Tell whether the ending is one of video files."""
    return file.lower().endswith(CLIPS)


def notes_of(left_out: Counter[str]) -> Sequence[str]:
    """Return what a run says about files that were left out, from their number by ending."""
    if not left_out:
        return ()
    endings = ", ".join(f"{ending or 'no ending'} ({count})" for ending, count in sorted(left_out.items()))
    total = left_out.total()
    what = "1 file in the class folders was" if total == 1 else f"{total} files in the class folders were"
    return (f"{what} left out, as the ending is not that of a picture that can be read: {endings}",)


@cache
def _registered() -> frozenset[str]:
    return frozenset(PIL.Image.registered_extensions())
