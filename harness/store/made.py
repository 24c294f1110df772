"""What takes long to make, remembered beside the store: one file each, which may be deleted at any time.

It counts only for the code that would make the same, and only undamaged; else it is made again. Where the disk is full
or not ours it is made each time.
"""

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mmbench.harness.digest import digest_bytes
from mmbench.harness.regular import read_regular

_MOST = 1 << 28
"""Bytes of a file that is read."""


def maker(modules: Iterable[Path]) -> str:
    """Return the identity of code, by the text of all its modules and what they run on. Raises OSError."""
    versions = f"{platform.python_version()} {np.__version__}"
    return digest_bytes(versions.encode(), *(module.read_bytes() for module in modules))


def recall_made(file: Path, code: str) -> bytes | None:
    """Return what code of this identity made; None where there is nothing that is sure."""
    try:
        head, _, content = read_regular(file, _MOST).partition(b"\n")
    except (OSError, ValueError):
        return None
    return content if head == _head(code, content) else None


def keep_made(file: Path, code: str, content: bytes) -> None:
    """Remember what code of this identity made, whole or not at all."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_bytes(_head(code, content) + b"\n" + content)
        fresh.replace(file)


def make_room(folder: Path, most: int) -> None:
    """Remove the files of a folder that were written first, until the others have no more than `most` bytes."""
    with suppress(OSError):
        found = sorted(((seen := file.stat()).st_mtime_ns, seen.st_size, file) for file in folder.iterdir())
        held = sum(size for _, size, _ in found)
        for _, size, file in found:
            if held <= most:
                return
            file.unlink()
            held -= size


def _head(code: str, content: bytes) -> bytes:
    return f"{code} {digest_bytes(content)}".encode()
