"""Store of answers: what was asked before is returned as stored, what is missing is asked and kept."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mmbench.harness.digest import Json
from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.errors import DataError
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.stream import Stream
from mmbench.harness.types import Failure

SCHEMA = 1

_PATIENCE = 60.0
"""Seconds to wait for another process to finish writing."""

_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    model INTEGER NOT NULL, key BLOB NOT NULL, kind TEXT NOT NULL, truncated INTEGER NOT NULL, value BLOB NOT NULL,
    UNIQUE (model, key));
CREATE TABLE IF NOT EXISTS speeds (
    model INTEGER NOT NULL, kind TEXT NOT NULL, items INTEGER NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (model, kind));
CREATE TABLE IF NOT EXISTS sizes (model INTEGER PRIMARY KEY, parameters INTEGER NOT NULL);
"""


class AnswerStore(Protocol):
    """What a subject needs of a store: answers in order, one for each question."""

    def ask(self, engine: Engine, fingerprint: str, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `questions`, in order; all of one kind."""

    def remembers(self, fingerprint: str, question: Question) -> bool:
        """Tell whether this was answered before."""

    def expect(self, inputs: int) -> None:
        """Hear of inputs to come besides the items of the task."""

    def parameters(self, fingerprint: str, counted: int | None) -> int | None:
        """Return a model's number of weights: that which was counted, else what was counted before."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the store holds of one model."""

    name: str
    fingerprint: str
    answers: int
    bytes: int
    used: float
    """Seconds since 1970."""

    def as_json(self) -> dict[str, Json]:
        """Return the holding as `store info --format json` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Store:
    """Remembers answers under (fingerprint, digest of the question) in one SQLite file.

    Several processes may use one file at a time. A value is committed with its batch and is returned as stored even
    on the first ask, so that cold and warm runs agree to the bit. Failures are never stored.
    """

    def __init__(self, path: Path, meter: Meter | None = None) -> None:
        self.path = path
        self.meter = meter or Meter()
        self._names: dict[str, str] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Python's own transactions are switched off: each batch is one explicit transaction of ours.
            self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        with self._telling():
            self._use_write_ahead_log()
            self._db.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing that was committed
            self._db.execute("PRAGMA cache_size=-65536")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA):
                raise DataError(
                    f"{self.path} was written by another version of mmbench (schema {version}, this one reads "
                    f"{SCHEMA}); choose another file with --store, or delete it to start afresh"
                )
        with self._transaction():
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={SCHEMA}")

    def _use_write_ahead_log(self) -> None:
        # SQLite's own waiting does not cover this switch, which two processes may attempt on a new file at once.
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _unusable(self, error: Exception) -> DataError:
        return DataError(f"{self.path} cannot be used as a store ({error}); choose another file with --store")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite raises (a full disk, a lock that stays, another kind of file) into a DataError."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit all that is done within, or nothing."""
        with self._telling():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def name(self, fingerprint: str, name: str) -> None:
        """Give a model the name under which `store info` and `store prune` know it."""
        self._names[fingerprint] = name

    def ask(self, engine: Engine, fingerprint: str, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `questions`, in order; all of one kind. Equal questions are asked once."""
        return Stream(self, engine, self._model(fingerprint)).run(questions)

    def expect(self, inputs: int) -> None:
        """Pass on that so many inputs are to come besides the items of the task."""
        if self.meter.on_expected:
            self.meter.on_expected(inputs)

    def lookup(self, model: int, kind: Kind, keys: Sequence[bytes]) -> dict[bytes, tuple[Value, bool]]:
        """Return (value, truncated) for each of `keys` that is known; all are of one kind."""
        rows = self._rows("key, value, truncated", model, keys)
        return {key: (kind.unpack(value), bool(truncated)) for key, value, truncated in rows}

    def _rows(self, columns: str, model: int, keys: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
        """Yield these columns of each of `keys` that is known."""
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"SELECT {columns} FROM answers WHERE model=? AND key IN ({marks})"  # noqa: S608
            with self._telling():
                rows = self._db.execute(query, (model, *part)).fetchall()
            yield from rows

    def keep(self, model: int, answered: Sequence[Answered], seconds: float) -> None:
        """Commit one batch; an answer that another process stored first stays as it is."""
        rows = [
            (model, each.question.key, each.question.kind.name, each.truncated, each.question.kind.pack(each.value))
            for each in answered
            if not isinstance(each.value, Failure)
        ]
        if not rows:
            return
        with self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO answers (model, key, kind, truncated, value) VALUES (?,?,?,?,?)", rows
            )
            self._db.execute(
                "INSERT INTO speeds VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET items=items+excluded.items, "
                "seconds=seconds+excluded.seconds",
                (model, rows[0][2], len(rows), seconds),
            )

    def known(self, fingerprint: str, keys: Sequence[bytes]) -> int:
        """Return how many of `keys` are remembered."""
        found = self._db.execute("SELECT id FROM models WHERE fingerprint=?", (fingerprint,)).fetchone()
        return sum(1 for _ in self._rows("key", found[0], keys)) if found else 0

    def remembers(self, fingerprint: str, question: Question) -> bool:
        """Tell whether this was answered before."""
        read = question.read()
        return isinstance(read, Question) and bool(self.known(fingerprint, [read.key]))

    def parameters(self, fingerprint: str, counted: int | None) -> int | None:
        """Return a model's number of weights: that which was counted, and is kept, else what was counted before."""
        model = self._model(fingerprint)
        with self._telling():
            if counted is not None:
                self._db.execute("INSERT OR REPLACE INTO sizes VALUES (?,?)", (model, counted))
            row = self._db.execute("SELECT parameters FROM sizes WHERE model=?", (model,)).fetchone()
        return int(row[0]) if row else None

    def speed(self, fingerprint: str, kind: Kind) -> float | None:
        """Return items per second of all asking so far, or None when the model was never asked this."""
        row = self._db.execute(
            "SELECT items, seconds FROM speeds JOIN models ON models.id=model WHERE fingerprint=? AND kind=?",
            (fingerprint, kind.name),
        ).fetchone()
        return row[0] / row[1] if row and row[1] > 0 else None

    def holdings(self) -> list[Holding]:
        """Return what the store holds, model by model, the last used first."""
        query = (
            "SELECT name, fingerprint, COUNT(key), COALESCE(SUM(LENGTH(value)), 0), used FROM models "
            "LEFT JOIN answers ON answers.model=models.id GROUP BY models.id ORDER BY used DESC"
        )
        return [Holding(*row) for row in self._db.execute(query)]

    def prune(self, model: str | None = None) -> list[Holding]:
        """Remove what models of this name or fingerprint left, by default what all left, and return it."""
        gone = [each for each in self.holdings() if model in (None, each.name, each.fingerprint)]
        with self._transaction():
            self._db.executemany("DELETE FROM models WHERE fingerprint=?", [(each.fingerprint,) for each in gone])
            # Also what a process that was still asking wrote after its model had been removed.
            for table in ("answers", "speeds", "sizes"):
                self._db.execute(f"DELETE FROM {table} WHERE model NOT IN (SELECT id FROM models)")  # noqa: S608
        if gone:
            with self._telling():
                self._db.execute("VACUUM")
        return gone

    def _model(self, fingerprint: str) -> int:
        name = self._names.get(fingerprint, fingerprint)
        with self._telling():
            self._db.execute(
                "INSERT INTO models (fingerprint, name, used) VALUES (?,?,?) "
                "ON CONFLICT DO UPDATE SET used=excluded.used, name=excluded.name",
                (fingerprint, name, time.time()),
            )
        row = self._db.execute("SELECT id FROM models WHERE fingerprint=?", (fingerprint,)).fetchone()
        return int(row[0])
