"""Streams of a command while foreign code runs: standard output is kept for the result alone."""

import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import typer

from mmbench.harness.render.plain import plain

PATIENCE = 5.0
"""Seconds that threads of others have to end after a command."""


class _Kept:
    """A stream that others may write to and cannot close; what it cannot take is lost without an error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write if that is possible."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if that is possible."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def close(self) -> None:
        """Stay open."""


def open_missing() -> None:
    """Open what of the standard streams was closed by whoever began this process: a file would get its number.

    A store or a record could then be printed into.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the least number that is free, and lower ones are open
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: PTH123, SIM115


@contextmanager
def stoppable(kept: Callable[[], str]) -> Iterator[None]:
    """Let Ctrl-C say what is kept of what it stops, and how to go on. Raises SystemExit."""
    try:
        yield
    except KeyboardInterrupt:  # here, because Typer ends without a word
        again = plain(shlex.join(["mmbench", *sys.argv[1:]]))
        typer.echo(f"mmbench: {plain(kept())}. To go on from there, run the same again: {again}", err=True)
        raise SystemExit(130) from None


@contextmanager
def output_kept() -> Iterator[None]:
    """Send what anyone prints meanwhile to standard error, from Python or below it."""
    out, err = sys.stdout, sys.stderr
    out.flush()
    saved = _duplicate(1)
    if saved is not None:
        with suppress(OSError):
            os.dup2(2, 1)
    sys.stdout = sys.stderr = _Kept(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        _emptied(out)
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)


def leave(status: int) -> None:
    """End with what threads and exit handlers of others print on standard error, and without threads that stay.

    Returns where none stays; a library's thread that nobody stops would keep this process alive for good.
    """
    _emptied(sys.stdout)
    with suppress(OSError):
        os.dup2(2, 1)
    until = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(until - time.monotonic(), 0.0))
            if thread.is_alive():
                _emptied(sys.stderr)
                os._exit(status)


def _emptied(out: TextIO) -> None:
    """Send on what waits in buffers, Python's and C's, while it still goes to standard error."""
    for stream in (out, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]
    with suppress(ImportError, OSError, AttributeError, TypeError):
        import ctypes

        ctypes.CDLL(None).fflush(None)


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None
