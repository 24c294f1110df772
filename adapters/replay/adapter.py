"""Adapter of a recording: it answers what was recorded, and nothing else."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mmbench.adapters.replay.files import read_recording
from mmbench.adapters.replay.pictures import Pictures
from mmbench.adapters.replay.recording import Answers, Vector
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import DataError, Unanswered, UsageError
from mmbench.harness.media.pixels import Pixels, digest_of
from mmbench.harness.models.abilities import Generation
from mmbench.harness.store.remembered import remembered_digest

T = TypeVar("T")

VERSION = 1
_SHOWN = 40
"""Characters that are shown of a text that was not recorded."""


class Replay:
    """Recorded answers of another model. Its abilities are those of which the file holds answers.

    Whatever was not recorded raises Unanswered, so that its item is an error. Raises DataError for a file that cannot
    be used.
    """

    prepares_once = True
    parameters = None

    def __init__(self, path: Path) -> None:
        pictures = Pictures(path.parent)
        self._name = path.name
        self._held = held = read_recording(path, pictures)
        try:
            told = digest_json([remembered_digest(path), pictures.identity])
        except OSError as error:
            raise DataError(f"{path.name} cannot be read ({error})") from error
        self.fingerprint = f"replay@{VERSION} {told}"
        self.takes_text_alone = held.text_alone
        self.notes = [f"answers replayed from {path.name}"]
        self.embed_images: Callable[[list[str]], npt.NDArray[np.float32]] | None = None
        self.embed_texts: Callable[[list[str]], npt.NDArray[np.float32]] | None = None
        self.score_texts: Callable[[list[tuple[list[str], str, list[str]]]], list[list[float]]] | None = None
        self.generate: Callable[[list[tuple[list[str], str]], Generation], list[str]] | None = None
        if len(held.images):
            self.embed_images = self._embed_images
        if len(held.texts):
            self.embed_texts = self._embed_texts
        if len(held.scores):
            self.score_texts = self._score_texts
        if len(held.replies):
            self.generate = self._generate

    def prepare_image(self, image: Pixels) -> str:
        """Return the digest of what a picture shows, by which its answers are found."""
        return digest_of(image)

    def _embed_images(self, images: list[str]) -> npt.NDArray[np.float32]:
        return self._vectors(self._held.images, images, "the vector of the picture")

    def _embed_texts(self, texts: list[str]) -> npt.NDArray[np.float32]:
        return self._vectors(self._held.texts, texts, "the vector of the text")

    def _vectors(self, answers: Answers[str, Vector], asked: Sequence[str], what: str) -> npt.NDArray[np.float32]:
        return np.stack([_found(answers.find(each), f"{what} '{_cut(each)}'", self._name) for each in asked])

    def _score_texts(self, items: list[tuple[list[str], str, list[str]]]) -> list[list[float]]:
        found = [self._held.scores.find((tuple(shown), prompt, tuple(texts))) for shown, prompt, texts in items]
        what = [f"the scores of {len(texts)} texts after {_asked(shown, prompt)}" for shown, prompt, texts in items]
        return [list(_found(each, said, self._name)) for each, said in zip(found, what, strict=True)]

    def _generate(self, prompts: list[tuple[list[str], str]], settings: Generation) -> list[str]:
        return [
            _found(
                self._held.reply(tuple(shown), prompt, settings),
                f"the reply to {_asked(shown, prompt)} with {_told(settings)}",
                self._name,
            )
            for shown, prompt in prompts
        ]


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> Replay:
    """Return the recording that `replay:FILE` names; device, dtype and network do not matter to it.

    Raises UsageError where there is no such file, and DataError where it is no recording.
    """
    if not rest:
        raise UsageError("replay: needs a file, as in replay:answers.jsonl; see docs/adapters.md")
    path = Path(rest).expanduser()
    if not path.exists():
        raise UsageError(f"replay:{rest}: there is no such file")
    return Replay(path)


def _found(answer: T | None, what: str, file: str) -> T:
    if answer is None:
        raise Unanswered(f"{what} is not recorded in {file}")
    return answer


def _asked(shown: Sequence[str], prompt: str) -> str:
    pictures = f"{len(shown)} pictures" if len(shown) > 1 else f"picture {shown[0]}" if shown else "no picture"
    return f"'{_cut(prompt)}' and {pictures}"


def _told(settings: Generation) -> str:
    stop = f", stop {list(settings.stop)}" if settings.stop else ""
    return f"max_tokens {settings.max_tokens}, temperature {settings.temperature:g}{stop}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
