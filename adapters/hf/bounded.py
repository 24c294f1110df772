"""Code of a checkpoint's author that may never end or fill the memory, run within limits."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import TypeVar

T = TypeVar("T")

_one_at_a_time = Lock()
_TRIES = 20
_MOST = 2 << 30
"""Bytes that this process may grow by meanwhile, what runs beside it included."""


class _Late(BaseException):
    """Raised in the thread that is over time; nothing that a template is rendered by catches it."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns, from a thread of its own, or raise what it raises. Raises TimeoutError.

    What runs over time is ended between two steps of Python's interpreter. On Linux what fills the memory ends in a
    MemoryError.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # raised again where it is waited for
            raised.append(error)

    thread = Thread(target=run, daemon=True)
    with _one_at_a_time, _little_memory():  # the limit is the process's
        thread.start()
        thread.join(seconds)
        late = thread.is_alive()
        for _ in range(_TRIES * late):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Late))
            thread.join(0.1)
            if not thread.is_alive():
                break
    if returned:
        return returned[0]
    if late:
        raise TimeoutError(f"not done after {seconds:g} s")
    raise raised[0]


@contextmanager
def _little_memory() -> Iterator[None]:
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        before, most = resource.getrlimit(resource.RLIMIT_AS)
    except (ImportError, OSError):  # not Linux
        yield
        return
    limit = used + _MOST
    known = [each for each in (before, most) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([limit, *known]), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))
