"""Answer stream of one model: known answers are passed on and open questions asked, all in order."""

import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Literal

from mmbench.harness.engine.engine import Engine, Rests
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.errors import DataError, MmbenchError, Unavailable
from mmbench.harness.store.order import Order
from mmbench.harness.store.sources import Ahead, Memory
from mmbench.harness.types import Failure

_PATIENCE = 256
"""Answers that wait behind a question still to be asked, until it is asked in a batch that is not full."""

_WINDOW_BYTES = 64 << 20
"""Of what was read of the questions of a window, by the heaviest of the one before."""

_KNOWN = 128
"""Questions of a window at the most while all are known: fewer look-ups, and nothing waits for a batch."""

_PAUSE = 0.1
"""Seconds between two looks at what another process is asking."""


class Stream:
    """One stream of questions: what is known and what is being asked, kept in the order of the questions.

    With `ahead` it may be run again, for the questions of the next task: what is under way of these stays so.
    """

    def __init__(self, memory: Memory, engine: Engine, model: int, ahead: Ahead | None = None) -> None:
        self._memory = memory
        self._engine = engine
        self._model = model
        self._batches: Iterator[list[Answered]] | None = None
        self._questions: Iterator[Question] = iter(())
        self._ended = True
        """All questions of this run were read."""
        self._order = Order()
        self._in_flight: dict[bytes, Question] = {}
        """As they were before they were read, so that no file is held by it."""
        self._elsewhere: dict[bytes, Question] = {}
        """Those in flight that another process is asking."""
        self._looked = 0.0
        self._meter = memory.meter
        self._unreadable = 0
        self._ahead = ahead
        self._early: dict[bytes, Question] = {}
        """In flight before their task has asked, not read either."""
        self._came_early: dict[bytes, Failure | None] = {}
        """Answered before their task has asked, which counts them; a failure, which no store keeps, is kept here."""
        self._again: deque[bytes] = deque()
        """In flight, and to be asked anew."""
        self._step = 1
        """Questions to read at a time, by what those before weighed."""
        self._unread = False
        """Questions could not be read: there are more, which nobody can ask."""
        self.running = False

    def run(self, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each of `questions`, in order; all are of one kind."""
        self._questions, self._meter = iter(questions), self._memory.meter
        self._ended, self._unread, self.running = False, False, True
        try:
            yield from self._answers()
        finally:
            self.running = False
            if self._ahead is None or self._order or not self._ended:
                self.close()

    def _answers(self) -> Iterator[Value | Failure]:
        while not self._ended or self._order:
            if self._batches is None:
                self._batches = self._engine.map(self._missing())
            started, loaded = time.perf_counter(), self._engine.loading
            try:
                batch = next(self._batches, None)
            except Unavailable:
                raise
            except MmbenchError:
                if self._unread or not self._early:
                    raise
                self._stop_early()  # it may be the doing of another task's pictures
                continue
            if batch is None:
                self._batches = None
                if self._ended:
                    return
                continue
            loading = self._engine.loading - loaded
            self._meter.loading += loading
            self._settle(batch, time.perf_counter() - started - loading)
            yield from self._order.ready()

    def close(self) -> None:
        """Keep what still comes of what is under way, and leave the rest to others."""
        self._rest()
        self._release(self._in_flight)
        for held in (self._order, self._in_flight, self._elsewhere, self._again):
            held.clear()

    def _rest(self) -> None:
        """Keep what still comes of what is under way: it may have been paid for. Nothing early is waited for."""
        batches, self._batches = self._batches, None
        if isinstance(batches, Rests):
            for batch in batches.rest():
                with suppress(MmbenchError):  # what ends the run was told
                    self._settle([each for each in batch if self._awaits(each.question.key)], 0.0)
        self._release(self._early)
        self._early.clear()

    def _release(self, questions: Collection[bytes]) -> None:
        if questions:
            with suppress(DataError):  # else the claims lapse
                self._memory.release(self._model, questions)

    def _stop_early(self) -> None:
        """Ask anew what this run waits for, and from now on nothing early."""
        self._rest()
        self._ahead, self._ended = None, False
        self._again.extend(key for key in self._in_flight if key not in self._elsewhere)

    def _missing(self) -> Iterator[Question | Literal["flush"] | None]:
        """Pass on the questions of a run that nobody has answered; then, while these are waited for, some early ones.

        The next run's follow where its answers are waited for before all is told.
        """
        try:
            while not self._ended:
                yield from self._anew()
                yield from self._own()
                self._ended = True
                while self._ended and (early := self._foreseen()):
                    while early:
                        yield early.popleft()
                    yield None
        except Exception:
            self._unread = True
            raise

    def _anew(self) -> Iterator[Question]:
        while self._again:
            key = self._again.popleft()
            (read,) = self._read([self._in_flight[key]])
            if isinstance(read, Question) and read.key == key:
                yield read
            else:
                del self._in_flight[key]
                changed = Failure("it changed while it was asked")
                self._order.resolve({key: read if isinstance(read, Failure) else changed})

    def _own(self) -> Iterator[Question | Literal["flush"] | None]:
        """Read the questions window by window and pass on those that nobody has answered."""
        size = 1
        while window := list(islice(self._questions, size)):
            kind = window[0].kind
            read = self._read(window)
            # What was read, as the pixels of a clip's frames, is held until it is known whether it must be asked.
            heaviest = max((each.weight for each in read if isinstance(each, Question)), default=0)
            most = max(1, _WINDOW_BYTES // max(1, heaviest))
            self._step = step = min(kind.window, most)
            self._recall(kind, [each.key for each in read if isinstance(each, Question) and not self._has(each.key)])
            # All have their place before the first is asked: an answer is kept for as long as an equal question waits.
            new = deque(question for question in map(self._place, window, read) if question is not None)
            size = step if new else min(most, max(step, min(2 * size, _KNOWN)))
            del window, read
            yield from self._claimed(new)
            if self._elsewhere and time.monotonic() - self._looked > _PAUSE:
                yield from self._look_again(kind)
            # Of heavy questions, whose items wait as well, fewer; of texts, which are read by the thousand, more.
            patience = min(16 * step, max(_PATIENCE, 4 * step))
            yield FLUSH if len(self._order) - len(self._in_flight) > patience else None
            while self._elsewhere and len(self._order) > patience:
                yield from self._wait(kind)
        while self._elsewhere:
            yield from self._wait(kind)

    def _read(self, window: Sequence[Question]) -> list[Question | Failure]:
        apart = any(not image.drawn for question in window for image in question.images)
        return self._engine.read([question.read for question in window], apart=apart)

    def _foreseen(self) -> deque[Question]:
        """Return some questions of tasks to come that nobody has answered or is asking; none where there are no more.

        Where a whole window of a task is known so are its others, as a rule: they are not read for this.
        """
        # Where nothing is waited for there is no batch to fill.
        while self._in_flight and self._ahead is not None and (window := self._ahead.take(self._step)):
            try:
                read = {
                    each.key: (each, unread)
                    for unread, each in zip(window, self._read(window), strict=True)
                    if isinstance(each, Question)
                }
            except Exception:  # of a plug-in's picture; told when its turn comes
                read = {}
            new = [key for key in read if not self._has(key) and key not in self._came_early]
            known = self._memory.lookup(self._model, IMAGE, new)
            mine = self._memory.claim(self._model, [key for key in new if key not in known])
            if mine:
                found = [key for key in new if key in mine]
                self._early.update((key, read[key][1]) for key in found)
                return deque(read[key][0] for key in found)
            self._ahead.skip()
        return deque()

    def _recall(self, kind: Kind, keys: Sequence[bytes]) -> None:
        """Resolve what the store knows of these."""
        known = self._memory.lookup(self._model, kind, list(dict.fromkeys(keys)))
        early = {key: self._came_early.pop(key) for key in dict.fromkeys(keys) if key in self._came_early}
        failed = {key: failure for key, failure in early.items() if failure is not None}
        first = self._meter.first(self._model, [*known, *failed])
        asked = len(first & early.keys())
        self._meter.count(asked, len(first) - asked, sum(known[key][1] for key in first - failed.keys()))
        self._meter.hear((known[key][0] for key in first - failed.keys()), now=False)
        self._order.resolve({**{key: value for key, (value, _) in known.items()}, **failed})

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
        left = deque(question for key, question in self._elsewhere.items() if key not in self._order)
        for key in self._elsewhere:
            if key in self._order:
                del self._in_flight[key]
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
        return key in self._in_flight or key in self._early or key in self._order

    def _awaits(self, key: bytes) -> bool:
        return key in self._in_flight or key in self._early

    def _place(self, unread: Question, question: Question | Failure) -> Question | None:
        """Give a question, as it was and as it was read, its place in the order; return it if it must be asked."""
        if isinstance(question, Failure):
            self._unreadable += 1
            key = b"unreadable %d" % self._unreadable
            self._order.resolve({key: question})
        else:
            key = question.key
        self._order.put(key)
        if key in self._early:
            self._in_flight[key] = self._early.pop(key)
        if isinstance(question, Failure) or self._has(key):
            return None
        self._in_flight[key] = unread
        return question

    def _settle(self, batch: Sequence[Answered], seconds: float) -> None:
        """Commit a batch and take its values back as stored."""
        if not batch:
            return
        if self._memory.budget is not None:
            self._memory.budget.settle([each.value for each in batch])
        stored = self._memory.keep(self._model, batch, seconds)
        for each in batch:
            if each.question.key in self._early:
                self._came_early[each.question.key] = each.value if isinstance(each.value, Failure) else None
        batch = [each for each in batch if self._early.pop(each.question.key, None) is None]
        for each in batch:
            self._in_flight.pop(each.question.key, None)
        self._order.resolve(
            {each.question.key: stored.get(each.question.key, each.value) for each in batch}  # a failure is not stored
        )
        first = self._meter.first(self._model, [each.question.key for each in batch])
        cut = sum(each.truncated for each in batch if each.question.key in first)
        self._meter.count(len(first), 0, cut)
        made = (each.value for each in batch if each.question.key in first)
        self._meter.hear((value for value in made if not isinstance(value, Failure)), now=True)
