"""What passes between the store and the engine: a question that is still open, and its answer."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mmbench.harness.abilities import Array, Generation, ImageVectors
from mmbench.harness.media import Content
from mmbench.harness.types import Failure

Kind = Literal["image", "text", "score", "reply"]
"""What is asked of an adapter: embed a picture, embed a text, score texts, write a reply."""

Value: TypeAlias = Array | ImageVectors | str
"""One answer: a vector, two vectors of one pass, log-probabilities (a vector), or a text."""


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
