"""Queue of inputs: batches that fit the device, look-ahead that fits the memory."""

from collections import deque
from concurrent.futures import Future
from typing import Any, TypeAlias

from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.question import Question
from mmbench.harness.types import Failure

QUEUE_BYTES = 512 << 20
"""Encoded files and prepared pictures that wait at a time."""

Preparing: TypeAlias = Future[list[Any] | Failure]


class Queue:
    """Questions in flight with their prepared pictures, and the bytes that these hold."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        """Pictures of unknown size that may be on their way."""
        self._waiting: deque[tuple[Question, Preparing | None]] = deque()
        self._sizes: deque[int] = deque()
        """Bytes of each question from the head on, as far as they are known."""
        self._encoded = 0
        self._known = 0
        self._largest = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def kind(self) -> Kind:
        """The kind of the first question."""
        return self._waiting[0][0].kind

    def put(self, question: Question, prepared: Preparing | None) -> None:
        """Add a question; wait where too many of unknown size are on their way."""
        self._waiting.append((question, prepared))
        self._encoded += _encoded(question)
        while len(self._sizes) < len(self._waiting):
            future = self._waiting[len(self._sizes)][1]
            if future is not None and not future.done() and len(self._waiting) - len(self._sizes) <= self._ahead:
                break
            self._measure(future)

    def _measure(self, future: Preparing | None) -> None:
        size = _nbytes(future.result()) if future is not None and future.exception() is None else 0
        self._sizes.append(size)
        self._known += size
        self._largest = max(self._largest, size)

    @property
    def heavy(self) -> bool:
        """True when no more should be read for the memory it takes; what is on its way is taken to be large."""
        unknown = len(self._waiting) - len(self._sizes)
        return self._encoded + self._known + unknown * self._largest >= QUEUE_BYTES

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
            self._encoded -= _encoded(question)
            self._known -= self._sizes.popleft() if self._sizes else 0
        return taken


def _encoded(question: Question) -> int:
    return sum(content.nbytes for content in question.contents)


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
