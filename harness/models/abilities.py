"""Abilities of a model as structural protocols: an adapter either has the methods or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Prepared: TypeAlias = Any
"""A `PIL.Image.Image`, or what the adapter's own `prepare_image` made of it."""

Ability = Literal["embed_images", "embed_texts", "embed_videos", "score_texts", "generate", "tune_prompts"]
ABILITIES: tuple[Ability, ...] = get_args(Ability)


@dataclass(frozen=True, slots=True)
class Generation:
    """How a reply is written; part of the protocol and of the key under which a reply is remembered."""

    max_tokens: int = 64
    """Longest reply, in the model's own tokens."""
    temperature: float = 0.0
    """0 is greedy decoding."""
    stop: tuple[str, ...] = ()
    """Strings at which a reply ends."""


@dataclass(frozen=True, slots=True)
class ImageVectors:
    """What `embed_images` may return when one forward pass gives two kinds of vectors."""

    embedding: Array
    """(n, d), in the space shared with texts."""
    features: Array
    """(n, e), before the projection into that space."""


class Adapter(Protocol):
    """What every adapter has; everything else is optional and structural."""

    @property
    def fingerprint(self) -> str:
        """Identity of weights, architecture, preprocessing, tokenizer, dtype and adapter version, and nothing else."""


@runtime_checkable
class EmbedsImages(Protocol):
    """Has an image tower."""

    def embed_images(self, images: list[Prepared]) -> Array | ImageVectors:
        """Return (n, d) vectors, one a picture, in order."""


@runtime_checkable
class EmbedsTexts(Protocol):
    """Has a text tower."""

    def embed_texts(self, texts: list[str]) -> Array:
        """Return (n, d) vectors, one a text, in order."""


@runtime_checkable
class ScoresTexts(Protocol):
    """Knows how likely a text is."""

    def score_texts(self, items: list[tuple[list[Prepared], str, list[str]]]) -> list[list[float]]:
        """For each (images, prompt, texts) return the log-probability of each text."""


@runtime_checkable
class Generates(Protocol):
    """Writes text."""

    def generate(self, prompts: list[tuple[list[Prepared], str]], settings: Generation) -> list[str]:
        """Return one reply for each (images, prompt), in order."""


@runtime_checkable
class TunesPrompts(Protocol):
    """Learns prompt vectors through its text tower."""

    def tune_prompts(
        self, class_names: Sequence[str], vectors: Array, labels: Array, settings: dict[str, float], seed: int
    ) -> npt.NDArray[np.float32]:
        """Return (classes, d) class vectors learnt from (n, d) image vectors and (n,) labels."""


@runtime_checkable
class EstimatesTuning(Protocol):
    """Knows how long it takes to learn a prompt."""

    def estimate_tuning(self, class_names: Sequence[str], pictures: int, settings: dict[str, float]) -> float:
        """Return seconds for one call of `tune_prompts` with so many pictures."""


@runtime_checkable
class PreparesImages(Protocol):
    """Does its preprocessing apart from the forward pass, so that it runs beside it."""

    def prepare_image(self, image: Any) -> Prepared:
        """Return what the other methods receive for this picture; called from several threads."""


@runtime_checkable
class KnowsTruncation(Protocol):
    """Can tell which texts exceed its context length."""

    def truncates(self, texts: list[str]) -> list[bool]:
        """Return True for each text that `embed_texts` cuts."""


@runtime_checkable
class TakesTextAlone(Protocol):
    """Can be asked `score_texts` and `generate` without a picture, if it says so."""

    takes_text_alone: bool


@runtime_checkable
class Downloads(Protocol):
    """Can tell what it would have to fetch before the first answer."""

    def download_size(self) -> int | None:
        """Return bytes still to be fetched (0 when the weights are here), or None when unknown."""


def abilities(adapter: object) -> frozenset[Ability]:
    """Return the abilities whose methods `adapter` really has; nothing is loaded.

    >>> class Captioner:
    ...     fingerprint = "x"
    ...     embed_texts = None
    ...     def generate(self, prompts, settings): ...
    >>> sorted(abilities(Captioner()))
    ['generate']
    """
    return frozenset(name for name in ABILITIES if callable(getattr(adapter, name, None)))
