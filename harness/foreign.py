"""Foreign code: calls of adapters and plug-ins, which can neither end this process nor change it for the others."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

import numpy as np

T = TypeVar("T")

_LONGEST = 300


class Escape(Exception):
    """What would have ended this process: `sys.exit`, or an interrupt that no user asked for."""


def described(error: BaseException) -> str:
    """Return the type and the message of an error on one line of a few hundred characters.

    >>> described(ValueError("two\\nlines")), described(Escape("SystemExit: 3"))
    ('ValueError: two lines', 'SystemExit: 3')
    """
    try:
        text = " ".join(str(error).split())
    except Exception:  # foreign code may raise anything, also while it tells what it raised
        text = "its message cannot be read"
    text = text if isinstance(error, Escape) else f"{type(error).__name__}: {text}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def tamed(call: Callable[[], T]) -> T:
    """Run foreign code and undo what it changes of the process.

    Raises Escape for what is no Exception, but for the user's own Ctrl-C, which stays a KeyboardInterrupt.
    """
    process = os.getpid()
    try:
        if threading.current_thread() is not threading.main_thread():
            return _contained(call, lambda: False)  # Ctrl-C reaches the main thread alone
        surroundings = _Surroundings.now()
        try:
            return _interruptible(call)
        finally:
            surroundings.restore()
    finally:
        if os.getpid() != process:  # a fork that came back would go on with the run beside this process
            os._exit(1)


def _interruptible(call: Callable[[], T]) -> T:
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, _Interrupts):
        return _contained(call, lambda: before.received)
    if before is signal.SIG_IGN:
        return _contained(call, lambda: False)  # nobody can interrupt this process
    if before is not signal.default_int_handler:
        return _contained(call, lambda: True)  # somebody else's handler: whose doing it was cannot be told
    handler = _Interrupts()
    signal.signal(signal.SIGINT, handler)
    try:
        return _contained(call, lambda: handler.received)
    finally:
        signal.signal(signal.SIGINT, before)
        if handler.received:
            raise KeyboardInterrupt  # also where foreign code made something else of it


def _contained(call: Callable[[], T], wanted: Callable[[], bool]) -> T:
    try:
        return call()
    except Exception:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and wanted():
            raise
        raise Escape(f"{type(error).__name__}: {error}") from error


class _Interrupts:
    """Handler of Ctrl-C that remembers it."""

    received = False

    def __call__(self, number: int, frame: Any) -> None:
        self.received = True
        signal.default_int_handler(number, frame)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What of the process foreign code may change under everybody's feet."""

    folder: str | None
    streams: tuple[TextIO, TextIO]
    open: tuple[int, ...]
    numpy_errors: Any

    @classmethod
    def now(cls) -> "_Surroundings":
        return cls(_folder(), (sys.stdout, sys.stderr), tuple(filter(_is_open, (1, 2))), np.geterr())

    def restore(self) -> None:
        if self.folder is not None and _folder() != self.folder:
            with suppress(OSError):
                os.chdir(self.folder)
        sys.stdout, sys.stderr = self.streams
        np.seterr(**self.numpy_errors)
        for number in self.open:
            if not _is_open(number):  # else the next file that is opened gets it, and what is printed goes there
                os.dup2(3 - number, number) if _is_open(3 - number) else os.open(os.devnull, os.O_WRONLY)


def _folder() -> str | None:
    try:
        return str(os.getcwd())  # noqa: PTH109 - cheaper than a Path, and compared only
    except OSError:
        return None


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
