"""Vectors of a task's distinct pictures and texts, asked through the store as a run asks them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmbench.harness.ask.examinee import Scale
from mmbench.harness.ask.interview import distinct
from mmbench.harness.ask.subject import Subject
from mmbench.harness.errors import AdapterError, DataError, Unreadable, Unsupported, UsageError
from mmbench.harness.media.video import pictures_of
from mmbench.harness.models.abilities import ABILITIES, abilities, did_you_mean, misspelt
from mmbench.harness.models.models import Model
from mmbench.harness.render.figures import count
from mmbench.harness.tasks.described import class_options, descriptions, has_descriptions
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Failure, Option, Sample

Vectors = npt.NDArray[np.float32]
_AT_ONCE = 1024
"""Texts whose vectors are held in double precision."""


@dataclass(frozen=True, slots=True)
class Space:
    """Unit vectors of the distinct pictures and texts of a task."""

    pictures: Vectors
    """(n, d), of pictures that differ in content; of a clip what the model says of it whole."""
    texts: Vectors | None
    """(m, d), of texts that differ, or of classes, each the mean of its prompts; None where there are none."""
    kind: Literal["texts", "classes"]
    """What the texts are."""
    first: npt.NDArray[np.intp]
    """(n,) place of the first text of each picture; -1 where it has none."""
    owner: npt.NDArray[np.intp]
    """(m,) place of the first picture of each text; -1 for classes, which are no sample of anything."""
    scale: Scale | None
    """What makes logits of the cosines, where the model tells."""
    without_texts: str
    """Why there are no texts, in one sentence."""
    left_out: int
    """Pictures and clips that could not be read."""
    first_failure: str | None
    """Why, of the first of them."""

    @property
    def held_texts(self) -> int:
        """Number of texts."""
        return 0 if self.texts is None else len(self.texts)


def check_able(model: Model) -> None:
    """Raise Unsupported where a model makes no vectors of pictures; nothing is loaded."""
    able = abilities(model.adapter)
    if able & {"embed_images", "embed_videos"}:
        return
    own = ", ".join(name for name in ABILITIES if name in able)
    raise Unsupported(
        f"{model.label} makes no vectors, as it has no embed_images{did_you_mean(misspelt(model.adapter))}; "
        f"a diagnosis needs an encoder, such as tiny-coca or clip-vitb32{f' (this model has {own})' if own else ''}"
    )


def embedded(task: Task, subject: Subject, samples: Iterable[Sample]) -> Space:
    """Ask for the vectors of all pictures and texts.

    Raises UsageError for fewer than two pictures, AdapterError where the model gives no vector of one that can be read,
    and as the data and the model do.
    """
    held: list[Sample] = []
    vectors: list[Vectors | Failure] = []
    for value in subject.features(_single(task, samples, held)):
        place = len(vectors)
        if isinstance(value, Failure):
            if not _unreadable(held[place]):
                raise AdapterError(f"{subject.name} gives no vector of item {held[place].id}: {value.message}")
            vectors.append(value)
        else:
            vectors.append(_direction(np.asarray(value.embedding), f"item {held[place].id}", subject.name))
        held[place] = held[place].without_pixels()
    lost = {place: value for place, value in enumerate(vectors) if isinstance(value, Failure)}
    merged, taken = distinct(held, lost)
    shown = [(sample, vectors[place]) for sample, place in zip(merged, taken, strict=True) if place not in lost]
    if len(shown) < 2:
        why = f"; {lost[min(lost)].message}" if lost else ""
        found = count(len(shown), "distinct picture")
        raise UsageError(f"a space is seen in two pictures or more, and {task.reference} gives {found}{why}")
    pictures = np.stack([vector for _, vector in shown if not isinstance(vector, Failure)])
    options, first, owner = _texts(task, [sample for sample, _ in shown])
    without = _without(task, subject, options)
    texts = None
    if not without:
        texts = np.concatenate(list(_of_texts(subject, options)))
        if texts.shape[1] != pictures.shape[1]:
            raise AdapterError(
                f"{subject.name} embeds a picture as {pictures.shape[1]} numbers and a text as {texts.shape[1]}; "
                "embed_images and embed_texts must share one space"
            )
    return Space(
        pictures,
        texts,
        "texts" if has_descriptions(task.family) else "classes",
        first,
        owner,
        subject.scale(),
        without,
        len(lost),
        lost[min(lost)].message if lost else None,
    )


def _single(task: Task, samples: Iterable[Sample], held: list[Sample]) -> Iterator[Sample]:
    """Yield a sample of each picture and clip, with its true texts as references, and add it to `held`."""
    for sample in samples:
        if not sample.media:
            raise DataError(f"item {sample.id} of {task.reference} shows no picture; a diagnosis needs pictures")
        for place, texts in enumerate(descriptions(task.family, sample)):
            name = sample.id if len(sample.media) == 1 else f"{sample.id}#{place}"
            one = Sample(name, (sample.media[place],), references=texts)
            held.append(one)
            yield one


def _unreadable(sample: Sample) -> bool:
    try:
        for picture in pictures_of(sample.media[0]):
            picture.pil()
    except Unreadable:
        return True
    return False


def _direction(vector: npt.NDArray[np.floating], what: str, model: str) -> Vectors:
    """Return a vector at length 1. Raises AdapterError for one of zeros, which has no direction."""
    made = np.asarray(vector, np.float64)
    largest = float(np.abs(made).max(initial=0.0))
    if not largest:
        raise AdapterError(f"{model} gives {what} a vector of zeros, which has no direction")
    made = made / largest  # squares of very large or small numbers have no room
    return np.asarray(made / np.linalg.norm(made), np.float32)


def _texts(task: Task, shown: Sequence[Sample]) -> tuple[list[Option], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the distinct texts, the place of the first of each picture, and the first picture of each."""
    if not has_descriptions(task.family):
        options = class_options(task.family)
        return options, np.full(len(shown), -1, np.intp), np.full(len(options), -1, np.intp)
    places: dict[str, int] = {}
    owner: list[int] = []
    first = np.full(len(shown), -1, np.intp)
    for i, sample in enumerate(shown):
        for text in sample.references:
            if text not in places:
                places[text] = len(places)
                owner.append(i)
        if sample.references:
            first[i] = places[sample.references[0]]
    return [Option(text, (text,)) for text in places], first, np.array(owner, np.intp)


def _without(task: Task, subject: Subject, options: Sequence[Option]) -> str:
    if not options:
        return f"no text of {task.reference} says what a picture shows"
    return "" if "embed_texts" in subject.able else f"{subject.name} has no embed_texts"


def _of_texts(subject: Subject, options: Sequence[Option]) -> Iterator[Vectors]:
    for start in range(0, len(options), _AT_ONCE):
        part = options[start : start + _AT_ONCE]
        for option, vector in zip(part, made := subject.prototypes(part), strict=True):
            if not vector.any():
                raise AdapterError(
                    f"{subject.name} gives the text '{option.label[:40]}' a vector of zeros, which has no direction"
                )
        yield made.astype(np.float32)
