"""The one door to every model: what was asked before is returned as stored, what is missing is asked and kept."""

import sqlite3
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from mmbench.harness.abilities import Generation, ImageVectors
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.engine import FLUSH, Answered, Engine, Kind, Request, Value
from mmbench.harness.errors import DataError, Unreadable
from mmbench.harness.media import Content, Image
from mmbench.harness.types import Failure

SCHEMA = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    model INTEGER NOT NULL, key BLOB NOT NULL, kind TEXT NOT NULL, truncated INTEGER NOT NULL, value BLOB NOT NULL,
    UNIQUE (model, key));
CREATE TABLE IF NOT EXISTS speeds (
    model INTEGER NOT NULL, kind TEXT NOT NULL, items INTEGER NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (model, kind));
"""

_HEADER = struct.Struct("<c2sxI")
"""Before each stored array: a type mark, the dtype, padding to eight bytes, the length."""

_WINDOW = {"image": 16, "text": 1024, "score": 16, "reply": 16}
_PATIENCE = 16
"""Windows of answers that wait behind a question still to be asked, until it is asked in a batch that is not full."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a model, in terms of content alone: no task, no file name."""

    kind: Kind
    images: tuple[Image, ...] = ()
    prompt: str = ""
    texts: tuple[str, ...] = ()
    generation: Generation = Generation()

    def read(self) -> Request | Failure:
        """Read the pictures once and return the request with its key."""
        try:
            contents = tuple(image.read() for image in self.images)
        except Unreadable as error:
            return Failure(str(error))
        return Request(self._key(contents), self.kind, contents, self.prompt, self.texts, self.generation)

    def _key(self, contents: tuple[Content, ...]) -> bytes:
        written = self.generation
        settings: list[Json] = (
            [written.max_tokens, written.temperature, list(written.stop)] if self.kind == "reply" else []
        )
        identity: list[Json] = [
            self.kind,
            [content.digest for content in contents],
            self.prompt,
            list(self.texts),
            settings,
        ]
        return bytes.fromhex(digest_json(identity))


@dataclass(slots=True)
class Meter:
    """What a stretch of work cost; a new one is read for each task."""

    asked: int = 0
    """Distinct inputs that went through the model."""
    remembered: int = 0
    """Distinct inputs that the store answered."""
    truncated_texts: int = 0
    """Distinct texts that the model saw only the beginning of."""
    on_progress: Callable[[int, int], None] | None = None
    """Called with (asked, remembered) as they grow."""
    _counted: dict[int, set[bytes]] = field(default_factory=dict)

    def first(self, model: int, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of `keys` that were not counted before, and take them as counted."""
        counted = self._counted.setdefault(model, set())
        new = set(keys) - counted
        counted |= new
        return new

    def count(self, asked: int, remembered: int, truncated: int) -> None:
        """Add to the figures."""
        self.asked += asked
        self.remembered += remembered
        self.truncated_texts += truncated
        if self.on_progress and (asked or remembered):
            self.on_progress(asked, remembered)


class Answers(Protocol):
    """What a subject needs of a store: answers in order, one for each question."""

    def ask(self, engine: Engine, fingerprint: str, asks: Iterable[Ask]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `asks`, in order; all of one kind."""


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
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        with self._telling():
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing that was committed
            self._db.execute("PRAGMA cache_size=-65536")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA):
                raise DataError(
                    f"{self.path} was written by another version of mmbench (schema {version}, this one reads "
                    f"{SCHEMA}); choose another file with --store, or delete it to start afresh"
                )
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA user_version={SCHEMA}")

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

    def ask(self, engine: Engine, fingerprint: str, asks: Iterable[Ask]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `asks`, in order; all of one kind. Equal questions are asked once."""
        return _Conversation(self, engine, self._model(fingerprint)).run(asks)

    def lookup(self, model: int, keys: Sequence[bytes]) -> dict[bytes, tuple[Value, bool]]:
        """Return (value, truncated) for each of `keys` that is known."""
        found: dict[bytes, tuple[Value, bool]] = {}
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value, truncated FROM answers WHERE model=? AND key IN ({marks})"  # noqa: S608
            with self._telling():
                rows = self._db.execute(query, (model, *part)).fetchall()
            found.update({key: (unpack(value), bool(truncated)) for key, value, truncated in rows})
        return found

    def keep(self, model: int, answered: Sequence[Answered], seconds: float) -> None:
        """Commit one batch; an answer that another process stored first stays as it is."""
        rows = [
            (model, each.request.key, each.request.kind, each.truncated, pack(each.value))
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
        return len(self.lookup(found[0], keys)) if found else 0

    def speed(self, fingerprint: str, kind: Kind) -> float | None:
        """Return items per second of all asking so far, or None when the model was never asked this."""
        row = self._db.execute(
            "SELECT items, seconds FROM speeds JOIN models ON models.id=model WHERE fingerprint=? AND kind=?",
            (fingerprint, kind),
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
            for table in ("answers", "speeds"):
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


class _Conversation:
    """One stream of questions: what is known and what is being asked, kept in the order of the questions."""

    def __init__(self, store: Store, engine: Engine, model: int) -> None:
        self._store = store
        self._engine = engine
        self._model = model
        self._order: deque[bytes] = deque()
        self._waiting: Counter[bytes] = Counter()
        self._in_flight: set[bytes] = set()
        self._resolved: dict[bytes, Value | Failure] = {}
        self._meter = store.meter
        self._unreadable = 0

    def run(self, asks: Iterable[Ask]) -> Iterator[Value | Failure]:
        batches = self._engine.map(self._missing(asks))
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                break
            self._settle(batch, time.perf_counter() - started)
            yield from self._ready()
        yield from self._ready()

    def _missing(self, asks: Iterable[Ask]) -> Iterator[Request | Literal["flush"] | None]:
        """Read the questions window by window and pass on those that nobody has answered."""
        iterator = iter(asks)
        size = 1
        while window := list(islice(iterator, size)):
            size = _WINDOW[window[0].kind]
            requests = self._engine.read([ask.read for ask in window], apart=bool(window[0].images))
            fresh = [r.key for r in requests if isinstance(r, Request) and not self._has(r.key)]
            known = self._store.lookup(self._model, list(dict.fromkeys(fresh)))
            first = self._meter.first(self._model, known)
            self._meter.count(0, len(first), sum(known[key][1] for key in first))
            self._resolved.update({key: value for key, (value, _) in known.items()})
            # All have their place before the first is asked: an answer is kept for as long as an equal question waits.
            new = deque(request for request in map(self._place, requests) if request is not None)
            del window, requests
            while new:
                yield new.popleft()
            yield FLUSH if len(self._order) - len(self._in_flight) > _PATIENCE * size else None

    def _has(self, key: bytes) -> bool:
        return key in self._in_flight or key in self._resolved

    def _place(self, request: Request | Failure) -> Request | None:
        """Give a question its place in the order; return it if it must be asked."""
        if isinstance(request, Failure):
            self._unreadable += 1
            key = b"unreadable %d" % self._unreadable
            self._resolved[key] = request
        else:
            key = request.key
        self._order.append(key)
        self._waiting[key] += 1
        if isinstance(request, Failure) or self._has(key):
            return None
        self._in_flight.add(key)
        return request

    def _settle(self, batch: Sequence[Answered], seconds: float) -> None:
        """Commit a batch and take its values back as stored."""
        if not batch:
            return
        self._store.keep(self._model, batch, seconds)
        stored = self._store.lookup(self._model, [each.request.key for each in batch])
        for each in batch:
            key = each.request.key
            self._in_flight.discard(key)
            if isinstance(each.value, Failure):
                self._resolved[key] = each.value
            else:  # another process may have pruned it meanwhile
                self._resolved[key] = stored[key][0] if key in stored else unpack(pack(each.value))
        first = self._meter.first(self._model, [each.request.key for each in batch])
        cut = sum(each.truncated for each in batch if each.request.key in first)
        self._meter.count(len(first), 0, cut)

    def _ready(self) -> Iterator[Value | Failure]:
        """Yield what is answered at the head of the order, and forget it once nobody waits for it."""
        while self._order and self._order[0] in self._resolved:
            key = self._order.popleft()
            value = self._resolved[key]
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._resolved[key]
            yield value


def pack(value: Value) -> bytes:
    """Return the bytes under which an answer is stored: a type mark, then text or arrays with dtype and shape."""
    if isinstance(value, str):
        return b"t" + value.encode(errors="replace")  # half of a surrogate pair has no UTF-8
    arrays = (value.embedding, value.features) if isinstance(value, ImageVectors) else (value,)
    parts: list[bytes] = []
    for made in arrays:
        array = made.astype(min(made.dtype.newbyteorder("<"), np.dtype("<f8")), copy=False)
        parts.append(_HEADER.pack(b"v", array.dtype.str[1:].encode(), len(array)))
        parts.append(array.tobytes())
    return b"".join(parts)


def unpack(data: bytes) -> Value:
    """Return the answer behind `pack`'s bytes.

    >>> unpack(pack("a dog"))
    'a dog'
    >>> unpack(pack(np.array([1.5, 2.5], dtype=np.float32)))
    array([1.5, 2.5], dtype=float32)
    """
    if data[:1] == b"t":
        return data[1:].decode()
    arrays, at = [], 0
    while at < len(data):
        _, code, length = _HEADER.unpack_from(data, at)
        dtype = np.dtype(code.decode())
        arrays.append(np.frombuffer(data, dtype, length, at + _HEADER.size))
        at += _HEADER.size + length * dtype.itemsize
    return ImageVectors(arrays[0], arrays[1]) if len(arrays) == 2 else arrays[0]
