"""Regular files opened without waiting: a pipe, a device or a socket in a file's place is an error, never a wait."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


class NotRegular(OSError):
    """What stands in a file's place, or a file too large for its kind; `strerror` says it, as that of any OSError."""

    def __init__(self, reason: str) -> None:
        super().__init__(0, reason)

    def __str__(self) -> str:
        return str(self.strerror)


_ENDLESS = 1 << 40
"""Bytes: no picture and no table is as large, but files of systems that stand for memory say they are."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading bytes, or one that a link leads to. Raises OSError.

    Opening a pipe would wait for its writer, and a device may never end, so that neither is read.
    """
    try:
        # The flag, which no regular file heeds, has a pipe opened at once; Windows has neither.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        _refuse(path.stat())  # a socket cannot be opened, and this says why
        raise
    try:
        _refuse(os.fstat(handle))
    except NotRegular:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def regular(path: Path) -> Path:
    """Return a path for a library that opens it itself, once it is known to lead to a regular file. Raises OSError.

    pyarrow is such a library: a Python file that its threads still hold when Python ends aborts the process.
    """
    open_regular(path).close()
    return path


def read_regular(path: Path, most: int | None = None) -> bytes:
    """Return the content of a regular file of at most this many bytes. Raises OSError."""
    with open_regular(path) as file:
        # A buffer of the most would be asked of the system for each of many small files.
        room = -1 if most is None else min(most, os.fstat(file.fileno()).st_size) + 1
        content: bytes | None = file.read(room)
        if most is not None and content and len(content) == room:  # it grew, or its size is not what it holds
            content += file.read(most + 1 - room) or b""
    if content is None:
        raise NotRegular("it is a file of the system that has nothing to read yet")
    if most is not None and len(content) > most:
        raise NotRegular(f"larger than {most / 1e6:g} MB")
    return content


def _refuse(found: os.stat_result) -> None:
    if found.st_size >= _ENDLESS:
        raise NotRegular("it is a file without end")
    kind = next((name for test, name in _KINDS if test(found.st_mode)), None)
    if kind is not None:
        raise NotRegular(f"it is {kind}, not a file")
