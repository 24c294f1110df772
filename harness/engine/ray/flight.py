"""Flight: batches of one stream on their way to workers and back; those of a worker that dies go to another."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from mmbench.harness.engine.apart import GRACE
from mmbench.harness.engine.findings import Findings
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.engine.queue import QUEUE_BYTES
from mmbench.harness.engine.ray.crew import CALLS, Crew, Hand, Lost
from mmbench.harness.engine.ray.parcel import Parcel, nbytes_of, packed
from mmbench.harness.engine.ray.worker import Absent, Returned
from mmbench.harness.errors import MmbenchError, Unreadable
from mmbench.harness.foreign import described, tamed
from mmbench.harness.types import Failure

_MOST_LOST = 3
"""Workers that may die over a batch until it is left."""

_BATCH_BYTES = 32 << 20
"""Bytes of pictures in a batch, at the most."""


@dataclass(slots=True, eq=False)
class Batch:
    """Questions of one kind and one way to write, which are sent together."""

    questions: list[Question]
    lost: int = 0
    """Workers that died while they had it."""
    nbytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.nbytes = nbytes_of(self.questions)


class Memory:
    """What an engine learns of its workers over all its streams."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.sizes: dict[Kind, int] = {}
        """Inputs that workers ask at a time by now."""
        self.unshared: set[tuple[str, Path]] = set()
        """Machines and folders that are not on them as they are here."""
        self.tracebacks: dict[str, None] = {}


class Flight:
    """Answered batches of one stream, in the order in which they come."""

    def __init__(
        self,
        crew: Callable[[], Crew],
        memory: Memory,
        stream: int,
        questions: Iterable[Question | Literal["flush"] | None],
        fixed: int | None,
    ) -> None:
        self._begin = crew
        self._memory = memory
        self._stream = stream
        self._fixed = fixed
        self._open: list[Question] = []
        self._new: deque[Batch] = deque()
        self._again: deque[Batch] = deque()
        """Batches that a worker died with; each is asked alone, so that none is taken for what another did."""
        self._out: dict[Any, tuple[Hand, Batch]] = {}
        self._unsent: list[Answered] = []
        """Those that are answered here: their pictures cannot be drawn."""
        self._bytes = 0
        self._fault: MmbenchError | None = None
        self._batches = self._run(questions)

    def __iter__(self) -> "Flight":
        return self

    def __next__(self) -> list[Answered]:
        return next(self._batches)

    @cached_property
    def _crew(self) -> Crew:
        return self._begin()

    def rest(self, seconds: float | None = GRACE) -> Iterator[list[Answered]]:
        """Ask nothing more, and yield what still comes of what is under way, for so many seconds at the most."""
        self._batches.close()
        until = None if seconds is None else time.monotonic() + seconds
        while self._out:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            reference = self._crew.first([*self._out], left)
            if reference is None:
                break
            hand, batch = self._landed(reference)
            made = self._crew.got(reference)
            if isinstance(made, Returned):
                yield self._answered(batch, made)
            elif isinstance(made, Lost):
                self._crew.lose(hand)
        for reference in [*self._out]:
            self._landed(reference)

    def _run(self, questions: Iterable[Question | Literal["flush"] | None]) -> Generator[list[Answered], None, None]:
        for question in questions:
            if question is None or question == FLUSH:
                if question:
                    self._seal()
                yield self._arrived(wait=bool(question))
                continue
            self._add(question)
            while self._full:
                yield self._arrived(wait=True)
        self._seal()
        while self._busy:
            yield self._arrived(wait=True)
        if self._fault is not None:
            raise self._fault

    @property
    def _busy(self) -> bool:
        return bool(self._out or self._new or self._again)

    @property
    def _full(self) -> bool:
        """True where nothing more is to be read before something came back."""
        return bool(self._new or self._again) or self._bytes >= QUEUE_BYTES

    def _add(self, question: Question) -> None:
        """Put a question into the batch that is being made, and send that where it is full."""
        first = self._open[0] if self._open else question
        if (question.kind, question.generation) != (first.kind, first.generation):
            self._seal()
        self._open.append(question)
        if len(self._open) >= self._size(question.kind) or nbytes_of(self._open) >= _BATCH_BYTES:
            self._seal()

    def _size(self, kind: Kind) -> int:
        if kind.largest == 1:
            return 1
        return self._fixed or self._memory.sizes.get(kind, kind.first)

    def _seal(self) -> None:
        if self._open:
            self._new.append(batch := Batch(self._open))
            self._bytes += batch.nbytes
            self._open = []
        self._send()

    def _send(self) -> None:
        """Send what there is a free worker for. What is wrong with all questions of a kind is learnt from one batch."""
        while self._again and (hand := self._free(0)):
            hand.alone = True
            self._give(hand, self._again.popleft())
        # A worker is left to those that wait to be asked alone.
        while not self._again and self._new and (hand := self._free(CALLS - 1)):
            if self._out and self._new[0].questions[0].kind not in self._memory.findings.succeeded:
                return
            self._give(hand, self._new.popleft())

    def _free(self, most: int) -> Hand | None:
        """Return the worker with the fewest batches under way, if these are no more than `most`."""
        free = [hand for hand in self._crew.ready if not hand.alone and len(hand.under_way) <= most]
        return min(free, key=lambda hand: len(hand.under_way), default=None)

    def _give(self, hand: Hand, batch: Batch) -> None:
        kept, parcels = [], []
        for question in batch.questions:
            made = _parcel(question, lambda folder: (hand.node, folder) not in self._memory.unshared)
            if isinstance(made, Failure):
                self._unsent.append(Answered(question, made))
            else:
                kept.append(question)
                parcels.append(made)
        batch.questions = kept
        if not kept:
            self._bytes -= batch.nbytes
            hand.alone = False
            return
        proven = kept[0].kind in self._memory.findings.succeeded
        reference = hand.actor.answer.remote(self._stream, parcels, proven)
        hand.under_way.append(reference)
        self._out[reference] = hand, batch

    def _landed(self, reference: Any) -> tuple[Hand, Batch]:
        hand, batch = self._out.pop(reference)
        hand.under_way.remove(reference)
        hand.alone = False
        self._bytes -= batch.nbytes
        return hand, batch

    def _arrived(self, *, wait: bool) -> list[Answered]:
        """Return what was answered since, at least one where that is waited for. Raises what ends the task."""
        if self._fault is not None:
            raise self._fault
        answered, self._unsent = self._unsent, []
        while self._busy and not answered and self._fault is None:
            reference = self._crew.first([*self._out, *self._crew.coming], 1.0 if wait else 0.0)
            if reference in self._out:
                answered += self._back(reference)
            elif reference is not None:
                self._crew.arrive(reference)
            self._crew.check_place()
            self._send()
            answered, self._unsent = answered + self._unsent, []
            if not wait:
                break
        if self._fault is not None and not answered:
            raise self._fault
        return answered

    def _back(self, reference: Any) -> list[Answered]:
        """Return what came of a batch, and have what did not come asked again."""
        hand, batch = self._landed(reference)
        made = self._crew.got(reference)
        if isinstance(made, Returned):
            return self._answered(batch, made)
        self._bytes += batch.nbytes
        if isinstance(made, Absent):
            self._memory.unshared.update((hand.node, folder) for folder in made.folders)
            (self._again if batch.lost else self._new).appendleft(batch)
            return []
        self._crew.lose(hand)
        batch.lost += 1
        if batch.lost < _MOST_LOST:
            self._again.append(batch)
            return []
        self._bytes -= batch.nbytes
        return self._given_up(batch, made)

    def _answered(self, batch: Batch, made: Returned) -> list[Answered]:
        """Return the answers of a batch, and learn from them."""
        memory, kind = self._memory, batch.questions[0].kind
        memory.sizes[kind] = max(made.size, 1)
        memory.tracebacks.update(dict.fromkeys(made.tracebacks))
        self._fault = self._fault or made.fault
        answered = [
            Answered(question, each[0] if isinstance(each[0], Failure) else kind.unpack(each[0]), each[1])
            for question, each in zip(batch.questions, made.answers, strict=True)
            if each is not None
        ]
        try:
            memory.findings.alike(kind, [each.value for each in answered])
        except MmbenchError as error:
            self._fault = self._fault or error
            return []
        if any(not isinstance(each.value, Failure) for each in answered):
            memory.findings.succeeded.add(kind)
        return answered

    def _given_up(self, batch: Batch, lost: Lost) -> list[Answered]:
        """Return the questions of a batch that one worker after another died with as failed."""
        beside = f" beside {len(batch.questions) - 1} others" if len(batch.questions) > 1 else ""
        failure = Failure(f"{batch.lost} workers died, one after another, when they were asked this{beside} ({lost})")
        try:
            self._memory.findings.note(batch.questions[0].kind, [failure] * len(batch.questions))
        except MmbenchError as error:
            self._fault = self._fault or error
        return [Answered(question, failure) for question in batch.questions]


def _parcel(question: Question, shared: Callable[[Path], bool]) -> Parcel | Failure:
    try:
        return tamed(lambda: packed(question, shared))
    except Unreadable as error:
        return Failure(str(error))
    except Exception as error:  # code of a plug-in that draws it
        return Failure(described(error))
