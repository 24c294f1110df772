"""The one place that calls an adapter: prepares inputs beside the forward pass, sizes batches, survives bad inputs."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np

from mmbench.harness.engine import checks
from mmbench.harness.engine.batch_size import BatchSize
from mmbench.harness.engine.question import FLUSH, Answered, Kind, Request, Tuning, Value
from mmbench.harness.engine.queue import Preparing, Queue
from mmbench.harness.errors import AdapterError, MmbenchError, OutOfMemory, Unreadable
from mmbench.harness.models.abilities import Adapter, ImageVectors
from mmbench.harness.types import Failure

_SIZES: dict[Kind, tuple[int, int]] = {"text": (256, 1024), "tune": (1, 1)}
"""Inputs in the first batch, and at the most, where these are not 16 and 256."""

_GIVE_UP_AFTER = 16
"""Inputs of a kind that fail, with no success before, until the adapter itself is taken to be broken."""


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
        queue = Queue(2 * self._workers)
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
            start, limit = _SIZES.get(kind, (16, 256))
            self._sizes[kind] = BatchSize(1 if kind == "tune" else self._fixed, start, limit)
        return self._sizes[kind]

    def _prepare(self, request: Request) -> list[Any] | Failure:
        """Decode and preprocess the pictures of one request. Runs in a worker thread; raises what the adapter does."""
        pictures: list[Any] | Failure = self._guarded(lambda: [content.decode() for content in request.contents])
        prepare = getattr(self.adapter, "prepare_image", None)
        if prepare is None or isinstance(pictures, Failure):
            return pictures
        return [prepare(picture) for picture in pictures]

    def _forward(self, queue: Queue) -> list[Answered]:
        """Take one batch off the queue and ask the adapter."""
        size = self._size(queue.kind)
        ready = [(request, self._prepared(request, future)) for request, future in queue.take(size.size)]
        answers = iter(self._ask([(request, made) for request, made in ready if not isinstance(made, Failure)], size))
        return [Answered(request, made) if isinstance(made, Failure) else next(answers) for request, made in ready]

    def _prepared(self, request: Request, future: Preparing | None) -> list[Any] | Failure:
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
            return self._alike(kind, checks.vectors(made, n, "embed_images"))
        if kind == "text":
            made = model.embed_texts([request.texts[0] for request, _ in inputs])
            return self._alike(kind, checks.vectors(made, n, "embed_texts"))
        if kind == "score":
            items = [(pictures, request.prompt, list(request.texts)) for request, pictures in inputs]
            return checks.scores(model.score_texts(items), [len(texts) for _, _, texts in items])
        if kind == "tune":
            return [_tuned(model, request.tuning) for request, _ in inputs if request.tuning is not None]
        prompts = [(pictures, request.prompt) for request, pictures in inputs]
        return checks.replies(model.generate(prompts, inputs[0][0].generation), n)

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


def _tuned(model: Any, tuning: Tuning) -> Value | Failure:
    names, settings = list(tuning.class_names), dict(tuning.settings)
    made = model.tune_prompts(names, tuning.vectors, tuning.labels, settings, tuning.seed)
    rows = checks.vectors(made, len(names), "tune_prompts")
    broken = next((row for row in rows if isinstance(row, Failure)), None)
    return broken or np.asarray(made).ravel()


def _too_large(error: OutOfMemory) -> Failure:
    return Failure(f"one input alone does not fit the device ({error})")
