"""Pace of a run: how fast inputs are answered, and how long the task and the whole run will take at this rate."""

import time
from collections.abc import Callable

from mmbench.harness.run.sitting import Place

_SOON = 1.0
"""Seconds before which nothing is foretold."""


class Pace:
    """Counts inputs; time runs from the first answer on, so that loading a model slows down no forecast."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._place = Place()
        self.total = 0
        """Inputs of the task, as far as they are known."""
        self.done = 0
        self._task: tuple[float, int] | None = None
        """When the first inputs of the task were answered, and how many these were."""
        self._run: tuple[float, float] | None = None
        """When the first inputs of the run were answered, and the share of its items done by then."""

    def started(self, place: Place, items: int) -> None:
        """Begin a task."""
        self._place, self.total, self.done, self._task = place, items, 0, None

    def expected(self, inputs: int) -> None:
        """Add inputs that are to come besides the items."""
        self.total += inputs

    def advanced(self, inputs: int) -> None:
        """Count inputs that were answered."""
        self.done += inputs
        self.total = max(self.total, self.done)
        now = self._clock()
        self._task = self._task or (now, self.done)
        self._run = self._run or (now, self._share)

    @property
    def rate(self) -> float | None:
        """Inputs a second of the task; None before there is one."""
        if self._task is None:
            return None
        seconds = self._clock() - self._task[0]
        return (self.done - self._task[1]) / seconds if seconds >= _SOON and self.done > self._task[1] else None

    @property
    def run_left(self) -> float | None:
        """Seconds that the rest of the run takes, if its items take as long as those so far; None before that shows."""
        if self._run is None:
            return None
        seconds, share = self._clock() - self._run[0], self._share - self._run[1]
        return seconds * (1 - self._share) / share if seconds >= _SOON and share > 0 else None

    @property
    def _share(self) -> float:
        """Share of the run's items that are done."""
        own = self._place.items * self.done / self.total if self.total else 0.0
        return (self._place.before + own) / self._place.total if self._place.total else 0.0

    def __str__(self) -> str:
        said = f"{self.done:,} of {self.total:,} inputs"
        rate = self.rate
        if rate is None:
            return said
        return f"{said}, {rate:,.{0 if rate >= 10 else 1}f} inputs/s, {duration((self.total - self.done) / rate)} left"


def duration(seconds: float) -> str:
    """Return a length of time for a person.

    >>> duration(0.4), duration(59.7), duration(150), duration(5400)
    ('1 s', '60 s', '3 min', '1 h 30 min')
    """
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = -(-int(seconds) // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
