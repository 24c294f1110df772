"""Files written beside their place and renamed, so that a reader finds the old content or the new, never a part."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give the path to write to; it takes the place of `path` when all is written, and is removed where it is not."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
