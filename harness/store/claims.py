"""Claims: what this process is asking now, so that no other process on the store asks it too."""

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from mmbench.harness.errors import DataError
from mmbench.harness.store.answers import Answers
from mmbench.harness.store.database import Database

LEASE = 5.0
"""Seconds without a beat after which an owner is dead, and its claims are anybody's."""

_BEAT = 1.0
"""Seconds between two beats."""

_LONGEST = 3600.0
"""Seconds for which an owner that answers nothing is taken to be at work; prompt learning may take as long."""


class Claims:
    """Claims of one open store, which last as long as its process beats, see docs/adr/012."""

    def __init__(self, database: Database, answers: Answers) -> None:
        self._database = database
        self._answers = answers
        self._owner = secrets.randbits(62)
        self._pulse: _Pulse | None = None

    def take(self, model: int, keys: Sequence[bytes]) -> set[bytes]:
        """Claim these questions; return those that are to be asked here: neither answered nor asked elsewhere."""
        busy = "SELECT key FROM claims JOIN owners ON owner=id WHERE model=? AND owner<>? AND beat>? AND key IN {}"
        now = time.time()
        held = {key for (key,) in self._database.among(busy, (model, self._owner, now - LEASE), keys)}
        free = [key for key in keys if key not in held]
        if not free:
            return set()
        self._beat()
        beating = (self._owner, now - 2 * _BEAT, now)
        with self._database.transaction():
            if not self._database.rows("SELECT 1 FROM owners WHERE id=? AND beat BETWEEN ? AND ?", beating):
                self._database.do("INSERT OR REPLACE INTO owners VALUES (?,?)", (self._owner, now))
            # A beat from the future is that of a clock that was set back.
            self._database.do("DELETE FROM owners WHERE NOT beat BETWEEN ? AND ?", (now - LEASE, now + LEASE))
            self._database.do("DELETE FROM claims WHERE owner NOT IN (SELECT id FROM owners)")
            answered = self._answers.known(model, free)
            self._database.do_each(
                "INSERT OR IGNORE INTO claims VALUES (?,?,?)",
                ((model, key, self._owner) for key in free if key not in answered),
            )
            mine = "SELECT key FROM claims WHERE model=? AND owner=? AND key IN {}"
            return {key for (key,) in self._database.among(mine, (model, self._owner), free)}

    def drop(self, model: int, keys: Iterable[bytes]) -> None:
        """Give up claims to these questions, which are answered, or will not be asked."""
        self._database.do_each(
            "DELETE FROM claims WHERE model=? AND key=? AND owner=?", ((model, key, self._owner) for key in keys)
        )
        if self._pulse is not None:
            self._pulse.worked()

    def drop_all(self) -> None:
        """Give up every claim, also those of streams that rest: who waits for others must not be waited for."""
        if self._pulse is not None:
            self._database.do("DELETE FROM claims WHERE owner=?", (self._owner,))

    def close(self) -> None:
        """Stop beating and give up every claim."""
        if self._pulse is not None:
            self._pulse.stop()
            with suppress(DataError):  # else they lapse
                self.drop_all()
                self._database.do("DELETE FROM owners WHERE id=?", (self._owner,))
            self._pulse = None

    def _beat(self) -> None:
        if self._pulse is None:
            self._pulse = _Pulse(self._database.path, self._owner)
            self._pulse.start()


class _Pulse(threading.Thread):
    """Beats beside a model that may take minutes for a batch."""

    def __init__(self, path: Path, owner: int) -> None:
        super().__init__(name="mmbench-claims", daemon=True)
        self._path = path
        self._owner = owner
        self._stopped = threading.Event()
        self._worked = time.monotonic()

    def worked(self) -> None:
        """Hear that something was answered."""
        self._worked = time.monotonic()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Beat until stopped. A beat that fails is made up for by the next, or the claims lapse."""
        with closing(sqlite3.connect(self._path, timeout=_BEAT, isolation_level=None)) as connection:
            while not self._stopped.wait(_BEAT):
                if time.monotonic() - self._worked < _LONGEST:
                    with suppress(sqlite3.Error):
                        connection.execute("INSERT OR REPLACE INTO owners VALUES (?,?)", (self._owner, time.time()))
