"""Parcels: questions on their way to a worker, with their pictures as paths, bytes, drawings or pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mmbench.harness.engine.question import Question
from mmbench.harness.media.image import Content, Drawing, Encoded, Raw, encoded
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.regular import read_regular


@dataclass(frozen=True, slots=True)
class Filed:
    """A picture in a file that the worker may have at the same path."""

    path: Path
    locator: str
    digest: str

    def content(self) -> Content | None:
        """Return what the file holds here; None where it is not there, or is another picture."""
        try:
            found = encoded(read_regular(self.path), self.locator, self.path)
        except OSError:
            return None
        return found if found.digest == self.digest else None


@dataclass(frozen=True, slots=True)
class Carried:
    """A picture that is sent: its encoded bytes, its pixels, or what it is drawn from."""

    decode: Callable[[], Pixels]
    digest: str
    nbytes: int

    def content(self) -> Content:
        """Return the picture."""
        return Content(self.digest, self.nbytes, self.decode)


Picture: TypeAlias = Filed | Carried


@dataclass(frozen=True, slots=True)
class Parcel:
    """One question without its pictures, and these beside it."""

    question: Question
    pictures: tuple[Picture, ...]

    def opened(self) -> Question | None:
        """Return the question with its pictures; None where one is not here."""
        if not self.pictures:
            return self.question
        contents = [picture.content() for picture in self.pictures]
        found = tuple(content for content in contents if content is not None)
        return replace(self.question, contents=found) if len(found) == len(contents) else None

    def folders(self) -> set[Path]:
        """Return where its pictures are looked for."""
        return {picture.path.parent for picture in self.pictures if isinstance(picture, Filed)}


def packed(question: Question, shared: Callable[[Path], bool]) -> Parcel:
    """Return a question to be sent; its pictures by their paths where `shared` says so of their folder.

    Raises Unreadable, or what drawing a picture raises, where it must be drawn here and cannot be.
    """
    pictures = tuple(_picture(content, shared) for content in question.contents)
    return Parcel(replace(question, contents=()) if pictures else question, pictures)


def _picture(content: Content, shared: Callable[[Path], bool]) -> Picture:
    made = content.decode
    if isinstance(made, Encoded):
        if made.path is not None and shared(made.path.parent):
            return Filed(made.path.absolute(), made.locator, content.digest)
        return Carried(Encoded(made.data, made.locator, made.path), content.digest, content.nbytes)
    if isinstance(made, Raw) or _is_ours(made):
        return Carried(made, content.digest, content.nbytes)
    pixels = np.asarray(made())
    return Carried(Raw(pixels), content.digest, pixels.nbytes)


def _is_ours(made: Callable[[], Pixels]) -> bool:
    """Tell whether a drawing is made of parameters by a function that every worker has."""
    if isinstance(made, Drawing):
        return made.parent is None and _has_name(made.operation)
    return isinstance(made, partial) and _has_name(made.func) and all(isinstance(a, bytes | str) for a in made.args)


def _has_name(function: Any) -> bool:
    module, name = str(getattr(function, "__module__", "")), str(getattr(function, "__qualname__", "<"))
    return module.startswith("mmbench.") and "<" not in name


def nbytes_of(questions: Sequence[Question]) -> int:
    """Return the bytes that the pictures of questions hold."""
    return sum(content.nbytes for question in questions for content in question.contents)
