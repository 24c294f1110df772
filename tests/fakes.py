"""Models of a few lines that count what they are asked, and answer by their inputs or by functions they are given."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.harness.models.abilities import Generation

Pictures = list[PIL.Image.Image]
Vectors = npt.NDArray[np.floating]


def vector(data: bytes, dimension: int = 8) -> np.ndarray:
    """Return a vector that depends on `data` alone."""
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)


def picture_bytes(image: PIL.Image.Image) -> bytes:
    """Return what tells one decoded picture from another."""
    return repr(image.size).encode() + image.tobytes()


def numbered(n: int) -> PIL.Image.Image:
    """Draw picture `n` of one colour, whose number can be read again, and which is never grey."""
    return PIL.Image.new("RGB", (3, 3), (1 + n // 16, n % 16, 200))


def number(images: Sequence[PIL.Image.Image]) -> int | None:
    """Read the number of the first picture; None where there is none, or the grey one that the blind are shown."""
    if not images or len(set(images[0].getpixel((0, 0)))) == 1:
        return None
    red, green, _ = images[0].getpixel((0, 0))
    return 16 * (red - 1) + green


def adapter(fingerprint: str, **members: object) -> SimpleNamespace:
    """Make an adapter of just these methods, which get no `self`."""
    return SimpleNamespace(fingerprint=fingerprint, **members)


def constant(made: object) -> SimpleNamespace:
    """Make an adapter that returns `made` whatever it is asked."""
    names = ("embed_images", "embed_texts", "score_texts", "generate")
    return adapter("constant", **dict.fromkeys(names, lambda *asked: made))


# By the inputs themselves


class Dual:
    """Embeds pictures and texts; counts each, and notes the sizes of batches."""

    def __init__(self, fingerprint: str = "dual") -> None:
        self.fingerprint = fingerprint
        self.images: Counter[bytes] = Counter()
        self.texts: Counter[str] = Counter()
        self.batches: list[int] = []

    def embed_images(self, images: Pictures) -> np.ndarray:
        self.batches.append(len(images))
        self.images.update(map(picture_bytes, images))
        return np.stack([vector(picture_bytes(image)) for image in images])

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        self.batches.append(len(texts))
        self.texts.update(texts)
        return np.stack([vector(text.encode()) for text in texts])

    @property
    def asked(self) -> int:
        return self.images.total() + self.texts.total()


class Scorer:
    """Knows how likely a text is, by (picture, prompt, text) alone."""

    def __init__(self, fingerprint: str = "scorer") -> None:
        self.fingerprint = fingerprint
        self.items: Counter[tuple[bytes, str, tuple[str, ...]]] = Counter()

    def log_probability(self, images: Sequence[PIL.Image.Image], prompt: str, text: str) -> float:
        seen = b"".join(map(picture_bytes, images))
        return -float(abs(vector(seen + prompt.encode() + b"\0" + text.encode())[0]))

    def score_texts(self, items: list[tuple[Pictures, str, list[str]]]) -> list[list[float]]:
        self.items.update((b"".join(map(picture_bytes, i)), p, tuple(t)) for i, p, t in items)
        return [[self.log_probability(images, prompt, text) for text in texts] for images, prompt, texts in items]


class Writer:
    """Replies by a function of the prompt."""

    def __init__(self, reply: Callable[[str], str] = str.upper, fingerprint: str = "writer") -> None:
        self.fingerprint = fingerprint
        self.reply = reply
        self.prompts: Counter[str] = Counter()
        self.settings: list[object] = []

    def generate(self, prompts: list[tuple[Pictures, str]], settings: object) -> list[str]:
        self.settings.append(settings)
        self.prompts.update(prompt for _, prompt in prompts)
        return [self.reply(prompt) for _, prompt in prompts]


# By functions of the picture's number


class Towers:
    """Vectors by a function of the picture's number, and one of the text."""

    fingerprint = "towers"

    def __init__(
        self,
        image: Callable[[int | None], Sequence[float] | Vectors],
        text: Callable[[str], Sequence[float] | Vectors],
        see: Callable[[Pictures], int | None] = number,
    ) -> None:
        self.image = image
        self.text = text
        self.see = see
        self.asked: list[str] = []

    def embed_images(self, images: Pictures) -> Vectors:
        return np.array([self.image(self.see([image])) for image in images], dtype=np.float64)

    def embed_texts(self, texts: list[str]) -> Vectors:
        self.asked += texts
        return np.array([self.text(text) for text in texts], dtype=np.float64)


class Likely:
    """Log-probabilities by a function of the picture's number, the prompt and the text."""

    fingerprint = "likely"

    def __init__(self, log_probability: Callable[[int | None, str, str], float]) -> None:
        self.log_probability = log_probability
        self.asked: list[tuple[int | None, str, tuple[str, ...]]] = []

    def score_texts(self, items: list[tuple[Pictures, str, list[str]]]) -> list[list[float]]:
        self.asked += [(number(images), prompt, tuple(texts)) for images, prompt, texts in items]
        return [
            [self.log_probability(number(images), prompt, text) for text in texts] for images, prompt, texts in items
        ]


class Speaker:
    """Replies by a function of the picture's number and the prompt."""

    fingerprint = "speaker"

    def __init__(self, reply: Callable[[int | None, str], str]) -> None:
        self.reply = reply
        self.asked: list[tuple[int | None, str]] = []
        self.settings: set[Generation] = set()

    def generate(self, prompts: list[tuple[Pictures, str]], settings: Generation) -> list[str]:
        self.settings.add(settings)
        asked = [(number(images), prompt) for images, prompt in prompts]
        replies = [self.reply(*each) for each in asked]
        self.asked += asked
        return replies
