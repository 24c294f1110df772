"""Files written beside their place and renamed, so that a reader finds the old content or the new, never a part."""

import errno
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PARTIAL = re.compile(r".+\.(?:(?:json|parquet|npz)\.(\d+)|(\d+)\.partial)")
"""A file that is being written and the number of its process; older versions had no ending of their own for it."""

_OLD = 3600.0
"""Seconds after which nobody is still writing, where files cannot be locked."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give the path to write to; it takes the place of `path` when all is written, and is removed where it is not."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    for left in os.listdir(path.parent):  # noqa: PTH208 - of names alone: a folder may hold thousands
        if left.startswith(f"{path.name}.") and left.endswith(".partial"):
            _sweep(path.with_name(left))
    try:
        with partial.open("wb") as held:  # held and locked for as long as this process lives
            if _lock(held.fileno()) is None:
                held.close()
            yield partial
            partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file where the user wants it: beside its place, but into a pipe or device that stands there. OSError."""
    data = content.encode(errors="replace") if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        _put(path, data, 0)
        return
    place = Path(os.path.realpath(path))  # a link stays one
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    with replaced(place) as partial:
        partial.write_bytes(data)


def append_whole(path: Path, content: str) -> None:
    """Append to a file, which may have other writers, in one piece. Raises OSError."""
    _put(path, content.encode(errors="replace"), os.O_APPEND | os.O_CREAT)


def _put(path: Path, data: bytes, flags: int) -> None:
    # The flag makes a pipe without a reader an error, never a wait.
    handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | flags, 0o666)
    with os.fdopen(handle, "wb", buffering=0) as file:
        file.write(data)


def sweep(folder: Path) -> None:
    """Remove what dead processes left half-written in a folder of results."""
    for path in folder.iterdir():
        _sweep(path)


def _sweep(path: Path) -> None:
    found = _PARTIAL.fullmatch(path.name)
    if found is None or Path(f"/proc/{found[1] or found[2]}").exists():
        return
    with suppress(OSError):  # another process may finish it meanwhile, or hold it
        if path.is_file() and _is_free(path):
            path.unlink()


def _is_free(path: Path) -> bool:
    """Tell whether no process, of whatever machine or container, is writing a file. Raises OSError."""
    with path.open("rb") as file:
        locked = _lock(file.fileno())
    return time.time() - path.stat().st_mtime > _OLD if locked is None else locked


def _lock(handle: int) -> bool | None:
    """Lock an open file until it is closed; False where another process holds it, None where files have no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
