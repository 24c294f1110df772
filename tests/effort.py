"""CPU time as a bound that holds on a machine of any speed, whatever else it does."""

import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

_WORK = 0.025
"""CPU seconds that `_work` takes on the machine for which bounds are written."""


@contextmanager
def within(seconds: float, what: object = "") -> Iterator[None]:
    """Fail where the block takes so much CPU time, or more; `what` says what it was about.

    Where it does, the time of a fixed piece of work is taken too: a slower machine is given as much more as it needs
    for that, a faster one no less.
    """
    start = time.process_time()
    try:
        yield
    finally:
        took = time.process_time() - start
        assert took < seconds or took < seconds * slowness(), f"{took:.2f} CPU seconds, {what}"


def slowness() -> float:
    """Return how many times the time of the machine for which bounds are written this one takes now, at least 1."""
    return max(statistics.median(_work() for _ in range(5)) / _WORK, 1.0)


def _work() -> float:
    start = time.process_time()
    found = {str(n): n * n for n in range(50_000)}
    re.findall(r"(\d)(?=\1)", " ".join(found))
    return time.process_time() - start
