"""Patience: tries that fail are tried again, later and later, within limits of requests, tokens and time."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from mmbench.adapters.api.failures import Again
from mmbench.adapters.api.spec import Pace
from mmbench.adapters.api.wire import Broken
from mmbench.harness.errors import Unanswered, Unavailable

T = TypeVar("T")

_LONGEST = 30.0
"""Seconds between two tries, where the server does not ask for more."""

_LOST = 16
"""Questions in a row without an answer, however often they were tried, after which the server is taken to be gone."""


class Patience:
    """How one service is asked; several threads share it."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._requests = _Rate(pace.rpm)
        self._tokens = _Rate(pace.tpm)
        self._held = 0.0
        """No request leaves before: one who is told to wait waits for all."""
        self._lost = 0
        self._ended: Unavailable | None = None
        self._end = threading.Event()

    def ask(self, attempt: Callable[[float], T], tokens: int) -> T:
        """Return what `attempt` returns, which is given the seconds that it may take; `tokens` are about its tokens.

        Raises Unanswered where no try succeeds, Unavailable for what ends the run: nothing is sent after it.
        """
        until = time.monotonic() + self._pace.deadline
        tries = 0
        while True:
            paced = max(self._requests.take(1), self._tokens.take(tokens))
            until += paced  # a limit of the user's own is no lateness of the server
            self._wait(max(self._held - time.monotonic(), paced), until, "the server asks to wait")
            tries += 1
            try:
                made = attempt(min(self._pace.timeout, max(until - time.monotonic(), 0.001)))
            except (Again, Broken) as error:
                after = error.after if isinstance(error, Again) else None
                if tries > self._pace.retries:
                    raise self._given_up(f"no answer in {tries} tries; the last: {error}") from error
                if after is not None:
                    self._held = max(self._held, time.monotonic() + after)
                # A server that says 0 is as busy as before, and all tries would be over at once.
                self._wait(after or self._backoff(tries), until, str(error))
            except Unavailable as error:
                self._stop(error)
                raise
            else:
                self._lost = 0
                return made

    def _backoff(self, tries: int) -> float:
        longest = min(self._pace.backoff * 2.0 ** min(tries - 1, 20), max(_LONGEST, self._pace.backoff))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - so that those who failed together do not come together

    def correct(self, tokens: int) -> None:
        """Hear how many tokens more an answer took than were told before; fewer are less than 0."""
        self._tokens.take(tokens)

    def _wait(self, seconds: float, until: float, reason: str) -> None:
        if time.monotonic() + seconds > until:
            raise self._given_up(f"no answer within {self._pace.deadline:g} s; the last: {reason}")
        if seconds > 0:
            self._end.wait(seconds)
        if self._ended is not None:
            raise Unavailable(str(self._ended), step=self._ended.step)

    def _given_up(self, message: str) -> Unanswered | Unavailable:
        self._lost += 1
        if self._lost >= _LOST:
            gone = Unavailable(f"{self._lost} questions in a row had {message}")
            self._stop(gone)
            return gone
        return Unanswered(message)

    def _stop(self, error: Unavailable) -> None:
        self._ended = error
        self._end.set()


class _Rate:
    """A limit a minute, kept evenly, so that no minute has more."""

    def __init__(self, most: float | None) -> None:
        self._seconds = 60.0 / most if most else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self, amount: int) -> float:
        """Take a place and return the seconds until it is there."""
        if not self._seconds:
            return 0.0
        with self._lock:
            now = time.monotonic()
            place = max(self._next, now)
            self._next = place + amount * self._seconds
            return place - now
