"""Recording: what a file holds, by what was asked; of two answers that differ neither is taken."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import DataError, Unanswered
from mmbench.harness.models.abilities import Generation

Vector = npt.NDArray[np.float32]
Shown = tuple[str, ...]
"""Digests of the pictures of a question."""
K = TypeVar("K")
V = TypeVar("V")

_ALIKE = 1e-3
"""How far two vectors of one input may lie apart, relative to their norm: so much do batches of half precision."""


class Answers(Generic[K, V]):
    """Answers of one kind, by question."""

    def __init__(self) -> None:
        self._held: dict[K, V] = {}
        self._torn: set[K] = set()

    def add(self, question: K, answer: V) -> None:
        """Hold an answer; one that differs from what is held spoils both."""
        first = self._held.setdefault(question, answer)
        if first is not answer and not _alike(first, answer):
            self._torn.add(question)

    def find(self, question: K) -> V | None:
        """Return the answer to a question, None where it was not recorded. Raises Unanswered where two differ."""
        if question in self._torn:
            raise Unanswered("it was recorded twice, with answers that differ")
        return self._held.get(question)

    def __len__(self) -> int:
        return len(self._held)


@dataclass(slots=True)
class Recording:
    """What was recorded of one model."""

    images: Answers[str, Vector] = field(default_factory=Answers)
    """Vectors, float32, by the digest of a picture."""
    texts: Answers[str, Vector] = field(default_factory=Answers)
    """Vectors, float32, by text."""
    scores: Answers[tuple[Shown, str, tuple[str, ...]], tuple[float, ...]] = field(default_factory=Answers)
    """Log-probabilities, by pictures, prompt and texts."""
    replies: Answers[tuple[Shown, str, Generation | None], str] = field(default_factory=Answers)
    """By pictures, prompt and, where they were recorded, the settings of generation."""
    text_alone: bool = False
    """True where something was asked without a picture."""
    _dimension: int | None = None

    def add_vector(self, question: str, numbers: npt.ArrayLike, where: str, *, of_text: bool) -> None:
        """Hold the vector of a picture, by its digest, or of a text. Raises DataError."""
        vector = np.asarray(numbers, dtype=np.float64)
        if vector.ndim != 1 or not vector.size:
            raise DataError(f"{where}: a vector is a list of numbers, not an array of shape {vector.shape}")
        with np.errstate(over="ignore"):
            made = vector.astype(np.float32)
        if not np.isfinite(made).all():
            raise DataError(f"{where}: the vector has NaN or infinity; leave it out, and its items are errors")
        if self._dimension not in (None, len(made)):
            raise DataError(f"{where}: a vector of {len(made)} numbers after vectors of {self._dimension}")
        self._dimension = len(made)
        (self.texts if of_text else self.images).add(question, made)

    def reply(self, shown: Shown, prompt: str, settings: Generation) -> str | None:
        """Return the reply that was recorded under these settings, or under none that are known. Raises Unanswered."""
        found = self.replies.find((shown, prompt, settings))
        return self.replies.find((shown, prompt, None)) if found is None else found

    def __len__(self) -> int:
        return len(self.images) + len(self.texts) + len(self.scores) + len(self.replies)


def _alike(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.linalg.norm(one - other) <= _ALIKE * np.linalg.norm(one))
    return one == other
