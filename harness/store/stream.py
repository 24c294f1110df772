"""Answer stream of one model: known answers are passed on and open questions asked, all in order."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, Protocol

from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.store.meter import Meter
from mmbench.harness.types import Failure

_PATIENCE = 16
"""Windows of answers that wait behind a question still to be asked, until it is asked in a batch that is not full."""


class Memory(Protocol):
    """What a stream needs to remember by."""

    meter: Meter

    def lookup(self, model: int, kind: Kind, keys: Sequence[bytes]) -> dict[bytes, tuple[Value, bool]]:
        """Return (value, truncated) for each of `keys` that is known; all are of one kind."""

    def keep(self, model: int, answered: Sequence[Answered], seconds: float) -> None:
        """Commit one batch."""


class Stream:
    """One stream of questions: what is known and what is being asked, kept in the order of the questions."""

    def __init__(self, memory: Memory, engine: Engine, model: int) -> None:
        self._memory = memory
        self._engine = engine
        self._model = model
        self._order: deque[bytes] = deque()
        self._waiting: Counter[bytes] = Counter()
        self._in_flight: set[bytes] = set()
        self._resolved: dict[bytes, Value | Failure] = {}
        self._meter = memory.meter
        self._unreadable = 0

    def run(self, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `questions`, in order; all are of one kind."""
        batches = self._engine.map(self._missing(questions))
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                break
            self._settle(batch, time.perf_counter() - started)
            yield from self._ready()
        yield from self._ready()

    def _missing(self, questions: Iterable[Question]) -> Iterator[Question | Literal["flush"] | None]:
        """Read the questions window by window and pass on those that nobody has answered."""
        iterator = iter(questions)
        size = 1
        while window := list(islice(iterator, size)):
            kind = window[0].kind
            size = kind.window
            read = self._engine.read([question.read for question in window], apart=bool(window[0].images))
            fresh = [each.key for each in read if isinstance(each, Question) and not self._has(each.key)]
            known = self._memory.lookup(self._model, kind, list(dict.fromkeys(fresh)))
            first = self._meter.first(self._model, known)
            self._meter.count(0, len(first), sum(known[key][1] for key in first))
            self._resolved.update({key: value for key, (value, _) in known.items()})
            # All have their place before the first is asked: an answer is kept for as long as an equal question waits.
            new = deque(question for question in map(self._place, read) if question is not None)
            del window, read
            while new:
                yield new.popleft()
            yield FLUSH if len(self._order) - len(self._in_flight) > _PATIENCE * size else None

    def _has(self, key: bytes) -> bool:
        return key in self._in_flight or key in self._resolved

    def _place(self, question: Question | Failure) -> Question | None:
        """Give a question its place in the order; return it if it must be asked."""
        if isinstance(question, Failure):
            self._unreadable += 1
            key = b"unreadable %d" % self._unreadable
            self._resolved[key] = question
        else:
            key = question.key
        self._order.append(key)
        self._waiting[key] += 1
        if isinstance(question, Failure) or self._has(key):
            return None
        self._in_flight.add(key)
        return question

    def _settle(self, batch: Sequence[Answered], seconds: float) -> None:
        """Commit a batch and take its values back as stored."""
        if not batch:
            return
        self._memory.keep(self._model, batch, seconds)
        kind = batch[0].question.kind
        stored = self._memory.lookup(self._model, kind, [each.question.key for each in batch])
        for each in batch:
            key = each.question.key
            self._in_flight.discard(key)
            if isinstance(each.value, Failure):
                self._resolved[key] = each.value
            else:  # another process may have pruned it meanwhile
                self._resolved[key] = stored[key][0] if key in stored else kind.unpack(kind.pack(each.value))
        first = self._meter.first(self._model, [each.question.key for each in batch])
        cut = sum(each.truncated for each in batch if each.question.key in first)
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
