"""Abilities of a model as structural protocols: an adapter either has the methods or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import getattr_static
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class Frames:
    """A clip as one thing that a question shows, for an adapter that `takes_clips`."""

    pictures: tuple[Prepared, ...]
    """Its frames, in the order in which they are shown."""
    timestamps: tuple[float, ...] | None
    """Seconds at which they are shown, ascending; None where the clip has no rate."""
    indices: tuple[int, ...] = ()
    """0-based, in the whole clip; not ascending where frames are shown in another order."""
    fps: float | None = None
    """Frames a second of the whole clip."""
    total: int = 0
    """Frames of the whole clip."""


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
class EmbedsVideos(Protocol):
    """Has a tower for clips; without it a clip is the mean of the unit vectors of its frames."""

    def embed_videos(self, videos: list[list[Prepared]]) -> Array:
        """Return (n, d) vectors, one a clip, in order; a clip is its frames, in order."""


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
class PreparesOnce(Protocol):
    """Lets pictures be prepared once for all that is asked about them, if it says so.

    What `prepare_image` makes then depends on the picture alone, and no method changes what it is given.
    """

    prepares_once: bool


@runtime_checkable
class KnowsTruncation(Protocol):
    """Can tell which texts exceed its context length."""

    def truncates(self, texts: list[str]) -> list[bool]:
        """Return True for each text that `embed_texts` cuts."""


@runtime_checkable
class KnowsCutAnswers(Protocol):
    """Can tell which texts do not fit behind their prompt."""

    def cuts_answer(self, prompt: str, text: str) -> bool:
        """Return True where `score_texts` scores the beginning of a text only."""


@runtime_checkable
class TakesTextAlone(Protocol):
    """Can be asked `score_texts` and `generate` without a picture, if it says so."""

    takes_text_alone: bool


@runtime_checkable
class TakesClips(Protocol):
    """Takes a clip in `score_texts` and `generate` as `Frames` among the pictures, if it says so."""

    takes_clips: bool


@runtime_checkable
class TakesOnePicture(Protocol):
    """Raises OnePicture for `score_texts` and `generate` about several pictures, and says so before, if it does."""

    takes_one_picture: bool


@runtime_checkable
class WritesBoxes(Protocol):
    """Says by which convention it writes boxes, one of `mmbench.metrics.read_boxes`; None where it does not know.

    One that writes points otherwise says so with `points` too. One whose pixels are those of a resized picture has
    `picture_size(width, height)`, which returns the size in which it is shown a picture.
    """

    boxes: str | None


@runtime_checkable
class LoadsWeights(Protocol):
    """Can load its weights apart from the first answer, so that this is told and is no part of its speed."""

    def load_weights(self) -> None:
        """Load what the first answer needs, if that was not done before."""


@runtime_checkable
class Downloads(Protocol):
    """Can tell what it would have to fetch before the first answer."""

    def download_size(self) -> int | None:
        """Return bytes still to be fetched (0 when the weights are here), or None when unknown."""


@runtime_checkable
class KeepsFiles(Protocol):
    """Can tell the files of its weights, so that they are read from disk while another model finishes."""

    def weight_files(self) -> Sequence[Path]:
        """Return those that loading reads; asked only where nothing is to be fetched."""


@runtime_checkable
class Hosted(Protocol):
    """Can tell where its weights are fetched from."""

    def hub_repository(self) -> str | None:
        """Return `owner/name` of a model on the hub, None where they come from elsewhere."""


@runtime_checkable
class Sends(Protocol):
    """Sends what it is asked to a service, which a person must agree to before."""

    def sends_to(self) -> str:
        """Return where, as the end of "… would be sent ". Raises UsageError."""

    def pictures_sent(self) -> str:
        """Return how pictures are sent, as the end of "3 pictures "."""

    def picture_tokens(self, width: int, height: int) -> int:
        """Return about how many tokens a picture of so many pixels takes."""


@runtime_checkable
class Priced(Protocol):
    """Knows what tokens cost."""

    def token_cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost; None where that is not known."""


@runtime_checkable
class AnswersApart(Protocol):
    """Waits for others to answer: it is asked one input at a time, in so many threads, and no answer waits for others.

    Its methods are then called from several threads.
    """

    concurrency: int


_HELPERS = (
    "prepare_image",
    "sends_to",
    "pictures_sent",
    "picture_size",
    "picture_tokens",
    "token_cost",
    "truncates",
    "cuts_answer",
    "estimate_tuning",
    "download_size",
    "hub_repository",
    "load_weights",
    "weight_files",
)
"""Further methods that an adapter may have; none is an ability misspelt."""

_NEAR = 0.7
"""Likeness from which on a method may be an ability misspelt."""


def misspelt(adapter: object) -> Mapping[Ability, str]:
    """Return each ability that `adapter` lacks and has by another name, with that name; nothing of it is called.

    >>> class Encoder:
    ...     def embed_image(self, images): ...
    ...     def embed_texts(self, texts): ...
    >>> misspelt(Encoder())
    {'embed_images': 'embed_image'}
    """
    lacking: dict[str, Ability] = {name: name for name in ABILITIES if name not in abilities(adapter)}
    own = [name for name in dir(adapter) if not name.startswith("_") and name not in (*ABILITIES, *_HELPERS)]
    found: dict[Ability, str] = {}
    for name in own:
        # Methods of classes are looked at, not asked for: a property may load a model.
        if callable(getattr_static(adapter, name, None)):
            for near in get_close_matches(name.replace("encode", "embed"), lacking, 1, _NEAR):
                found.setdefault(lacking[near], name)
    return found


def did_you_mean(near: Mapping[Ability, str]) -> str:
    """Return what `misspelt` found as the end of a sentence.

    >>> did_you_mean({"embed_images": "embed_image"}), did_you_mean({})
    ("; it has 'embed_image': did you mean 'embed_images'?", '')
    """
    return "".join(f"; it has '{name}': did you mean '{ability}'?" for ability, name in near.items())


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
