"""Queue of inputs: batches that fit the device, look-ahead that fits the memory."""

from collections import deque
from concurrent.futures import Future
from typing import Any, TypeAlias

from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.question import Question
from mmbench.harness.types import Failure

QUEUE_BYTES = 512 << 20
"""Encoded files and prepared pictures that wait at a time."""

HELD_BYTES = 128 << 20
"""Files that items hold in memory until they are answered: a clip may weigh more than its frames."""

Preparing: TypeAlias = Future[list[Any] | Failure] | list[Any]
"""The prepared pictures of a question, or what comes to be them."""


class Queue:
    """Questions in flight with their prepared pictures, and the bytes that these hold."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        """Pictures of unknown size that may be on their way."""
        self._waiting: deque[tuple[Question, Preparing | None]] = deque()
        self._weights: deque[int] = deque()
        """Bytes of each question: of what was prepared of it, or until that is known of what it is prepared from."""
        self._known = 0
        """Questions from the head on of which is known what was prepared."""
        self._bytes = 0
        self._held = 0
        self._largest = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def kind(self) -> Kind:
        """The kind of the first question."""
        return self._waiting[0][0].kind

    def put(self, question: Question, prepared: Preparing | None) -> None:
        """Add a question; wait where too many of unknown size are on their way."""
        # What was read of its pictures goes with the work on them.
        self._waiting.append((question if prepared is None else question.without_contents(), prepared))
        weight = question.weight
        self._weights.append(weight)
        self._bytes += weight
        self._held += question.held
        while unknown := len(self._waiting) - self._known:
            question, prepared = self._waiting[-unknown]
            if unknown <= self._ahead and isinstance(prepared, Future) and not prepared.done():
                break
            self._measure(question.held, prepared)

    def _measure(self, held: int, prepared: Preparing | None) -> None:
        """Learn what was prepared of the first question of unknown size, whose item holds so many bytes besides."""
        if isinstance(prepared, Future):
            size = 0 if prepared.exception() is not None else _nbytes(prepared.result())
        else:
            size = _nbytes(prepared)
        self._bytes += size + held - self._weights[self._known]
        self._weights[self._known] = size + held
        self._known += 1
        self._largest = max(self._largest, size)

    @property
    def heavy(self) -> bool:
        """True when no more should be read for the memory it takes; what is on its way is taken to be large."""
        unknown = len(self._waiting) - self._known
        return self._held >= HELD_BYTES or self._bytes + unknown * self._largest >= QUEUE_BYTES

    def full(self, batch: int, workers: int) -> bool:
        """Return True when a batch is to be taken: it is there and, with pictures, as much again on its way."""
        prepares = self._waiting[-1][1] is not None
        return self.heavy or len(self) >= batch + (max(batch, 2 * workers) if prepares else 0)

    def take(self, most: int) -> list[tuple[Question, Preparing | None]]:
        """Return up to `most` questions from the head that can be asked in one call."""
        if self.heavy:
            most = min(most, (len(self) + 1) // 2)  # so that others are prepared beside the forward pass
        first = self._waiting[0][0]
        taken: list[tuple[Question, Preparing | None]] = []
        while self._waiting and len(taken) < most:
            question, _ = self._waiting[0]
            if (question.kind, question.generation) != (first.kind, first.generation):
                break
            taken.append(self._waiting.popleft())
            self._held -= question.held
            self._bytes -= self._weights.popleft()
            self._known = max(self._known - 1, 0)
        return taken


def _nbytes(prepared: Any) -> int:
    """Estimate the memory of one prepared question."""
    return sum(map(nbytes_of, prepared)) if isinstance(prepared, list) else 0


def nbytes_of(picture: Any) -> int:
    """Estimate the memory of one prepared picture; 0 where it does not tell.

    >>> import numpy as np
    >>> nbytes_of(np.zeros((2, 3), np.float32)), nbytes_of(b"abc"), nbytes_of(object())
    (24, 3, 0)
    """
    if isinstance(picture, bytes):
        return len(picture)
    size = getattr(picture, "nbytes", None)
    if size is None and hasattr(picture, "getbands"):
        size = picture.width * picture.height * (1 if len(picture.getbands()) == 1 else 4)  # Pillow pads RGB to four
    return size or 0
