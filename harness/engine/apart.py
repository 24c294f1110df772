"""Answers apart: an adapter that waits for others is asked in threads, and each answer is handed on as it comes."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Literal

from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.errors import MmbenchError, OutOfMemory
from mmbench.harness.foreign import described
from mmbench.harness.types import Failure

GRACE = 10.0
"""Seconds for which what is under way is waited for when its reader stops."""


_AHEAD = 16
"""Questions that wait for a thread, at the most, so that no thread waits for the store."""


class Apart:
    """Batches of what `answer` made of questions, in the order in which answers came; see docs/adr on answers apart.

    `answer` runs in so many threads. The first question is asked alone: what is wrong with all of them, a key or a
    name, is told by one. No more is asked before what has come is taken: a process that is killed loses what was under
    way, at most so many answers as there are threads and places ahead.
    """

    def __init__(
        self,
        questions: Iterable[Question | Literal["flush"] | None],
        threads: int,
        answer: Callable[[Question], Answered],
    ) -> None:
        self._threads = threads
        self._answer = answer
        self._begun = 0
        """Threads that run."""
        self._under_way = 0
        self._room = 1
        self._stopped = False
        """Nothing more is asked, also of what waits."""
        self._fault: MmbenchError | None = None
        self._todo: SimpleQueue[Question | None] = SimpleQueue()
        self._done: SimpleQueue[Answered | MmbenchError | None] = SimpleQueue()
        self._handed: list[Answered] = []
        """Those handed on last: an interrupt may come before their reader has kept them."""
        self._batches = self._run(questions)

    def __iter__(self) -> "Apart":
        return self

    def __next__(self) -> list[Answered]:
        return next(self._batches)

    def rest(self, seconds: float | None = GRACE) -> Iterator[list[Answered]]:
        """Ask nothing more, and yield what still comes of what is under way, for so many seconds at the most.

        First come those that were handed on last, once more.
        """
        try:
            if self._handed:
                yield self._handed
            yield from self._rest(seconds)
        finally:
            self._batches.close()

    def _rest(self, seconds: float | None) -> Iterator[list[Answered]]:
        self._stopped = True
        until = None if seconds is None else time.monotonic() + seconds
        while self._under_way:
            try:
                made = self._done.get(timeout=None if until is None else max(until - time.monotonic(), 0.0))
            except Empty:
                return
            self._under_way -= 1
            if isinstance(made, Answered):
                yield [made]

    def _run(self, questions: Iterable[Question | Literal["flush"] | None]) -> Generator[list[Answered], None, None]:
        try:
            try:
                for question in questions:
                    if question is None or question == FLUSH:
                        yield self._arrived(wait=question == FLUSH)
                        continue
                    self._put(question)
                    while self._under_way >= self._room:
                        yield self._arrived(wait=True)
                while self._under_way:
                    yield self._arrived(wait=True)
            except MmbenchError:  # of a question, or of what reads the questions: what is under way may have been paid
                yield from self._rest(None if self._fault is None else GRACE)
                raise
        finally:
            self._stopped = True
            for _ in range(self._begun):
                self._todo.put(None)

    def _put(self, question: Question) -> None:
        self._under_way += 1
        self._todo.put(question)
        if self._begun < min(self._under_way, self._threads):
            self._begun += 1
            # Not of a pool, whose threads a process waits for at its end, an unanswered call included.
            threading.Thread(target=self._work, name=f"mmbench-ask-{self._begun}", daemon=True).start()

    def _work(self) -> None:
        while (question := self._todo.get()) is not None:
            made = None if self._stopped else self._made(question)
            if isinstance(made, MmbenchError):
                self._stopped = True  # here already: its reader may be busy, and each more may be paid for
            self._done.put(made)

    def _made(self, question: Question) -> Answered | MmbenchError:
        try:
            return self._answer(question)
        except MmbenchError as error:
            return error
        except OutOfMemory as error:
            return Answered(question, Failure(f"one input alone does not fit ({error})"))
        except BaseException as error:  # else its reader would wait for ever
            return Answered(question, Failure(described(error)))

    def _arrived(self, *, wait: bool) -> list[Answered]:
        """Return what has been answered since, at least one where that is waited for. Raises what ends the task."""
        if self._fault is not None:
            raise self._fault
        answered = self._handed = []
        while self._under_way and (wait or not self._done.empty()):
            made = self._done.get()
            wait = False
            self._under_way -= 1
            self._room = self._threads + min(self._threads, _AHEAD)
            if isinstance(made, Answered):
                answered.append(made)
            elif made is not None:
                self._fault = self._fault or made
        if self._fault is not None and not answered:
            raise self._fault
        return answered
