"""The one place that calls an adapter: prepares inputs beside the forward pass, sizes batches, survives bad inputs."""

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from mmbench.harness.abilities import Adapter, Array, Generation, ImageVectors
from mmbench.harness.errors import AdapterError, MmbenchError, OutOfMemory, Unreadable
from mmbench.harness.media import Content
from mmbench.harness.types import Failure

Kind = Literal["image", "text", "score", "reply"]
"""What is asked of an adapter: embed a picture, embed a text, score texts, write a reply."""

Value: TypeAlias = Array | ImageVectors | str
"""One answer: a vector, two vectors of one pass, log-probabilities (a vector), or a text."""

_QUEUE_BYTES = 512 << 20
_GIVE_UP_AFTER = 16
"""Inputs that fail one after another, with no success before, until the adapter itself is taken to be broken."""


@dataclass(frozen=True, slots=True)
class Request:
    """One input that the store does not know, read and ready to be prepared."""

    key: bytes
    """Its identity in the store."""
    kind: Kind
    contents: tuple[Content, ...] = ()
    prompt: str = ""
    texts: tuple[str, ...] = ()
    generation: Generation = Generation()


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with what came back."""

    request: Request
    value: Value | Failure
    truncated: bool = False
    """True when the model saw only the beginning of the text."""


_Queue: TypeAlias = deque[tuple[Request, "Future[list[Any] | Failure] | None"]]
"""Requests in flight with their prepared pictures; None where there is nothing to prepare."""


class BatchSize:
    """Finds a batch size: doubles while that makes a forward pass faster per item, halves when memory runs out.

    A size given by the user is kept, but for halving. `limit` is where doubling stops.
    """

    def __init__(self, fixed: int | None, start: int, limit: int) -> None:
        self.size = fixed or start
        self._limit = fixed or max(limit, start)
        self._best = 0.0

    def observe(self, items: int, seconds: float) -> None:
        """Learn from one forward pass of `items` inputs."""
        if items < self.size or self.size >= self._limit:
            return
        rate = items / max(seconds, 1e-9)
        if rate > 1.05 * self._best:
            self._best = rate
            self.size = min(2 * self.size, self._limit)
        else:
            self._limit = self.size

    def halve(self) -> None:
        """Learn that the size was too large."""
        self.size = max(1, self.size // 2)
        self._limit = self.size


class Engine:
    """Streams requests through one adapter on this machine.

    Worker threads read and decode ahead of the forward pass through a queue bounded in items and in bytes.
    """

    def __init__(self, adapter: Adapter, batch_size: int | None = None, workers: int | None = None) -> None:
        self.adapter = adapter
        self._workers = workers or min(8, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="mmbench-prepare")
        # Reading has threads of its own: behind a full queue of pictures to prepare it would hold up the forward pass.
        self._readers = ThreadPoolExecutor(self._workers, thread_name_prefix="mmbench-read")
        self._sizes: dict[Kind, BatchSize] = {}
        self._fixed = batch_size or getattr(adapter, "batch_size", None)
        self._succeeded = False
        self._failed_in_a_row = 0

    def close(self) -> None:
        """Stop the workers; what they hold is dropped."""
        for pool in (self._pool, self._readers):
            pool.shutdown(wait=True, cancel_futures=True)

    def read(self, readers: Sequence[Callable[[], Any]], *, apart: bool) -> list[Any]:
        """Run `readers`, in threads of their own where they read files, and return their results in order."""
        if not apart:
            return [reader() for reader in readers]
        return list(self._readers.map(lambda reader: reader(), readers))

    def map(self, requests: Iterable[Request | None]) -> Iterator[list[Answered]]:
        """Yield answered batches in the order of `requests`; all of one kind.

        A `None` among the requests hands control back with an empty batch, so that a caller who finds most inputs
        remembered can pass them on in time. Raises AdapterError when the adapter breaks its contract or fails for
        every input.
        """
        queue: _Queue = deque()
        for request in requests:
            if request is None:
                yield []
                continue
            queue.append((request, self._pool.submit(self._prepare, request) if request.contents else None))
            size = self._size(request.kind)
            while len(queue) >= self._depth(queue, size.size):
                yield self._forward(queue, size)
        while queue:
            yield self._forward(queue, self._size(queue[0][0].kind))

    def _size(self, kind: Kind) -> BatchSize:
        if kind not in self._sizes:
            start, limit = (256, 1024) if kind == "text" else (16, 256)
            self._sizes[kind] = BatchSize(self._fixed, start, limit)
        return self._sizes[kind]

    def _depth(self, queue: _Queue, batch: int) -> int:
        """Requests in flight: a batch and as much again, fewer when one prepared input is large."""
        first = queue[0][1]
        if first is None:
            return batch
        each = max(_nbytes(first.result()), 1)  # the first of a batch tells how large its inputs are
        return max(1, min(batch + max(batch, 2 * self._workers), _QUEUE_BYTES // each))

    def _prepare(self, request: Request) -> list[Any] | Failure:
        """Decode and preprocess the pictures of one request. Runs in a worker thread."""
        prepare = getattr(self.adapter, "prepare_image", None)
        try:
            pictures = [content.decode() for content in request.contents]
        except Unreadable as error:
            return Failure(str(error))
        if prepare is None:
            return pictures
        prepared: list[Any] | Failure = self._guarded(lambda: [prepare(picture) for picture in pictures])
        return prepared

    def _forward(self, queue: _Queue, size: BatchSize) -> list[Answered]:
        """Take one batch off the queue and ask the adapter."""
        batch = [queue.popleft() for _ in range(min(size.size, len(queue)))]
        ready = [(request, future.result() if future else []) for request, future in batch]
        answered = [Answered(request, made) for request, made in ready if isinstance(made, Failure)]
        inputs = [(request, made) for request, made in ready if not isinstance(made, Failure)]
        return answered + self._ask(inputs, size)

    def _ask(self, inputs: list[tuple[Request, list[Any]]], size: BatchSize) -> list[Answered]:
        """Ask for `inputs`, in halves when memory runs out and one by one when the batch fails."""
        if not inputs:
            return []
        started = time.perf_counter()
        try:
            values = self._guarded(lambda: self._call(inputs))
        except OutOfMemory as error:
            if len(inputs) == 1:
                return [Answered(inputs[0][0], Failure(f"one input alone does not fit the device ({error})"))]
            size.halve()
            middle = len(inputs) // 2
            return self._ask(inputs[:middle], size) + self._ask(inputs[middle:], size)
        if isinstance(values, Failure):
            if len(inputs) == 1:
                self._note_failure(values)
                return [Answered(inputs[0][0], values)]
            return [answer for one in inputs for answer in self._ask([one], size)]
        size.observe(len(inputs), time.perf_counter() - started)
        self._succeeded = True
        cut = self._truncated(inputs)
        return [Answered(request, value, flag) for (request, _), value, flag in zip(inputs, values, cut, strict=True)]

    def _call(self, inputs: list[tuple[Request, list[Any]]]) -> list[Value | Failure]:
        """Call the adapter's method for this kind and check what it returns."""
        model: Any = self.adapter
        kind = inputs[0][0].kind
        n = len(inputs)
        if kind == "image":
            return _vectors(model.embed_images([pictures[0] for _, pictures in inputs]), n, "embed_images")
        if kind == "text":
            return _vectors(model.embed_texts([request.texts[0] for request, _ in inputs]), n, "embed_texts")
        if kind == "score":
            items = [(pictures, request.prompt, list(request.texts)) for request, pictures in inputs]
            return _scores(model.score_texts(items), [len(texts) for _, _, texts in items])
        prompts = [(pictures, request.prompt) for request, pictures in inputs]
        return _replies(model.generate(prompts, inputs[0][0].generation), n)

    def _truncated(self, inputs: list[tuple[Request, list[Any]]]) -> list[bool]:
        truncates = getattr(self.adapter, "truncates", None)
        if truncates is None or inputs[0][0].kind != "text":
            return [False] * len(inputs)
        return list(truncates([request.texts[0] for request, _ in inputs]))

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Run adapter code; whatever it raises becomes a Failure of these inputs, but for what ends the whole task."""
        try:
            return call()
        except (OutOfMemory, MmbenchError):
            raise
        except Exception as error:  # the one place where arbitrary adapter errors become per-item failures
            return Failure(f"{type(error).__name__}: {error}")

    def _note_failure(self, failure: Failure) -> None:
        self._failed_in_a_row += 1
        if not self._succeeded and self._failed_in_a_row >= _GIVE_UP_AFTER:
            raise AdapterError(
                f"the model failed for each of the first {self._failed_in_a_row} inputs ({failure.message}); "
                "what was remembered before is kept"
            )


def _nbytes(prepared: Any) -> int:
    """Estimate the memory of one prepared request."""
    if not isinstance(prepared, list):
        return 0
    total = 0
    for part in prepared:
        size = getattr(part, "nbytes", None)
        if size is None and hasattr(part, "getbands"):
            size = part.width * part.height * len(part.getbands())
        total += size or 0
    return total


def _vectors(made: Any, n: int, method: str) -> list[Value | Failure]:
    if isinstance(made, ImageVectors):
        embeddings, features = np.asarray(made.embedding), np.asarray(made.features)
        _check_rows(embeddings, n, method)
        _check_rows(features, n, method)
        pairs = [ImageVectors(e, f) for e, f in zip(embeddings, features, strict=True)]
        return [p if _finite(p.embedding) and _finite(p.features) else _NOT_FINITE for p in pairs]
    array = np.asarray(made)
    _check_rows(array, n, method)
    return [row if _finite(row) else _NOT_FINITE for row in array]


_NOT_FINITE = Failure("the model returned a vector with NaN or infinity; try --dtype fp32")


def _finite(row: Array) -> bool:
    return bool(np.isfinite(row).all())


def _check_rows(array: Array, n: int, method: str) -> None:
    if array.ndim != 2 or len(array) != n or array.dtype.kind != "f":
        raise AdapterError(
            f"{method} got {n} inputs and returned {array.dtype} of shape {array.shape}; "
            f"expected ({n}, d) floating-point numbers"
        )


def _scores(made: Any, counts: list[int]) -> list[Value | Failure]:
    if [len(row) for row in made] != counts:
        raise AdapterError(f"score_texts must return one number for each text; expected counts {counts[:3]}…")
    return [
        np.asarray(row, dtype=np.float64)
        if not any(map(math.isnan, row))
        else Failure("the model returned NaN as a log-probability")
        for row in made
    ]


def _replies(made: Any, n: int) -> list[Value | Failure]:
    if len(made) != n or not all(isinstance(reply, str) for reply in made):
        raise AdapterError(f"generate got {n} prompts and must return {n} texts")
    return list(made)
