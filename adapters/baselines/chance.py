"""Random baseline: seeded and with every ability, so that any protocol and its chance level can be measured."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import UsageError
from mmbench.harness.media.pixels import Pixels, digest_of
from mmbench.harness.models.abilities import Generation

VERSION = 2
DIMENSION = 64
_LETTERS = "bcdfghjklmnpqrstvwxz"
_LENGTH = 8

_MARKED = re.compile(r"^(?:(?=\([A-Z0-9]+\) )\()?([A-Z]|[0-9]+)(?:\.|(?<=^\(.)\)|(?<=^\(..)\)) ", re.MULTILINE)
_YES_OR_NO = re.compile(r"\byes\b.{0,20}\bno\b", re.IGNORECASE | re.DOTALL)

Vectors = npt.NDArray[np.float32]


class Chance:
    """Random answers that depend on (seed, input) alone: equal inputs agree, whatever the batch or the order.

    Abilities: all. Pictures are reduced to their digests by `prepare_image`, so that none stays in memory.
    """

    prepares_once = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.parameters = 0
        self.fingerprint = f"chance@{VERSION} seed={seed}"

    def prepare_image(self, image: Pixels) -> bytes:
        """Return the digest of mode, size and pixels; two pictures of equal bytes but unequal shape differ."""
        return digest_of(image).encode()

    def embed_images(self, images: list[bytes]) -> Vectors:
        """Return (n, 64) float32 vectors, uniform in [-1, 1)."""
        return _vectors([self._draw(2 * DIMENSION, b"image", image) for image in images], DIMENSION)

    def embed_texts(self, texts: list[str]) -> Vectors:
        """Return (n, 64) float32 vectors, uniform in [-1, 1)."""
        return _vectors([self._draw(2 * DIMENSION, b"text", text.encode()) for text in texts], DIMENSION)

    def embed_videos(self, videos: list[list[bytes]]) -> Vectors:
        """Return (n, 64) float32 vectors, uniform in [-1, 1)."""
        return _vectors([self._draw(2 * DIMENSION, b"video", *frames) for frames in videos], DIMENSION)

    def score_texts(self, items: list[tuple[list[bytes], str, list[str]]]) -> list[list[float]]:
        """Return for each item the logarithms of independent uniform numbers, one a text."""
        return [
            [self._log_probability(b"score", prompt.encode(), text.encode(), *images) for text in texts]
            for images, prompt, texts in items
        ]

    def generate(self, prompts: list[tuple[list[bytes], str]], settings: Generation) -> list[str]:
        """Return one of the prompt's option marks, "yes" or "no" where it asks for these, else a word of no language.

        Whoever guesses an open answer gains nothing, and a real word would now and then be one.

        An option is a line of the form `A. text`, `(A) text`, `1. text` or `(1) text`.
        The settings do not matter: every reply is one word.
        """
        return [self._reply(images, prompt) for images, prompt in prompts]

    def tune_prompts(
        self,
        class_names: Sequence[str],
        vectors: npt.NDArray[np.floating],
        labels: npt.NDArray[np.integer],
        settings: dict[str, float],
        seed: int,
    ) -> Vectors:
        """Return (classes, d) float32 vectors for (n, d) `vectors`, uniform in [-1, 1), new for every episode."""
        parts = [vectors.tobytes(), labels.tobytes(), repr(sorted(settings.items())).encode(), str(seed).encode()]
        episode = digest_bytes(*parts).encode()
        dimension = int(vectors.shape[1])
        rows = [self._draw(2 * dimension, b"class", episode, name.encode()) for name in class_names]
        return _vectors(rows, dimension)

    def _reply(self, images: list[bytes], prompt: str) -> str:
        marks = _MARKED.findall(prompt)
        # The options come last, so that a question may have marked lines of its own.
        first = max((index for index, mark in enumerate(marks) if mark in ("A", "1")), default=len(marks))
        options = marks[first:]
        if len(options) > 1:
            choices: Sequence[str] = options
        elif _YES_OR_NO.search(prompt):
            choices = ("yes", "no")
        else:
            drawn = self._draw(_LENGTH, b"word", prompt.encode(), *images)
            return "".join(_LETTERS[byte % len(_LETTERS)] for byte in drawn)
        number = int.from_bytes(self._draw(8, b"reply", prompt.encode(), *images), "little")
        return choices[number % len(choices)]

    def _log_probability(self, *parts: bytes) -> float:
        number = int.from_bytes(self._draw(8, *parts), "little") >> 12
        # 52 bits and a half are exact in float64, so that the probability is never 0 and never 1.
        return float(np.log((number + 0.5) / 2**52))

    def _draw(self, size: int, *parts: bytes) -> bytes:
        # An extendable hash costs about 2 microseconds a vector, a NumPy Generator for each input ten times that.
        # The lengths keep ("ab", "c") and ("a", "bc") apart.
        lengths = ",".join(str(len(part)) for part in parts)
        return hashlib.shake_256(f"{self.fingerprint} {lengths}:".encode() + b"".join(parts)).digest(size)


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> Chance:
    """Return the baseline that `chance` or `chance:SEED` names; device, dtype and network do not matter to it.

    Raises UsageError when SEED is not a whole number.
    """
    if rest and not (rest.isascii() and rest.isdecimal()):
        raise UsageError(f"chance:{rest}: the seed is a whole number, as in chance:7")
    return Chance(int(rest or 0))


def _vectors(rows: list[bytes], dimension: int) -> Vectors:
    numbers = np.frombuffer(b"".join(rows), dtype="<u2").reshape(len(rows), dimension)
    # Odd multiples of 2**-16 are exact in float32 and lie symmetric around zero, so no direction is preferred.
    return (2 * numbers.astype(np.float32) - np.float32(65535)) / np.float32(65536)
