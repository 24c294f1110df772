"""What passes between the store and the engine: a question that is still open, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from mmbench.harness.digest import Json, digest_bytes, digest_json
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Content, Image
from mmbench.harness.models.abilities import Array, Generation, ImageVectors
from mmbench.harness.types import Failure

Kind = Literal["image", "text", "score", "reply", "tune"]
"""What is asked of an adapter: embed a picture, embed a text, score texts, write a reply, learn a prompt."""

Value: TypeAlias = Array | ImageVectors | str
"""One answer: a vector, two vectors of one pass, log-probabilities (a vector), or a text."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What a prompt is learnt from and how."""

    class_names: tuple[str, ...]
    vectors: Array
    """(n, d) vectors of pictures."""
    labels: Array
    """(n,) class indices."""
    settings: Mapping[str, float]
    seed: int

    @property
    def identity(self) -> Json:
        """What the answer depends on, besides the model."""
        vectors, labels = np.ascontiguousarray(self.vectors), np.ascontiguousarray(self.labels)
        arrays = digest_bytes(repr((vectors.shape, vectors.dtype.str)).encode(), vectors.tobytes(), labels.tobytes())
        return [list(self.class_names), arrays, sorted(self.settings.items()), self.seed]


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
    tuning: Tuning | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with what came back."""

    request: Request
    value: Value | Failure
    truncated: bool = False
    """True when the model saw only the beginning of the text."""


FLUSH: Literal["flush"] = "flush"
"""Among requests: answer what is queued although no batch is full, because others wait behind it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a model, in terms of content alone: no task, no file name."""

    kind: Kind
    images: tuple[Image, ...] = ()
    prompt: str = ""
    texts: tuple[str, ...] = ()
    generation: Generation = Generation()
    tuning: Tuning | None = None

    def read(self) -> Request | Failure:
        """Read the pictures once and return the request with its key."""
        try:
            contents = tuple(image.read() for image in self.images)
        except Unreadable as error:
            return Failure(str(error))
        key = self._key(contents)
        return Request(key, self.kind, contents, self.prompt, self.texts, self.generation, self.tuning)

    def _key(self, contents: tuple[Content, ...]) -> bytes:
        written = self.generation
        settings: list[Json] = (
            [written.max_tokens, written.temperature, list(written.stop)] if self.kind == "reply" else []
        )
        identity: list[Json] = [
            self.kind,
            [content.digest for content in contents],
            self.prompt,
            list(self.texts),
            settings,
        ]
        if self.tuning is not None:
            identity.append(self.tuning.identity)
        return bytes.fromhex(digest_json(identity))
