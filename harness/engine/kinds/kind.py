"""Kind of question: what the engine and the store need to know of one way to ask an adapter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from mmbench.harness.digest import Json
from mmbench.harness.engine.packing import Value, pack_arrays, unpack_arrays
from mmbench.harness.models.abilities import Frames, Generation, ImageVectors, Prepared, TakesClips
from mmbench.harness.types import Failure

if TYPE_CHECKING:
    from mmbench.harness.engine.question import Question

Inputs: TypeAlias = "Sequence[tuple[Question, list[Prepared]]]"
"""Questions of one kind with their pictures, prepared by the adapter where it prepares any."""


def shown(adapter: Any, question: "Question", pictures: Sequence[Prepared]) -> list[Any]:
    """Return what an adapter is shown in a question: its pictures, a clip as `Frames` where the adapter takes clips."""
    if not question.clips or not (isinstance(adapter, TakesClips) and adapter.takes_clips):
        return list(pictures)
    found: list[Any] = []
    at = 0
    for clip in question.clips:
        end = clip.first + clip.count
        own = Frames(tuple(pictures[clip.first : end]), clip.timestamps, clip.indices, clip.fps, clip.total)
        found += [*pictures[at : clip.first], own]
        at = end
    return [*found, *pictures[at:]]


class Kind(Protocol):
    """One way to ask an adapter; a module-level value, compared by identity."""

    @property
    def name(self) -> str:
        """Name in the store and in its keys; answers are lost to a kind that changes it."""

    @property
    def window(self) -> int:
        """Questions that are read and looked up at a time."""

    @property
    def first(self) -> int:
        """Inputs of the first batch, where no size is given."""

    @property
    def largest(self) -> int:
        """Inputs of a batch at the most, where no size is given; 1: a given size does not count either."""

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call the adapter's method and return its checked answers, one an input. Raises BrokenReply."""

    def settings(self, generation: Generation) -> list[Json]:
        """Return what of the generation settings an answer depends on."""

    def lengths(self, value: Value) -> tuple[int, ...] | None:
        """Return the lengths that all answers of one adapter share; None where they may differ."""

    def truncated(self, adapter: Any, inputs: Inputs) -> Sequence[bool]:
        """Tell for each input whether the model sees only its beginning."""

    def pack(self, value: Value) -> bytes:
        """Return the bytes under which an answer is stored."""

    def unpack(self, data: bytes) -> Value:
        """Return the answer behind `pack`'s bytes."""


class Plain:
    """What most kinds share: answers of any length, nothing cut, batches of pictures or prompts."""

    name: str
    window = 16
    first = 16
    largest = 256

    def __reduce__(self) -> str:
        """Have another process find the one value of its module, IMAGE of the kind `image`, and no copy of it."""
        return self.name.upper()

    def settings(self, generation: Generation) -> list[Json]:
        """Return nothing: no text is written."""
        return []

    def lengths(self, value: Value) -> tuple[int, ...] | None:
        """Return None: answers may differ in length."""
        return None

    def truncated(self, adapter: Any, inputs: Inputs) -> Sequence[bool]:
        """Return False for each: nothing is cut."""
        return [False] * len(inputs)


class Vectors(Plain):
    """Kinds whose answers are arrays."""

    def pack(self, value: Value) -> bytes:
        """Return dtype, length and numbers of each array."""
        return pack_arrays(value)

    def unpack(self, data: bytes) -> Value:
        """Return the arrays."""
        return unpack_arrays(data)


def lengths_of(value: Value) -> tuple[int, ...]:
    """Return the length of a vector, or of each of two."""
    parts = (value.embedding, value.features) if isinstance(value, ImageVectors) else (value,)
    return tuple(len(part) for part in parts)
