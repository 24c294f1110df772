"""Output folder: tried before anything is asked, and rid of what killed runs left half-written."""

import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from mmbench.harness.errors import UsageError

_PARTIAL = re.compile(r"\.(?:json|parquet)\.(\d+)")
_OLD = 3600.0
"""Seconds after which no process of this machine or another is still writing a record."""


def try_writing(output: Path, label: str) -> None:
    """Write where a model's records will stand, or where their folder will be made. Raises UsageError."""
    folder = output / "runs" / label
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"0")
        if there == folder:
            sweep(folder)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{folder} cannot be written ({reason}); choose another folder with --output") from error


def sweep(folder: Path) -> None:
    """Remove what processes that are dead for an hour left half-written."""
    for path in folder.iterdir():
        with suppress(OSError):  # another process may finish it meanwhile, or hold it
            if _is_left(path):
                path.unlink()


def _is_left(path: Path) -> bool:
    found = _PARTIAL.fullmatch("".join(path.suffixes[-2:]))
    if found is None or Path(f"/proc/{found[1]}").exists():
        return False
    return time.time() - path.stat().st_mtime > _OLD
