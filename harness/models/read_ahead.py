"""Weights of the next model, read from disk by the system while another model finishes."""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mmbench.harness.foreign import tamed
from mmbench.harness.models.abilities import Downloads, KeepsFiles

_SHARE = 0.5
"""Of the memory that is free what may be filled: it is the system's cache, which gives way to whoever needs it."""


def read_ahead(adapter: object) -> None:
    """Begin to read the files of a model's weights, where it tells them and they are here; nothing of it is run beside.

    What goes wrong is told when the model's turn comes.
    """
    with suppress(Exception):  # code of the adapter
        files = tamed(lambda: _files(adapter))
        if files and hasattr(os, "posix_fadvise") and sum(file.stat().st_size for file in files) <= _SHARE * _free():
            threading.Thread(target=_read, args=(files,), name="mmbench-read-ahead", daemon=True).start()


def _files(adapter: object) -> Sequence[Path]:
    if not isinstance(adapter, KeepsFiles) or (isinstance(adapter, Downloads) and adapter.download_size() != 0):
        return ()
    return [Path(file) for file in adapter.weight_files()]


def _free() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _read(files: Sequence[Path]) -> None:
    for file in files:
        with suppress(OSError), file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
