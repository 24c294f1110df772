"""Store of answers: what was asked before is returned as stored, what is missing is asked and kept."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Protocol

from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.errors import DataError
from mmbench.harness.models.reply import Reply
from mmbench.harness.store.answers import Answers, Row
from mmbench.harness.store.budget import Budget
from mmbench.harness.store.checksum import checksum, is_intact, seed_of, unpacked
from mmbench.harness.store.claims import Claims
from mmbench.harness.store.database import Database
from mmbench.harness.store.holding import Holding
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.pruning import named, prune, trim
from mmbench.harness.store.snapshots import Snapshots
from mmbench.harness.store.sources import Ahead
from mmbench.harness.store.stream import Stream
from mmbench.harness.store.transfer import Moved, export_answers, import_answers
from mmbench.harness.types import Failure


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


_HELD, _SHORT = 4096, 4096
"""Answers about pictures that are held, since many tasks ask about the same ones, and bytes of one at the most."""

_LATELY = 10.0
"""Seconds after which it is written anew when a model was last used; a task asks it many times."""


class Store:
    """Remembers answers under (fingerprint, digest of the question) in one SQLite file.

    Several processes may use one file at a time. A value is committed with its batch and is returned as stored even
    on the first ask, so that cold and warm runs agree to the bit. Failures are never stored.
    """

    def __init__(self, path: Path, meter: Meter | None = None) -> None:
        self.path = path
        self.meter = meter or Meter()
        self._names: dict[str, str] = {}
        self._seeds: dict[int, int] = {}
        """Of each model's checksums."""
        self._entered: dict[int, tuple[str, str, float]] = {}
        """Fingerprint, name and time of use, as each model was entered."""
        self._database = Database(path)
        self._answers = Answers(self._database)
        self._claims = Claims(self._database, self._answers)
        self._snapshots = Snapshots(self._database)
        self._held: dict[tuple[int, bytes], tuple[Value, bool]] = {}
        """Short answers about pictures that were found lately."""
        self._streams: dict[int, Stream] = {}
        """Those that go on from task to task, by the identity of their engine."""
        self.budget: Budget | None = None
        """What may be spent on the answers of the model that is asked now."""

    def close(self) -> None:
        """Close the file."""
        self._claims.close()
        with suppress(DataError):  # else they stay recent
            self._answers.settle()
        self._database.close()

    def name(self, fingerprint: str, name: str) -> None:
        """Give a model the name under which `store info` and `store prune` know it."""
        self._names[fingerprint] = name

    def ask(self, engine: Engine, fingerprint: str, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `questions`, in order; all of one kind. Equal questions are asked once."""
        return self._answered(engine, self._model(fingerprint), iter(questions))

    def _answered(self, engine: Engine, model: int, questions: Iterator[Question]) -> Iterator[Value | Failure]:
        first = next(questions, None)
        if first is None:
            return
        held = self._streams.get(id(engine)) if first.kind is IMAGE and self.budget is None else None
        stream = Stream(self, engine, model) if held is None or held.running else held
        yield from stream.run(chain([first], questions))

    @contextmanager
    def foreseeing(self, engine: Engine, fingerprint: str, ahead: Ahead) -> Iterator[None]:
        """Keep one stream of pictures for this engine, so that those of the next tasks fill the batches of each.

        Nothing is asked early of a model that is paid for.
        """
        self._streams[id(engine)] = stream = Stream(self, engine, self._model(fingerprint), ahead)
        try:
            yield
        finally:
            del self._streams[id(engine)]
            stream.close()

    def expect(self, inputs: int) -> None:
        """Pass on that so many inputs are to come besides the items of the task."""
        if self.meter.on_expected:
            self.meter.on_expected(inputs)

    def lookup(self, model: int, kind: Kind, keys: Sequence[bytes]) -> dict[bytes, tuple[Value, bool]]:
        """Return (value, truncated) for each of `keys` that is known; all are of one kind.

        A damaged answer is forgotten, so that it is asked again, and counted by the meter.
        """
        found = {key: held for key in keys if (held := self._held.get((model, key)))}
        damaged: list[bytes] = []
        seed = self._seeds[model]
        for key, value, truncated, sum_ in self._answers.find(model, [key for key in keys if key not in found]):
            made = unpacked(kind, value) if is_intact(seed, key, value, truncated, sum_) else None
            if made is None:
                damaged.append(key)
                continue
            found[key] = made, bool(truncated)
            if kind is IMAGE and len(value) <= _SHORT:
                if len(self._held) >= _HELD:
                    self._held.clear()
                self._held[model, key] = found[key]
        if damaged:
            self._answers.forget(model, damaged)
            self.meter.damaged += len(damaged)
        return found

    def claim(self, model: int, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of these questions are to be asked here: no other process has answered or is asking them.

        Raises DataError of a store that cannot be written to: what was asked would be lost.
        """
        if self._database.unwritable is not None:
            raise self._database.unwritable
        return self._claims.take(model, keys)

    def release(self, model: int, keys: Iterable[bytes]) -> None:
        """Leave these questions, claimed before, to others."""
        self._claims.drop(model, keys)

    def stand_back(self) -> None:
        """Leave all that is claimed to others, before waiting for them."""
        self._claims.drop_all()

    def keep(self, model: int, answered: Sequence[Answered], seconds: float) -> dict[bytes, Value]:
        """Commit one batch, all of one kind, and return its answers as stored: what another process stored first stays.

        Raises Unavailable where an answer comes from another version of the model than those before; it is not kept.
        """
        seed, kind = self._seeds[model], answered[0].question.kind
        rows: list[Row] = []
        new = 0
        changed = None
        for each in answered:
            if isinstance(each.value, Reply) and (other := self._snapshots.change(model, each.value.told.snapshot)):
                changed = other
            elif not isinstance(each.value, Failure):
                key, value = each.question.key, kind.pack(each.value)
                sum_ = checksum(seed, key, value, each.truncated)
                rows.append((model, kind.name, key, each.truncated, value, sum_))
        with self._database.transaction():
            if rows:
                # Again, where another process has pruned the model meanwhile: without it nobody would find the answers.
                self._database.do("INSERT OR IGNORE INTO models VALUES (?,?,?,?)", (model, *self._entered[model]))
                new = self._answers.add(model, rows)
            self._claims.drop(model, (each.question.key for each in answered))
            if rows:
                self._database.do(
                    "INSERT INTO speeds VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET items=items+excluded.items, "
                    "seconds=seconds+excluded.seconds",
                    (model, rows[0][1], len(rows), seconds),
                )
        if changed is not None:
            raise changed
        made = {key: kind.unpack(value) for _, _, key, _, value, _ in rows}
        if new < len(made):  # another process was first, and may have removed its own meanwhile
            made.update((key, value) for key, (value, _) in self.lookup(model, kind, list(made)).items())
        return made

    def known(self, fingerprint: str, keys: Sequence[bytes]) -> int:
        """Return how many of `keys` are remembered, and not damaged."""
        found = self._database.rows("SELECT id FROM models WHERE fingerprint=?", (fingerprint,))
        if not found:
            return 0
        seed = seed_of(fingerprint)
        return sum(is_intact(seed, *row) for row in self._answers.find(found[0][0], keys))

    def remembers(self, fingerprint: str, question: Question) -> bool:
        """Tell whether this was answered before."""
        read = question.read()
        return isinstance(read, Question) and bool(self.known(fingerprint, [read.key]))

    def parameters(self, fingerprint: str, counted: int | None) -> int | None:
        """Return a model's number of weights: that which was counted, and is kept, else what was counted before."""
        model = self._model(fingerprint)
        if counted is not None:
            self._database.do("INSERT OR REPLACE INTO sizes VALUES (?,?)", (model, int(counted)))
        rows = self._database.rows("SELECT parameters FROM sizes WHERE model=?", (model,))
        return rows[0][0] if rows and isinstance(rows[0][0], int) else None

    def speed(self, fingerprint: str, kind: Kind) -> float | None:
        """Return items per second of all asking so far, or None when the model was never asked this."""
        rows = self._database.rows(
            "SELECT items / seconds FROM speeds JOIN models ON models.id=model WHERE fingerprint=? AND kind=?",
            (fingerprint, kind.name),
        )
        return rows[0][0] if rows and isinstance(rows[0][0], float) and rows[0][0] > 0 else None

    def holdings(self) -> list[Holding]:
        """Return what the store holds, model by model, the last used first; every answer is checked."""
        held = self._models()
        for model, *answer in self._answers.each(f"model, key, value, truncated, {self._database.checksum}"):
            if model in held:
                held[model].add(*answer)
        return list(held.values())

    def sizes(self) -> list[Holding]:
        """Return what the store holds as `holdings` does, without a look at the answers themselves."""
        return list(self._sized().values())

    def _sized(self) -> dict[int, Holding]:
        held = self._models()
        for model, size in self._answers.each("model, length(value)"):
            if model in held:
                held[model].answers += 1
                held[model].bytes += size or 0
        return held

    def _models(self) -> dict[int, Holding]:
        query = "SELECT id, name, fingerprint, used FROM models ORDER BY used DESC"
        held = {
            model: Holding(str(name), str(fingerprint), float(used) if isinstance(used, int | float) else 0.0)
            for model, name, fingerprint, used in self._database.rows(query)
        }
        for model, name in self._database.rows("SELECT model, name FROM labels ORDER BY used DESC"):
            if model in held:
                held[model].labels.append(str(name))
        for each in held.values():
            each.labels = each.labels or [each.name]  # of a store of an older version
        return held

    def prune(self, model: str | None = None, *, before: float | None = None, most: int | None = None) -> list[Holding]:
        """Remove what models of this name or fingerprint left, by default what all left, and return it.

        With `before`, seconds since 1970, only of models that were last used earlier; with `most` only as much as
        leaves so many bytes of answers, see `trim`. The file gives the room back.
        """
        held = self._sized()
        gone = {number: each for number, each in named(held, model).items() if before is None or each.used < before}
        if most is None:
            prune(self._database, gone)
            removed = list(gone.values())
        else:
            removed = trim(self._database, gone, sum(each.bytes for each in held.values()) - most)
        self._snapshots.forget()
        self._held.clear()
        if removed:
            self.vacuum()
        return removed

    def vacuum(self) -> None:
        """Give the room of removed answers back to the disk; for as long it takes the size of the store again."""
        self._answers.settle()
        self._database.do("VACUUM")

    def export(self, file: Path, model: str | None = None) -> Moved:
        """Write the answers of a model, by default of all, to a Parquet file. Raises DataError and OSError."""
        return export_answers(self._database, self._answers, file, [*named(self._models(), model)])

    def take_in(self, file: Path) -> Moved:
        """Add the answers of an exported file; what is here stays as it is. Raises DataError."""
        return import_answers(self._database, self._answers, file)

    def _model(self, fingerprint: str) -> int:
        name, now = self._names.get(fingerprint, fingerprint), time.time()
        query = "SELECT id FROM models WHERE fingerprint=? AND name=? AND used BETWEEN ? AND ?"
        for (model,) in self._database.rows(query, (fingerprint, name, now - _LATELY, now)):
            if model in self._seeds:  # with it its label was written
                return int(model)
        entered = (fingerprint, name, now)
        self._database.do(
            "INSERT INTO models (fingerprint, name, used) VALUES (?,?,?) "
            "ON CONFLICT DO UPDATE SET used=excluded.used, name=excluded.name",
            entered,
        )
        (model,) = self._database.rows("SELECT id FROM models WHERE fingerprint=?", (fingerprint,))[0]
        self._database.do("INSERT OR REPLACE INTO labels VALUES (?,?,?)", (model, name, now))
        self._seeds[model], self._entered[model] = seed_of(fingerprint), entered
        return int(model)
