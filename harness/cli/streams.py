"""Streams of a command while foreign code runs: standard output is kept for the result alone."""

import atexit
import os
import shlex
import sys
import threading
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
    """Let the process end, with what threads and exit handlers of others print on standard error.

    A thread of others that nobody stops would keep it alive for good: after some seconds it ends all the same. Threads
    that wait for work, as those of pools do, are told by Python to end, and exit handlers have all the time they take.
    """
    _emptied(sys.stdout)
    with suppress(OSError):
        os.dup2(2, 1)

    def end() -> None:
        _emptied(sys.stderr)
        os._exit(status)

    timer = threading.Timer(PATIENCE, end)
    timer.daemon = True
    timer.start()
    atexit.register(timer.cancel)  # the first of them to run, once all threads have ended


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
