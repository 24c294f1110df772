"""Database: one SQLite file that several processes use at a time, whose errors are sentences."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmbench.harness.errors import DataError
from mmbench.harness.regular import regular

SCHEMA = 1

_PATIENCE = 60.0
"""Seconds to wait for another process to finish writing."""

_PAGE = 32768
"""Bytes of a page of a new store. A row lies within one: of pages of 4 kB, SQLite's own, a vector of 2 kB takes a whole
one, of these it leaves little empty up to 10 kB. Larger ones make small commits dearer, which write whole pages."""

_LOG = 1 << 24
"""Bytes of the write-ahead log that are moved into the file at a time."""

_NO_CHECKSUM = "-1"
"""Stands for a checksum that lacks in a store that was made with them: no answer has it."""

_UNWRITABLE = "a store must lie where it can be written to: copy it there, or "
_WAYS = {
    sqlite3.SQLITE_FULL: "make room on its disk, where what was answered is kept, or ",
    sqlite3.SQLITE_BUSY: f"another process has been writing to it for {_PATIENCE:.0f} seconds: wait for its end, or ",
    sqlite3.SQLITE_CORRUPT: "it is damaged: delete it, and what it held is asked again, or ",
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM), _UNWRITABLE),
}
"""What to do about an error of SQLite, before another file is chosen."""

_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    model INTEGER NOT NULL, key BLOB NOT NULL, kind TEXT NOT NULL, truncated INTEGER NOT NULL, value BLOB NOT NULL,
    checksum INTEGER DEFAULT -1, UNIQUE (model, key));
CREATE TABLE IF NOT EXISTS recent (
    number INTEGER PRIMARY KEY AUTOINCREMENT, model INTEGER NOT NULL, key BLOB NOT NULL, kind TEXT NOT NULL,
    truncated INTEGER NOT NULL, value BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS speeds (
    model INTEGER NOT NULL, kind TEXT NOT NULL, items INTEGER NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (model, kind));
CREATE TABLE IF NOT EXISTS sizes (model INTEGER PRIMARY KEY, parameters INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS snapshots (model INTEGER PRIMARY KEY, snapshot TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS labels (
    model INTEGER NOT NULL, name TEXT NOT NULL, used REAL NOT NULL, PRIMARY KEY (model, name));
CREATE TABLE IF NOT EXISTS owners (id INTEGER PRIMARY KEY, beat REAL NOT NULL);
CREATE TABLE IF NOT EXISTS claims (
    model INTEGER NOT NULL, key BLOB NOT NULL, owner INTEGER NOT NULL, PRIMARY KEY (model, key)) WITHOUT ROWID;
"""


class Database:
    """One connection to the file of a store. Raises DataError for whatever SQLite cannot do with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checksum = "checksum"
        """What a query asks for a checksum by: null where an answer may have none, in a store of an older version."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                regular(path)  # SQLite would wait for a pipe's writer
            # Python's own transactions are switched off: each batch is one explicit transaction of ours.
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except (OSError, sqlite3.Error, ValueError) as error:
            raise self._unusable(error) from error
        # A damaged text is a text that nothing equals, not an error that ends the reading of sound rows.
        self._connection.text_factory = lambda data: data.decode(errors="replace")
        try:
            self._open()
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        with self._telling():
            self._connection.execute(f"PRAGMA page_size={_PAGE}")  # a file that has pages keeps their size
            self._use_write_ahead_log()
            page = self._connection.execute("PRAGMA page_size").fetchone()[0]
            self._connection.execute(f"PRAGMA wal_autocheckpoint={max(1, _LOG // page)}")
            self._connection.execute(f"PRAGMA journal_size_limit={_LOG}")
            self._connection.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing that was committed
            self._connection.execute("PRAGMA cache_size=-65536")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA):
                raise DataError(
                    f"{self.path} was written by another version of mmbench (schema {version}, this one reads "
                    f"{SCHEMA}); choose another file with --store, or delete it to start afresh"
                )
        with self.transaction():
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)
            # Stores made before there were checksums; their schema stays, for what reads them needs no more.
            columns = {row[1]: row for row in self._connection.execute("PRAGMA table_info(answers)")}
            if "checksum" not in columns:
                self._connection.execute("ALTER TABLE answers ADD COLUMN checksum INTEGER")
            elif columns["checksum"][4] == _NO_CHECKSUM:  # every answer was written with one: it lacks by damage alone
                self.checksum = f"ifnull(checksum, {_NO_CHECKSUM})"
            self._connection.execute(f"PRAGMA user_version={SCHEMA}")

    def _use_write_ahead_log(self) -> None:
        # SQLite's own waiting does not cover this switch, which two processes may attempt on a new file at once.
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _unusable(self, error: Exception) -> DataError:
        # A damaged schema is quoted in SQLite's message, with its lines and bytes that are no text.
        said = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
        reason = " ".join(said.split())
        # The low byte is the kind of error.
        way = _WAYS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
        return DataError(f"{self.path} cannot be used as a store ({reason}); {way}choose another file with --store")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite raises (a full disk, a damaged page, another kind of file) into a DataError."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._unusable(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is done within, or nothing."""
        with self._telling():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._telling():
            return self._connection.execute(query, values).fetchall()

    def each(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that may return more than the memory holds."""
        with self._telling():
            yield from self._connection.execute(query, values)

    def among(self, query: str, values: Sequence[Any], keys: Sequence[bytes | int]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that ends in `key IN {}`, for any number of keys."""
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            yield from self.rows(query.format(f"({','.join('?' * len(part))})"), (*values, *part))

    def do(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Execute one statement."""
        with self._telling():
            self._connection.execute(statement, values)

    def do_each(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for each row of values."""
        with self._telling():
            self._connection.executemany(statement, rows)

    @property
    def changes(self) -> int:
        """Rows that were added, changed or removed since it was opened."""
        return self._connection.total_changes

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
