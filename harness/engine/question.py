"""Question: an open question between store and engine, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from mmbench.harness.digest import Json, digest_bytes, digest_json
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.errors import Unreadable
from mmbench.harness.light import light
from mmbench.harness.media.image import Content
from mmbench.harness.media.video import Clip, Medium, read_media
from mmbench.harness.models.abilities import Array, Generation
from mmbench.harness.types import Failure


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


@light(frozen=True, slots=True)
class Question:
    """One input to a model: first with pictures yet to be read, then with their content and its key."""

    kind: Kind
    images: tuple[Medium, ...] = ()
    """The pictures and clips; none once they are read."""
    prompt: str = ""
    texts: tuple[str, ...] = ()
    generation: Generation = Generation()
    tuning: Tuning | None = None
    contents: tuple[Content, ...] = ()
    """What was read of the pictures, a clip's frames one after the other."""
    key: bytes = b""
    """Identity in the store, known once the pictures are read."""
    item: str = ""
    """Id of the item that first asked it, for a person who looks; no answer depends on it."""
    clips: tuple[Clip, ...] = ()
    """Which of the contents are frames of a clip, and when they are shown."""
    held: int = 0
    """Bytes of files that the item holds in memory until it is answered."""

    @property
    def weight(self) -> int:
        """Bytes in memory until its pictures are prepared; an item holds the very bytes that were read of it."""
        return max(self.held, sum([content.nbytes for content in self.contents]))

    def read(self) -> "Question | Failure":
        """Read the pictures once and return the question with its content and key, ready to be prepared."""
        try:
            held = sum([medium.held for medium in self.images])
            contents, clips = read_media(self.images)
        except Unreadable as error:
            return Failure(str(error))
        key = self._key(contents, clips)
        # Not by `replace`, which looks up each field: every input of a run passes here.
        return Question(
            *(self.kind, (), self.prompt, self.texts, self.generation, self.tuning),
            *(contents, key, self.item, clips, held),
        )

    def without_contents(self) -> "Question":
        """Return it as it waits for what was prepared of its pictures."""
        # Not by `replace`, as in `read`.
        return Question(
            *(self.kind, self.images, self.prompt, self.texts, self.generation, self.tuning),
            *((), self.key, self.item, self.clips, self.held),
        )

    def of_each(self, kind: Kind) -> "tuple[Question, ...]":
        """Return the question of this kind about each of its pictures alone."""
        alone = [(content,) for content in self.contents]
        return tuple(
            Question(kind, contents=each, key=Question(kind)._key(each, ()), item=self.item, held=self.held)
            for each in alone
        )

    def _key(self, contents: tuple[Content, ...], clips: tuple[Clip, ...]) -> bytes:
        settings = self.kind.settings(self.generation)
        if len(contents) == 1 and not (clips or self.prompt or self.texts or settings or self.tuning):
            return _key_of_picture(self.kind.name, contents[0].digest)
        identity: list[Json] = [
            self.kind.name,
            [content.digest for content in contents],
            self.prompt,
            list(self.texts),
            settings,
        ]
        if self.tuning is not None:
            identity.append(self.tuning.identity)
        if clips:
            identity.append([clip.as_json() for clip in clips])
        return bytes.fromhex(digest_json(identity))


@lru_cache(maxsize=1 << 14)  # many tasks ask about the same pictures
def _key_of_picture(kind: str, digest: str) -> bytes:
    """Return the key of a question about one picture without any words."""
    return bytes.fromhex(digest_json([kind, [digest], "", [], []]))


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what came back."""

    question: Question
    value: Value | Failure
    truncated: bool = False
    """True when the model saw only the beginning of the text."""


FLUSH: Literal["flush"] = "flush"
"""Among questions: answer what is queued although no batch is full, because others wait behind it."""
