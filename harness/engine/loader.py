"""Loader: weights loaded before the first question, and timed, where an adapter can load them apart from answering."""

import time
from collections.abc import Callable

from mmbench.harness.errors import MmbenchError
from mmbench.harness.foreign import tamed


class Loader:
    """Loads an adapter once, when it is first needed."""

    def __init__(self, adapter: object, begins: Callable[[], None]) -> None:
        self._adapter = adapter
        self._begins = begins
        """Told before."""
        self._done = False

    def load(self) -> float:
        """Return the seconds that it took, 0 where it was done before. Raises the adapter's own MmbenchError."""
        if self._done:
            return 0.0
        self._done = True
        started = time.perf_counter()
        try:
            tamed(self._load)
        except MmbenchError:
            raise
        except Exception:  # fails again where it is asked, and is told there
            return time.perf_counter() - started
        return time.perf_counter() - started

    def _load(self) -> None:
        load = getattr(self._adapter, "load_weights", None)
        if callable(load):
            self._begins()
            load()
