"""Local engine: the one place that calls an adapter; inputs prepared ahead, batches sized, bad inputs survived."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from numbers import Integral
from threading import BoundedSemaphore, Lock
from typing import Any, Literal

from mmbench.harness.digest import Json
from mmbench.harness.engine.apart import Apart
from mmbench.harness.engine.batch_size import BatchSize
from mmbench.harness.engine.checks import BrokenReply
from mmbench.harness.engine.findings import Findings, NoAnswer
from mmbench.harness.engine.hardware import own_hardware, usable_cores
from mmbench.harness.engine.kept import Kept
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.loader import Loader
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.engine.queue import Preparing, Queue
from mmbench.harness.engine.readers import Readers
from mmbench.harness.engine.tracebacks import Tracebacks
from mmbench.harness.errors import AdapterError, MmbenchError, OutOfMemory, TooLong, Unanswered, Unreadable
from mmbench.harness.foreign import described, tamed
from mmbench.harness.media.image import Content
from mmbench.harness.models.abilities import Adapter
from mmbench.harness.types import Failure, Overlong

_MOST_WORKERS = 16
"""Threads that decode and prepare at the most: each holds a decoded picture, and more wait for the interpreter."""


class LocalEngine:
    """Streams questions through one adapter on this machine.

    Worker threads read and decode ahead of the forward pass through a queue bounded in items and in bytes. An adapter
    with a `concurrency` is asked one input at a time in so many threads, see `Apart`.
    """

    def __init__(
        self,
        adapter: Adapter,
        batch_size: int | None = None,
        workers: int | None = None,
        loading: Callable[[], None] = lambda: None,
    ) -> None:
        self.adapter = adapter
        self.loading = 0.0
        self._loader = Loader(adapter, loading)
        self._workers = min(workers or usable_cores(), _MOST_WORKERS)
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="mmbench-prepare")
        self._readers = Readers(self._workers)
        self._kept = Kept.of(adapter)
        self._sizes: dict[Kind, BatchSize] = {}
        self._fixed = batch_size or _count(adapter, "batch_size")
        self._threads = _count(adapter, "concurrency")
        self.findings = Findings()
        self._noting = Lock()
        # Many may wait for answers at a time; that many pictures decoded at a time would fill the memory.
        self._preparing = BoundedSemaphore(self._workers)
        self._tracebacks = Tracebacks()

    def close(self) -> None:
        """Stop the workers; what they hold is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._readers.close()

    def load(self) -> None:
        """Load the model, if that was not done before. Raises the adapter's own MmbenchError."""
        self.loading += self._loader.load()

    def told(self, name: str) -> Any:
        """Return what the adapter tells of itself, see `Engine.told`."""
        return getattr(self.adapter, name, None)

    @property
    def hardware(self) -> dict[str, Json]:
        """What answers, see `Engine.hardware`."""
        return own_hardware(self.told("device"))

    def tracebacks(self) -> list[str]:
        """Return where the adapter raised for single inputs, the first of each kind."""
        return self._tracebacks.texts()

    def read(self, readers: Sequence[Callable[[], Any]], *, apart: bool) -> list[Any]:
        """Run `readers`, in threads of their own where they read files, and return their results in order."""
        return self._readers.read(readers, apart=apart)

    def map(self, questions: Iterable[Question | Literal["flush"] | None]) -> Iterator[list[Answered]]:
        """Yield answered batches of `questions`, see `Engine.map`. Raises AdapterError."""
        if self._threads is not None:
            return Apart(self._loaded(questions), self._threads, self._answer_apart)
        return self._batches(self._loaded(questions))

    def _loaded(
        self, questions: Iterable[Question | Literal["flush"] | None]
    ) -> Iterator[Question | Literal["flush"] | None]:
        """Pass questions on; before the first the model is loaded, and before the first picture a pass begun."""
        begun = False
        for question in questions:
            if isinstance(question, Question):
                self.load()
                if question.contents and not begun and self._kept is not None:
                    self._kept.next_pass()
                    begun = True
            yield question

    def _answer_apart(self, question: Question) -> Answered:
        """Return one question answered. Runs in a thread; raises MmbenchError for what ends the task."""
        with self._preparing:
            made = self._guarded(lambda: (self._prepare(question),))
        if isinstance(made, tuple) and isinstance(made[0], Failure):
            return Answered(question, made[0])  # of the file, not of the adapter
        inputs = [(question, *made)] if isinstance(made, tuple) else []
        values = self._guarded(lambda: self._call(inputs)) if inputs else made
        with self._noting:
            self.findings.note(question.kind, [values] if isinstance(values, Failure) else values)
        if isinstance(values, Failure):
            if isinstance(values, _Broken) and question.kind not in self.findings.succeeded:
                raise AdapterError(values.message)
            return Answered(question, values)
        return Answered(question, values[0], self._truncated(inputs)[0])

    def _batches(self, questions: Iterable[Question | Literal["flush"] | None]) -> Iterator[list[Answered]]:
        queue = Queue(2 * self._workers)
        for question in questions:
            if question is None or question == FLUSH:
                yield self._forward(queue) if question and queue else []
                continue
            queue.put(question, self._preparing_of(question) if question.contents else None)
            while queue and queue.full(self.size(question.kind).size, self._workers):
                yield self._forward(queue)
        while queue:
            yield self._forward(queue)

    def size(self, kind: Kind) -> BatchSize:
        """Return how many inputs of a kind are asked at a time now."""
        if kind not in self._sizes:
            # What is asked one at a time stays so, whatever size is given.
            self._sizes[kind] = BatchSize(None if kind.largest == 1 else self._fixed, kind.first, kind.largest)
        return self._sizes[kind]

    def _preparing_of(self, question: Question) -> Preparing:
        """Return the pictures of a question to come; those that are kept are there, and pass no thread."""
        kept = None if self._kept is None else self._kept.found([content.digest for content in question.contents])
        return self._pool.submit(self._prepare, question) if kept is None else kept

    def _prepare(self, question: Question) -> list[Any] | Failure:
        """Decode and preprocess the pictures of one question. Runs in a worker thread; raises what the adapter does."""
        made = []
        for content in question.contents:
            make = partial(self._picture, content)
            picture = make() if self._kept is None else self._kept.get(content.digest, make)
            if isinstance(picture, Failure):
                return picture
            made.append(picture)
        return made

    def _picture(self, content: Content) -> Any | Failure:
        picture = self._guarded(content.decode)
        prepare = getattr(self.adapter, "prepare_image", None)
        return picture if prepare is None or isinstance(picture, Failure) else tamed(lambda: prepare(picture))

    def _forward(self, queue: Queue) -> list[Answered]:
        """Take one batch off the queue and ask the adapter."""
        size = self.size(queue.kind)
        ready = [(question, self._prepared(question, future)) for question, future in queue.take(size.size)]
        answers = iter(self._ask([(question, made) for question, made in ready if not isinstance(made, Failure)], size))
        return [Answered(question, made) if isinstance(made, Failure) else next(answers) for question, made in ready]

    def _prepared(self, question: Question, prepared: Preparing | None) -> list[Any] | Failure:
        if not isinstance(prepared, Future):
            return prepared or []
        try:
            made: list[Any] | Failure = self._survived(prepared.result)  # tamed where it ran
        except OutOfMemory as error:
            return _too_large(error)
        if isinstance(made, Failure) and prepared.exception() is not None:  # the adapter's doing, not the file's
            self.findings.note(question.kind, [made])
        return made

    def _ask(self, inputs: list[tuple[Question, list[Any]]], size: BatchSize) -> list[Answered]:
        """Ask for `inputs`, in smaller batches when memory runs out and one by one when the batch fails."""
        if not inputs:
            return []
        started = time.perf_counter()
        try:
            values = self._guarded(lambda: self._call(inputs))
        except OutOfMemory as error:
            if len(inputs) == 1:
                return [Answered(inputs[0][0], _too_large(error))]
            size.halve(len(inputs))
            return self._ask_in_parts(inputs, size)
        kind = inputs[0][0].kind
        if isinstance(values, Failure):
            return self._ask_one_by_one(inputs, values, size)
        size.observe(len(inputs), time.perf_counter() - started)
        self.findings.note(kind, values)
        cut = self._truncated(inputs)
        return [Answered(question, value, flag) for (question, _), value, flag in zip(inputs, values, cut, strict=True)]

    def _ask_one_by_one(
        self, inputs: list[tuple[Question, list[Any]]], failure: Failure, size: BatchSize
    ) -> list[Answered]:
        """Ask for the inputs of a batch that failed. Raises AdapterError where that helps none of them."""
        kind = inputs[0][0].kind
        if len(inputs) == 1:
            self.findings.note(kind, [failure])
            return [Answered(inputs[0][0], failure)]
        answered = [answer for one in inputs for answer in self._ask([one], size)]
        if isinstance(failure, _Broken) and kind not in self.findings.succeeded:
            raise AdapterError(failure.message)
        return answered

    def _ask_in_parts(self, inputs: list[tuple[Question, list[Any]]], size: BatchSize) -> list[Answered]:
        """Ask for `inputs` by the size that fits, which may shrink on the way."""
        answered: list[Answered] = []
        while len(answered) < len(inputs):
            answered += self._ask(inputs[len(answered) : len(answered) + size.size], size)
        return answered

    def _call(self, inputs: list[tuple[Question, list[Any]]]) -> list[Value | Failure]:
        """Call the adapter's method for this kind and check what it returns."""
        kind = inputs[0][0].kind
        return self.findings.alike(kind, kind.call(self.adapter, inputs))

    def _truncated(self, inputs: list[tuple[Question, list[Any]]]) -> list[bool]:
        kind = inputs[0][0].kind
        flags = self._guarded(lambda: kind.truncated(self.adapter, inputs))
        if isinstance(flags, Failure) or len(flags) != len(inputs):
            found = flags.message if isinstance(flags, Failure) else f"{len(flags)} values"
            raise AdapterError(f"truncates got {len(inputs)} texts and must return as many booleans; it gave {found}")
        return list(flags)

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Run adapter code; whatever it raises becomes a Failure of these inputs, but for what ends the whole task."""
        return self._survived(lambda: tamed(call))

    def _survived(self, call: Callable[[], Any]) -> Any:
        """Return what a call returns, or the Failure that it raised. Raises what ends the whole task."""
        try:
            return call()
        except Unreadable as error:
            return Failure(str(error))
        except TooLong as error:
            return Overlong(str(error))
        except Unanswered as error:
            return NoAnswer(str(error))
        except (OutOfMemory, MmbenchError):
            raise
        except BrokenReply as error:
            return _Broken(str(error))
        except Exception as error:  # the one place where arbitrary adapter errors become per-item failures
            self._tracebacks.note(error)
            return Failure(described(error))


def _count(adapter: Adapter, name: str) -> int | None:
    """Return how many at a time an adapter says, if it does. Raises AdapterError."""
    told = getattr(adapter, name, None)
    if told is not None and (isinstance(told, bool) or not isinstance(told, Integral) or told < 1):
        raise AdapterError(f"{name} must be a whole number above 0, or None; the adapter's is {told!r:.40}")
    return None if told is None else int(told)


class _Broken(Failure):
    """A reply that broke the contract as a whole."""

    __slots__ = ()


def _too_large(error: OutOfMemory) -> Failure:
    return Failure(f"one input alone does not fit the device ({error})")
