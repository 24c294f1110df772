"""Text embeddings: `embed_texts`, one text an input."""

from collections.abc import Sequence
from typing import Any

from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Vectors, lengths_of
from mmbench.harness.engine.packing import Value
from mmbench.harness.models.abilities import EmbedsTexts, KnowsTruncation
from mmbench.harness.types import Failure


class TextKind(Vectors):
    """Vectors of texts; they are short, so that many are read and asked at a time."""

    name = "text"
    window = 1024
    first = 256
    largest = 1024

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `embed_texts`. Raises BrokenReply."""
        tower: EmbedsTexts = adapter
        made = tower.embed_texts([question.texts[0] for question, _ in inputs])
        return checks.vectors(made, len(inputs), "embed_texts")

    def lengths(self, value: Value) -> tuple[int, ...] | None:
        """Return the length of a text's vector."""
        return lengths_of(value)

    def truncated(self, adapter: Any, inputs: Inputs) -> Sequence[bool]:
        """Return what `truncates` tells of an adapter that has it."""
        if getattr(adapter, "truncates", None) is None:
            return super().truncated(adapter, inputs)
        tower: KnowsTruncation = adapter
        return [bool(flag) for flag in tower.truncates([question.texts[0] for question, _ in inputs])]


TEXT = TextKind()
