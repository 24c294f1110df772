"""Database: one SQLite file that several processes use at a time, whose errors are sentences."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
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
    sqlite3.SQLITE_IOERR: "its disk may be full, over a quota or gone, and what was answered is kept: see to it, or ",
    sqlite3.SQLITE_BUSY: f"another process has been writing to it for {_PATIENCE:.0f} seconds: wait for its end, or ",
    sqlite3.SQLITE_CORRUPT: "it is damaged: delete it, and what it held is asked again, or ",
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM), _UNWRITABLE),
}
"""What to do about an error of SQLite, before another file is chosen."""

_READABLE = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
)
"""Errors of opening a file to write that may leave it readable."""

_SMALL = ("models", "recent", "speeds", "sizes", "snapshots", "labels", "owners", "claims")
"""Tables that are copied into memory of a file that cannot be written to: all but the answers."""

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


def _text(data: bytes) -> str:
    """Return a text of the file; a damaged one is a text that nothing equals, not an error that ends all reading."""
    return data.decode(errors="replace")


class Database:
    """One connection to the file of a store. Raises DataError for whatever SQLite cannot do with it.

    A file that cannot be written to is read: what is written to its small tables lasts as long as the connection.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unwritable: DataError | None = None
        """What to raise where an answer is to be added that cannot be."""
        self._barrier: BaseException | None = None
        """What SQLite said when it was to be opened for writing."""
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
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        try:
            self._open()
        except DataError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
            if code not in _READABLE or not self.path.is_file() or not self._open_to_read():
                raise
            self._barrier = error.__cause__ or error
            self.unwritable = self._unusable(self._barrier, "lacks an answer and cannot be written to")

    def _open_to_read(self) -> bool:
        """Open a file that cannot be written to; return False where that is not possible either."""
        # Without a log of changes beside it nothing of the file is elsewhere, and it may be taken as it is.
        log = Path(f"{self.path}-wal")
        ways = ("mode=ro", *(() if log.exists() and log.stat().st_size else ("mode=ro&immutable=1",)))
        for way in ways:
            self._connection.close()
            with suppress(sqlite3.Error):
                self._connection = sqlite3.connect(
                    f"{self.path.absolute().as_uri()}?{way}", uri=True, isolation_level=None
                )
                if self._connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
                    continue
                self._copy_small_tables()
                return True
        return False

    def _copy_small_tables(self) -> None:
        """Have a table of the same name in memory in front of each but the answers, which a statement then means."""
        self._connection.text_factory = _text
        for statement in _TABLES.split(";"):
            table = "".join(statement.split()[5:6])  # behind CREATE TABLE IF NOT EXISTS
            if table in _SMALL:
                self._connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))
                if self._columns(table):
                    self._connection.execute(f"INSERT INTO temp.{table} SELECT * FROM main.{table}")  # noqa: S608
        self._see_checksums()

    def _columns(self, table: str) -> dict[str, Any]:
        return {row[1]: row for row in self._connection.execute(f"PRAGMA main.table_info({table})")}

    def _see_checksums(self) -> None:
        column = self._columns("answers").get("checksum")
        if column is None:
            self.checksum = "NULL"
        elif column[4] == _NO_CHECKSUM:  # every answer was written with one: it lacks by damage alone
            self.checksum = f"ifnull(checksum, {_NO_CHECKSUM})"

    def _open(self) -> None:
        self._connection.text_factory = _text
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
            if "checksum" not in self._columns("answers"):
                self._connection.execute("ALTER TABLE answers ADD COLUMN checksum INTEGER")
            self._see_checksums()
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

    def _unusable(self, error: BaseException, how: str = "cannot be used as a store") -> DataError:
        # A damaged schema is quoted in SQLite's message, with its lines and bytes that are no text.
        said = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
        reason = " ".join(said.split())
        # The low byte is the kind of error.
        way = _WAYS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
        return DataError(f"{self.path} {how} ({reason}); {way}choose another file with --store")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite raises (a full disk, a damaged page, another kind of file) into a DataError."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            refused = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
            raise self._unusable((refused and self._barrier) or error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is done within, or nothing."""
        with self._telling():
            self._connection.execute("BEGIN IMMEDIATE" if self.unwritable is None else "BEGIN")
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
