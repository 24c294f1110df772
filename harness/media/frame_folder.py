"""Folders of frames as clips: pictures in the order of the numbers in their names."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Image

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_MOST = 1 << 20
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def frames_in(folder: Path, locator: str) -> tuple[Image, ...]:
    """Return the pictures of a folder; `img_2.jpg` comes before `img_10.jpg`.

    A listing has no order of its own, and the order of letters is that of time only where numbers have leading zeros.
    Raises Unreadable where there are none, or pictures of several series, such as optical flow beside frames.
    """
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.name.lower().endswith(_PICTURES) and each.name[0] != "."]
    except OSError as error:
        raise Unreadable(f"{locator}: {error.strerror or error}") from error
    if not names:
        raise Unreadable(f"{locator}: there is no picture in this folder of frames")
    if len(names) > _MOST:
        raise Unreadable(f"{locator}: more than {_MOST} frames")
    _check_one_series(names, locator)
    return tuple(Image.from_path(folder / name, f"{locator}/{name}") for name in sorted(names, key=_natural))


def _check_one_series(names: Sequence[str], locator: str) -> None:
    stems = [name.rpartition(".")[0] for name in names]
    kinds = sorted({_NUMBER.sub("#", stem) for stem in stems})
    remedy = "put one into a folder of its own, or list the pictures in the data"
    if len(kinds) > 1 and any("#" in kind for kind in kinds):
        told = " and ".join(kinds[:2]) + (" and others" if len(kinds) > 2 else "")
        raise Unreadable(f"{locator}: its pictures are of several series ({told}), of which nobody tells one; {remedy}")
    ((twice, count),) = Counter(stems).most_common(1)
    if count > 1:
        raise Unreadable(f"{locator}: it holds several pictures called {twice}; {remedy}")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return what names are sorted by, so that numbers in them count as numbers.

    >>> sorted(["f10.png", "f9.png", "f09b.png"], key=_natural)
    ['f09b.png', 'f9.png', 'f10.png']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), part) if part.isdigit() and len(part) < 100 else (1, 0, part) for part in parts if part]
