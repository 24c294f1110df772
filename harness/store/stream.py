"""Answer stream of one model: known answers are passed on and open questions asked, all in order."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Literal, Protocol

from mmbench.harness.engine.engine import Engine, Rests
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.errors import DataError, MmbenchError
from mmbench.harness.store.budget import Budget
from mmbench.harness.store.meter import Meter
from mmbench.harness.types import Failure

_PATIENCE = 16
"""Windows of answers that wait behind a question still to be asked, until it is asked in a batch that is not full."""

_WINDOW_BYTES = 64 << 20
"""Of what was read of the questions of a window, by the heaviest of the one before."""

_KNOWN = 128
"""Questions of a window at the most while all are known: fewer look-ups, and nothing waits for a batch."""

_PAUSE = 0.1
"""Seconds between two looks at what another process is asking."""


class Memory(Protocol):
    """What a stream needs to remember by."""

    meter: Meter
    budget: Budget | None

    def lookup(self, model: int, kind: Kind, keys: Sequence[bytes]) -> dict[bytes, tuple[Value, bool]]:
        """Return (value, truncated) for each of `keys` that is known; all are of one kind."""

    def claim(self, model: int, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of these questions are to be asked here; the others are answered or asked elsewhere."""

    def release(self, model: int, keys: Iterable[bytes]) -> None:
        """Leave these questions, claimed before, to others."""

    def stand_back(self) -> None:
        """Leave all that is claimed to others, before waiting for them."""

    def keep(self, model: int, answered: Sequence[Answered], seconds: float) -> None:
        """Commit one batch; its questions are claimed no longer. Raises Unavailable."""


class Stream:
    """One stream of questions: what is known and what is being asked, kept in the order of the questions."""

    def __init__(self, memory: Memory, engine: Engine, model: int) -> None:
        self._memory = memory
        self._engine = engine
        self._model = model
        self._order: deque[bytes] = deque()
        self._waiting: Counter[bytes] = Counter()
        self._in_flight: set[bytes] = set()
        self._elsewhere: dict[bytes, Question] = {}
        """Those in flight that another process is asking."""
        self._looked = 0.0
        self._resolved: dict[bytes, Value | Failure] = {}
        self._meter = memory.meter
        self._unreadable = 0

    def run(self, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `questions`, in order; all are of one kind."""
        batches = self._engine.map(self._missing(questions))
        try:
            while True:
                started, loaded = time.perf_counter(), self._engine.loading
                batch = next(batches, None)
                if batch is None:
                    break
                loading = self._engine.loading - loaded
                self._meter.loading += loading
                self._settle(batch, time.perf_counter() - started - loading)
                yield from self._ready()
            yield from self._ready()
        finally:
            self._rest(batches)
            if self._in_flight:
                with suppress(DataError):  # else the claims lapse
                    self._memory.release(self._model, self._in_flight)

    def _rest(self, batches: Iterator[list[Answered]]) -> None:
        """Keep what still comes of what is under way: it may have been paid for."""
        if isinstance(batches, Rests):
            for batch in batches.rest():
                with suppress(MmbenchError):  # what ends the run was told
                    self._settle([each for each in batch if each.question.key in self._in_flight], 0.0)

    def _missing(self, questions: Iterable[Question]) -> Iterator[Question | Literal["flush"] | None]:
        """Read the questions window by window and pass on those that nobody has answered."""
        iterator = iter(questions)
        size = 1
        while window := list(islice(iterator, size)):
            kind = window[0].kind
            apart = any(not image.drawn for question in window for image in question.images)
            read = self._engine.read([question.read for question in window], apart=apart)
            # What was read, as the pixels of a clip's frames, is held until it is known whether it must be asked.
            heaviest = max((each.weight for each in read if isinstance(each, Question)), default=0)
            most = max(1, _WINDOW_BYTES // max(1, heaviest))
            step = min(kind.window, most)
            self._recall(kind, [each.key for each in read if isinstance(each, Question) and not self._has(each.key)])
            # All have their place before the first is asked: an answer is kept for as long as an equal question waits.
            new = deque(question for question in map(self._place, read) if question is not None)
            size = step if new else min(most, max(step, min(2 * size, _KNOWN)))
            del window, read
            yield from self._claimed(new)
            if self._elsewhere and time.monotonic() - self._looked > _PAUSE:
                yield from self._look_again(kind)
            yield FLUSH if len(self._order) - len(self._in_flight) > _PATIENCE * step else None
            while self._elsewhere and len(self._order) > _PATIENCE * step:
                yield from self._wait(kind)
        while self._elsewhere:
            yield from self._wait(kind)

    def _recall(self, kind: Kind, keys: Sequence[bytes]) -> None:
        """Resolve what the store knows of these."""
        known = self._memory.lookup(self._model, kind, list(dict.fromkeys(keys)))
        first = self._meter.first(self._model, known)
        self._meter.count(0, len(first), sum(known[key][1] for key in first))
        self._meter.hear((known[key][0] for key in first), now=False)
        self._resolved.update({key: value for key, (value, _) in known.items()})

    def _claimed(self, new: deque[Question]) -> Iterator[Question]:
        """Pass on those questions that no other process is asking, and keep the others."""
        mine = self._memory.claim(self._model, [question.key for question in new]) if new else ()
        while new:
            question = new.popleft()
            if question.key in mine:
                if self._memory.budget is not None:
                    self._memory.budget.admit()
                yield question
            else:
                self._elsewhere[question.key] = question

    def _look_again(self, kind: Kind) -> Iterator[Question]:
        """Resolve what another process has answered meanwhile, and pass on what it has given up."""
        self._looked = time.monotonic()
        self._recall(kind, list(self._elsewhere))
        left = deque(question for key, question in self._elsewhere.items() if key not in self._resolved)
        self._in_flight -= self._elsewhere.keys() & self._resolved.keys()
        self._elsewhere = {}
        yield from self._claimed(left)

    def _wait(self, kind: Kind) -> Iterator[Question | Literal["flush"]]:
        """Finish what is asked here, then wait a moment for what is asked elsewhere."""
        while len(self._in_flight) > len(self._elsewhere):
            yield FLUSH
        self._memory.stand_back()  # two processes that wait for each other would wait for ever
        time.sleep(_PAUSE)
        yield from self._look_again(kind)
        yield FLUSH

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
        if self._memory.budget is not None:
            self._memory.budget.settle([each.value for each in batch])
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
        made = (each.value for each in batch if each.question.key in first)
        self._meter.hear((value for value in made if not isinstance(value, Failure)), now=True)

    def _ready(self) -> Iterator[Value | Failure]:
        """Yield what is answered at the head of the order, and forget it once nobody waits for it."""
        while self._order and self._order[0] in self._resolved:
            key = self._order.popleft()
            value = self._resolved[key]
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._resolved[key]
            yield value
