"""Text embeddings: `embed_texts`, one text an input."""

from collections.abc import Sequence
from typing import Any

from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Vectors, lengths_of
from mmbench.harness.engine.packing import Value
from mmbench.harness.types import Failure


class TextKind(Vectors):
    """Vectors of texts; they are short, so that many are read and asked at a time."""

    name = "text"
    window = 1024
    first = 256
    largest = 1024

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `embed_texts`. Raises AdapterError."""
        made = adapter.embed_texts([question.texts[0] for question, _ in inputs])
        return checks.vectors(made, len(inputs), "embed_texts")

    def lengths(self, value: Value) -> tuple[int, ...] | None:
        """Return the length of a text's vector."""
        return lengths_of(value)

    def truncated(self, adapter: Any, inputs: Inputs) -> Sequence[bool]:
        """Return what `truncates` tells of an adapter that has it."""
        truncates = getattr(adapter, "truncates", None)
        if truncates is None:
            return super().truncated(adapter, inputs)
        return [bool(flag) for flag in truncates([question.texts[0] for question, _ in inputs])]


TEXT = TextKind()
