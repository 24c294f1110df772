"""Replies: `generate`, some pictures and a prompt."""

from typing import Any

from mmbench.harness.digest import Json
from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Plain, shown
from mmbench.harness.engine.packing import Value, pack_text, unpack_text
from mmbench.harness.models.abilities import Generates, Generation
from mmbench.harness.types import Failure


class ReplyKind(Plain):
    """Texts that a model writes; the questions of a batch share their generation settings."""

    name = "reply"

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `generate`. Raises BrokenReply."""
        prompts = [(shown(adapter, question, pictures), question.prompt) for question, pictures in inputs]
        writer: Generates = adapter
        return checks.replies(writer.generate(prompts, inputs[0][0].generation), len(inputs))

    def settings(self, generation: Generation) -> list[Json]:
        """Return all: each changes the text."""
        return [generation.max_tokens, generation.temperature, list(generation.stop)]

    def pack(self, value: Value) -> bytes:
        """Return the text as UTF-8."""
        return pack_text(value)

    def unpack(self, data: bytes) -> Value:
        """Return the text."""
        return unpack_text(data)


REPLY = ReplyKind()
