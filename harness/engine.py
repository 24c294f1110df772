"""The one place that calls an adapter: prepares inputs beside the forward pass, sizes batches, survives bad inputs."""

import math
import os
import time
from collections import Counter, deque
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
"""Encoded files and prepared pictures that wait at a time."""
_GIVE_UP_AFTER = 16
"""Inputs of a kind that fail, with no success before, until the adapter itself is taken to be broken."""


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


FLUSH: Literal["flush"] = "flush"
"""Among requests: answer what is queued although no batch is full, because others wait behind it."""

_Prepared: TypeAlias = Future[list[Any] | Failure]


class _Queue:
    """Requests in flight with their prepared pictures, and the bytes that these hold."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        """Pictures of unknown size that may be on their way."""
        self._waiting: deque[tuple[Request, _Prepared | None]] = deque()
        self._sizes: deque[int] = deque()
        """Bytes of each request from the head on, as far as they are known."""
        self._encoded = 0
        self._known = 0
        self._largest = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def kind(self) -> Kind:
        """The kind of the first request."""
        return self._waiting[0][0].kind

    def put(self, request: Request, prepared: _Prepared | None) -> None:
        """Add a request; wait where too many of unknown size are on their way."""
        self._waiting.append((request, prepared))
        self._encoded += _encoded(request)
        while len(self._sizes) < len(self._waiting):
            future = self._waiting[len(self._sizes)][1]
            if future is not None and not future.done() and len(self._waiting) - len(self._sizes) <= self._ahead:
                break
            self._measure(future)

    def _measure(self, future: _Prepared | None) -> None:
        size = _nbytes(future.result()) if future is not None and future.exception() is None else 0
        self._sizes.append(size)
        self._known += size
        self._largest = max(self._largest, size)

    @property
    def heavy(self) -> bool:
        """True when no more should be read for the memory it takes; what is on its way is taken to be large."""
        unknown = len(self._waiting) - len(self._sizes)
        return self._encoded + self._known + unknown * self._largest >= _QUEUE_BYTES

    def full(self, batch: int, workers: int) -> bool:
        """Return True when a batch is to be taken: it is there and, with pictures, as much again on its way."""
        prepares = self._waiting[-1][1] is not None
        return self.heavy or len(self) >= batch + (max(batch, 2 * workers) if prepares else 0)

    def take(self, most: int) -> list[tuple[Request, _Prepared | None]]:
        """Return up to `most` requests from the head that can be asked in one call."""
        if self.heavy:
            most = min(most, (len(self) + 1) // 2)  # so that others are prepared beside the forward pass
        first = self._waiting[0][0]
        taken: list[tuple[Request, _Prepared | None]] = []
        while self._waiting and len(taken) < most:
            request, _ = self._waiting[0]
            if (request.kind, request.generation) != (first.kind, first.generation):
                break
            taken.append(self._waiting.popleft())
            self._encoded -= _encoded(request)
            self._known -= self._sizes.popleft() if self._sizes else 0
        return taken


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

    def halve(self, items: int) -> None:
        """Learn that `items` at a time were too many."""
        self.size = min(self.size, max(1, items // 2))
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
        self._succeeded: set[Kind] = set()
        self._failed: Counter[Kind] = Counter()
        self._shapes: dict[Kind, tuple[int, ...]] = {}

    def close(self) -> None:
        """Stop the workers; what they hold is dropped."""
        for pool in (self._pool, self._readers):
            pool.shutdown(wait=True, cancel_futures=True)

    def read(self, readers: Sequence[Callable[[], Any]], *, apart: bool) -> list[Any]:
        """Run `readers`, in threads of their own where they read files, and return their results in order."""
        if not apart:
            return [reader() for reader in readers]
        return list(self._readers.map(lambda reader: reader(), readers))

    def map(self, requests: Iterable[Request | Literal["flush"] | None]) -> Iterator[list[Answered]]:
        """Yield answered batches in the order of `requests`; all of one kind.

        A `None` among the requests hands control back with an empty batch, so that a caller who finds most inputs
        remembered can pass them on in time; `FLUSH` hands it back with a batch that need not be full. Raises
        AdapterError when the adapter breaks its contract or fails for every input.
        """
        queue = _Queue(2 * self._workers)
        for request in requests:
            if request is None or request == FLUSH:
                yield self._forward(queue) if request and queue else []
                continue
            queue.put(request, self._pool.submit(self._prepare, request) if request.contents else None)
            while queue and queue.full(self._size(request.kind).size, self._workers):
                yield self._forward(queue)
        while queue:
            yield self._forward(queue)

    def _size(self, kind: Kind) -> BatchSize:
        if kind not in self._sizes:
            start, limit = (256, 1024) if kind == "text" else (16, 256)
            self._sizes[kind] = BatchSize(self._fixed, start, limit)
        return self._sizes[kind]

    def _prepare(self, request: Request) -> list[Any] | Failure:
        """Decode and preprocess the pictures of one request. Runs in a worker thread; raises what the adapter does."""
        pictures: list[Any] | Failure = self._guarded(lambda: [content.decode() for content in request.contents])
        prepare = getattr(self.adapter, "prepare_image", None)
        if prepare is None or isinstance(pictures, Failure):
            return pictures
        return [prepare(picture) for picture in pictures]

    def _forward(self, queue: _Queue) -> list[Answered]:
        """Take one batch off the queue and ask the adapter."""
        size = self._size(queue.kind)
        ready = [(request, self._prepared(request, future)) for request, future in queue.take(size.size)]
        answers = iter(self._ask([(request, made) for request, made in ready if not isinstance(made, Failure)], size))
        return [Answered(request, made) if isinstance(made, Failure) else next(answers) for request, made in ready]

    def _prepared(self, request: Request, future: _Prepared | None) -> list[Any] | Failure:
        if future is None:
            return []
        try:
            made: list[Any] | Failure = self._guarded(future.result)
        except OutOfMemory as error:
            return _too_large(error)
        if future.exception() is not None and isinstance(made, Failure):  # the adapter's doing, not the file's
            self._note_failure(request.kind, made)
        return made

    def _ask(self, inputs: list[tuple[Request, list[Any]]], size: BatchSize) -> list[Answered]:
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
            if len(inputs) == 1:
                self._note_failure(kind, values)
                return [Answered(inputs[0][0], values)]
            return [answer for one in inputs for answer in self._ask([one], size)]
        size.observe(len(inputs), time.perf_counter() - started)
        self._succeeded.add(kind)
        cut = self._truncated(inputs)
        return [Answered(request, value, flag) for (request, _), value, flag in zip(inputs, values, cut, strict=True)]

    def _ask_in_parts(self, inputs: list[tuple[Request, list[Any]]], size: BatchSize) -> list[Answered]:
        """Ask for `inputs` by the size that fits, which may shrink on the way."""
        answered: list[Answered] = []
        while len(answered) < len(inputs):
            answered += self._ask(inputs[len(answered) : len(answered) + size.size], size)
        return answered

    def _call(self, inputs: list[tuple[Request, list[Any]]]) -> list[Value | Failure]:
        """Call the adapter's method for this kind and check what it returns."""
        model: Any = self.adapter
        kind = inputs[0][0].kind
        n = len(inputs)
        if kind == "image":
            made = model.embed_images([pictures[0] for _, pictures in inputs])
            return self._alike(kind, _vectors(made, n, "embed_images"))
        if kind == "text":
            made = model.embed_texts([request.texts[0] for request, _ in inputs])
            return self._alike(kind, _vectors(made, n, "embed_texts"))
        if kind == "score":
            items = [(pictures, request.prompt, list(request.texts)) for request, pictures in inputs]
            return _scores(model.score_texts(items), [len(texts) for _, _, texts in items])
        prompts = [(pictures, request.prompt) for request, pictures in inputs]
        return _replies(model.generate(prompts, inputs[0][0].generation), n)

    def _alike(self, kind: Kind, values: list[Value | Failure]) -> list[Value | Failure]:
        """Return `values` if they are as long as those of earlier batches. Raises AdapterError."""
        for value in values:
            if not isinstance(value, Failure):
                parts = (value.embedding, value.features) if isinstance(value, ImageVectors) else (value,)
                shape = tuple(len(part) for part in parts)
                first = self._shapes.setdefault(kind, shape)
                if shape != first:
                    raise AdapterError(f"embed_{kind}s returned vectors of {shape} numbers after vectors of {first}")
        return values

    def _truncated(self, inputs: list[tuple[Request, list[Any]]]) -> list[bool]:
        truncates = getattr(self.adapter, "truncates", None)
        if truncates is None or inputs[0][0].kind != "text":
            return [False] * len(inputs)
        flags = self._guarded(lambda: [bool(flag) for flag in truncates([request.texts[0] for request, _ in inputs])])
        if isinstance(flags, Failure) or len(flags) != len(inputs):
            found = flags.message if isinstance(flags, Failure) else f"{len(flags)} values"
            raise AdapterError(f"truncates got {len(inputs)} texts and must return as many booleans; it gave {found}")
        return list(flags)

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Run adapter code; whatever it raises becomes a Failure of these inputs, but for what ends the whole task."""
        try:
            return call()
        except Unreadable as error:
            return Failure(str(error))
        except (OutOfMemory, MmbenchError):
            raise
        except Exception as error:  # the one place where arbitrary adapter errors become per-item failures
            return Failure(f"{type(error).__name__}: {error}")

    def _note_failure(self, kind: Kind, failure: Failure) -> None:
        self._failed[kind] += 1
        if kind not in self._succeeded and self._failed[kind] >= _GIVE_UP_AFTER:
            raise AdapterError(
                f"the model failed for each of the first {self._failed[kind]} inputs ({failure.message}); "
                "what was remembered before is kept"
            )


def _too_large(error: OutOfMemory) -> Failure:
    return Failure(f"one input alone does not fit the device ({error})")


def _encoded(request: Request) -> int:
    return sum(content.nbytes for content in request.contents)


def _nbytes(prepared: Any) -> int:
    """Estimate the memory of one prepared request."""
    if not isinstance(prepared, list):
        return 0
    total = 0
    for part in prepared:
        size = getattr(part, "nbytes", None)
        if size is None and hasattr(part, "getbands"):
            size = part.width * part.height * (1 if len(part.getbands()) == 1 else 4)  # Pillow pads RGB to four bytes
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
