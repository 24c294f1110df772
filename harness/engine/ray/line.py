"""Line: batches of several calls through one engine, so that the next are prepared while one is answered."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Literal

from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.errors import InternalError, MmbenchError
from mmbench.harness.foreign import described


@dataclass(slots=True, eq=False)
class _Call:
    """A batch that waits for its answers."""

    stream: int
    questions: Sequence[Question]
    answered: dict[bytes, Answered] = field(default_factory=dict)
    fault: MmbenchError | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Line:
    """One thread that asks an engine whatever its callers bring, each of whom waits for the answers to its own."""

    def __init__(self, engine: LocalEngine) -> None:
        self.engine = engine
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._next: _Call | None = None
        """The first call of another stream."""
        self._closed = False
        self._waiting: dict[bytes, _Call] = {}
        """Those that are asked, by the key of each question that is not answered."""
        self._thread = threading.Thread(target=self._run, name="mmbench-line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more calls, and close the engine."""
        self._closed = True
        self._calls.put(_Call(-1, ()))  # for the thread that waits for one
        self._thread.join()
        self.engine.close()

    def answer(self, stream: int, questions: Sequence[Question]) -> tuple[dict[bytes, Answered], MmbenchError | None]:
        """Return the answers by key, and what kept the others from being given. All questions are of one kind."""
        call = _Call(stream, questions)
        self._calls.put(call)
        call.done.wait()
        return call.answered, call.fault

    def _run(self) -> None:
        while not self._closed:
            try:
                for batch in self.engine.map(self._questions()):
                    for each in batch:
                        self._settle(each)
            except MmbenchError as error:
                self._fail(error)
            except BaseException as error:  # else those who wait would wait for ever
                self._fail(InternalError(f"internal error ({described(error)})"))

    def _questions(self) -> Iterator[Question | Literal["flush"]]:
        """Yield the questions of one stream as they are brought, and FLUSH where none waits behind those asked."""
        stream: int | None = None
        while True:
            call = self._take()
            if self._closed:
                return
            if call is None:
                yield FLUSH
                continue
            if stream is not None and call.stream != stream:
                self._next = call
                return
            stream = call.stream
            self._waiting.update(dict.fromkeys((question.key for question in call.questions), call))
            yield from call.questions

    def _take(self) -> _Call | None:
        """Return the next call, waited for where nothing else is to be done; None where there is none."""
        if (call := self._next) is not None:
            self._next = None
            return call
        try:
            return self._calls.get(block=not self._waiting)
        except Empty:
            return None

    def _settle(self, answered: Answered) -> None:
        call = self._waiting.pop(answered.question.key)
        call.answered[answered.question.key] = answered
        if len(call.answered) == len(call.questions):
            call.done.set()

    def _fail(self, error: MmbenchError) -> None:
        for call in set(self._waiting.values()):
            call.fault = error
            call.done.set()
        self._waiting.clear()
