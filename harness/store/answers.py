"""Answers in the file of a store: a table with an index by key, and a small one before it that takes the commits.

Keys are digests: the answers of a small commit lie all over the index, and each has a page of it written anew. So they
wait in `recent`, whose index is a mapping in memory, until enough of them move on at once, by key (docs/adr/026).
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from mmbench.harness.store.database import Database

Row: TypeAlias = tuple[int, str, bytes, bool, bytes, int]
"""Number of the model, kind, key, whether the text was cut, value and checksum."""
Found: TypeAlias = tuple[Any, Any, Any, Any]
"""Key, value, whether the text was cut, and checksum, as they stand in the file."""

_COLUMNS = "model, kind, key, truncated, value, checksum"
_INSERT = f"INSERT OR IGNORE INTO answers ({_COLUMNS}) VALUES (?,?,?,?,?,?)"  # noqa: S608
_APPEND = f"INSERT INTO recent ({_COLUMNS}) VALUES (?,?,?,?,?,?)"  # noqa: S608
_RECENT = f"SELECT number, {_COLUMNS} FROM recent"  # noqa: S608
_AMONG = "WHERE model=? AND key IN {}"
_KNOWN = f"SELECT key FROM answers {_AMONG}"  # noqa: S608

_SHARE = 64
"""One in so many answers may be recent: of fewer each move writes more pages of the index for each answer."""
_MOST, _MOST_BYTES = 100_000, 64 << 20
"""Recent answers, and bytes of them, at the most: a move holds them in memory, and the store from others."""


class Answers:
    """The answers of all models, by key. Of two answers to one question the first one stays."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._find = f"SELECT key, value, truncated, {database.checksum} FROM answers {_AMONG}"  # noqa: S608
        self._recent: dict[tuple[int, bytes], int] = {}
        """Numbers of the recent answers; another process may have removed some of them."""
        self._first: int | None = None
        self._last = self._bytes = 0
        """Numbers of the first and the last recent answer that was seen, and bytes of them all."""
        self._absent: set[tuple[int, bytes]] = set()
        """Questions without an answer in the table with an index: each is looked for before it is asked, claimed and
        answered, and that costs a page of the index each time."""
        self._version = 0
        """Of the file, which each commit of another process changes."""

    def find(self, model: int, keys: Sequence[bytes]) -> Iterator[Found]:
        """Yield the answer to each of `keys` that has one."""
        self._see()
        recent = self._lately(model, keys)
        yield from recent.values()
        yield from self._older(self._find, model, [key for key in keys if key not in recent])

    def known(self, model: int, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of `keys` have an answer."""
        self._see()
        return self._known(model, keys)

    def _known(self, model: int, keys: Sequence[bytes]) -> set[bytes]:
        recent = self._lately(model, keys)
        older = self._older(_KNOWN, model, [key for key in keys if key not in recent])
        return {*recent, *(key for (key,) in older)}

    def add(self, model: int, rows: Sequence[Row]) -> int:
        """Add answers of one model, within a transaction; return how many were not there."""
        self._see()
        ((newest,),) = self._database.rows("SELECT max(rowid) FROM answers")
        held = self._bytes + sum(len(row[4]) for row in rows)
        if len(self._recent) + len(rows) > min((newest or 0) // _SHARE, _MOST) or held > _MOST_BYTES:
            return self.add_many(rows)
        known = self._known(model, [row[2] for row in rows])
        new = {row[2]: row for row in reversed(rows) if row[2] not in known}
        self._database.do_each(_APPEND, reversed(new.values()))
        return len(new)

    def add_many(self, rows: Sequence[Row]) -> int:
        """Add answers, and move the recent ones on, within a transaction; return how many were not there."""
        self._move()
        self._absent.clear()
        before = self._database.changes
        self._database.do_each(_INSERT, rows)
        return self._database.changes - before

    def forget(self, model: int, keys: Sequence[bytes]) -> None:
        """Remove the answers to these questions, where the file can be written to."""
        if self._database.unwritable is not None:
            return
        for table in ("answers", "recent"):
            rows = ((model, key) for key in keys)
            self._database.do_each(f"DELETE FROM {table} WHERE model=? AND key=?", rows)  # noqa: S608

    def each(self, columns: str) -> Iterator[tuple[Any, ...]]:
        """Yield these columns of all answers, in the order of the file: by model each would be looked for apart."""
        self.settle()
        for table in ("answers", "recent"):
            yield from self._database.each(f"SELECT {columns} FROM {table} NOT INDEXED")  # noqa: S608

    def settle(self) -> None:
        """Move all recent answers on, so that all are in one table of a file that can be written to."""
        if self._database.unwritable is None and self._database.rows("SELECT 1 FROM recent LIMIT 1"):
            with self._database.transaction():
                self._move()

    def _move(self) -> None:
        # By key, so that the index is written page by page and not once for each answer.
        numbers = self._database.rows("SELECT number FROM recent ORDER BY model, key")
        if numbers:
            rows = {number: row for number, *row in self._database.rows(_RECENT)}
            # First, so that the file does not grow by their room.
            self._database.do("DELETE FROM recent")
            self._database.do_each(_INSERT, (rows[number] for (number,) in numbers))
            self._absent.clear()

    def _lately(self, model: int, keys: Sequence[bytes]) -> dict[bytes, Found]:
        """Return the recent answers to these questions, as they were last seen."""
        numbers = {number: key for key in keys if (number := self._recent.get((model, key))) is not None}
        query = "SELECT key, value, truncated, checksum FROM recent WHERE model=? AND number IN {}"
        found = self._database.among(query, (model,), list(numbers)) if numbers else ()
        return {row[0]: row for row in found if (model, row[0]) in self._recent}

    def _older(self, query: str, model: int, keys: Sequence[bytes]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, which begin with the key, for those of these keys that are not known to lack."""
        asked = [key for key in keys if (model, key) not in self._absent]
        found = list(self._database.among(query, (model,), asked))
        if len(self._absent) > _MOST:
            self._absent.clear()
        self._absent.update((model, key) for key in {*asked}.difference(row[0] for row in found))
        return found

    def _see(self) -> None:
        """Learn what another process may have done: which answers are recent now, and whether any came or went."""
        ((version,),) = self._database.rows("PRAGMA data_version")
        if version != self._version:
            self._version = version
            self._absent.clear()
        query = "SELECT (SELECT min(number) FROM recent), (SELECT max(number) FROM recent)"
        ((first, last),) = self._database.rows(query)
        if first != self._first:
            self._recent.clear()
            self._first, self._last, self._bytes = first, 0, 0
        if last is not None and last > self._last:
            query = "SELECT number, model, key, length(value) FROM recent WHERE number>? ORDER BY number"
            for number, model, key, size in self._database.rows(query, (self._last,)):
                self._recent[model, key] = self._last = number
                self._bytes += size or 0
