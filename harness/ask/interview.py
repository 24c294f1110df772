"""Interview: every question to a model passes through here to the store, with the pictures that it may show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from mmbench.harness.ask.controls import GREY, Control
from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import AdapterError, DataError, DoesNotFit, MmbenchError, NoPicture, Unreadable, Unsupported
from mmbench.harness.media.crop import Region, crop
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Medium, Video
from mmbench.harness.models.abilities import (
    Ability,
    Adapter,
    ImageVectors,
    KnowsCutAnswers,
    KnowsTruncation,
    TakesTextAlone,
    abilities,
)
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.store.store import AnswerStore
from mmbench.harness.types import Failure, Option, Overlong, Sample

Fits = Literal["any", "read", "uncut"]
"""What all questions of an exam must: nothing; be read by the model to the end; and have no text that it cuts."""

_SHOWN = 40
"""Characters that are shown of a text that does not fit."""


class Interview:
    """One model behind the store, and the control under which it is asked; nothing of it changes."""

    def __init__(
        self,
        name: str,
        adapter: Adapter,
        store: AnswerStore,
        engine: Engine,
        fingerprint: str,
        control: Control | None = None,
        fits: Fits = "any",
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.able: frozenset[Ability] = abilities(adapter)
        self.text_alone = isinstance(adapter, TakesTextAlone) and adapter.takes_text_alone
        """True where it answers without a picture, by likelihood or in writing."""
        self._ignores = self.text_alone and bool(getattr(adapter, "ignores_pictures", False))
        self.control = control
        """Where there is one, samples show other pictures than their own."""
        self._fits = fits
        self._adapter = adapter
        self._store = store
        self._engine = engine

    def under(self, control: Control | None, fits: Fits = "any") -> "Interview":
        """Return the same model under another control, and with another demand on its questions."""
        return Interview(self.name, self._adapter, self._store, self._engine, self.fingerprint, control, fits)

    def ask(self, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        """Yield the answer to each question, in order; all of one kind. Raises DoesNotFit where all must fit."""
        asked = map(self._uncut, questions) if self._fits == "uncut" else questions
        for value in self._store.ask(self._engine, self.fingerprint, asked):
            if isinstance(value, Overlong) and self._fits != "any":
                raise DoesNotFit(value.message)
            yield value

    def _uncut(self, question: Question) -> Question:
        """Return a question. Raises DoesNotFit where the adapter tells that it would cut a text of it."""
        texts = list(question.texts)
        if question.kind is TEXT and isinstance(self._adapter, KnowsTruncation):
            cut = next((text for text, flag in zip(texts, self._adapter.truncates(texts), strict=True) if flag), None)
        elif question.kind is SCORE and isinstance(self._adapter, KnowsCutAnswers):
            cut = next((text for text in texts if self._adapter.cuts_answer(question.prompt, text)), None)
        else:
            return question
        if cut is not None:
            whole = f"{question.prompt} {cut}".strip()
            raise DoesNotFit(f"a text of {len(whole):,} characters would be cut ('{whole[:_SHOWN]}…')")
        return question

    def expect(self, inputs: int) -> None:
        """Tell that so many inputs are to come besides the items."""
        self._store.expect(inputs)

    def pictures(self, sample: Sample) -> tuple[Medium, ...]:
        """Return what the sample shows, at least one picture. Raises NoPicture where it has none."""
        if not sample.media:
            raise NoPicture(f"item {sample.id} has no picture for {self.name} to look at")
        return self.control.media(sample) if self.control else sample.media

    def pictures_if_any(self, sample: Sample) -> tuple[Medium, ...]:
        """Return what the sample shows to a model that may take text alone. Raises Unsupported where it does not."""
        if self.text_alone and (self.shows_nothing or not sample.media):
            return ()
        return self.pictures(sample)

    def marked(self, sample: Sample, prompt: str) -> str:
        """Return a prompt with what stands before it, where clips do: whole, or as so many pictures."""
        shown = self.pictures_if_any(sample)
        if not any(isinstance(medium, Video) for medium in shown):
            return prompt
        marks = []
        for place, medium in enumerate(shown):
            if isinstance(medium, Video):
                taken = medium.taken or getattr(sample.media[place], "taken", None)
                count = len(taken.indices) if taken else 0
                frames = f"{count} frame{'s' * (count != 1)}" if taken else "frames"
                marks.append(f"[clip of {frames}]" if self.told("takes_clips") is True else f"[{frames} as pictures]")
            else:
                marks.append("[picture]")
        return f"{' '.join(marks)}\n{prompt}"

    def crops(self, sample: Sample, regions: Sequence[Region]) -> Iterator[tuple[Image, ...]]:
        """Yield what is shown for each region of the sample's one picture. Raises Unsupported for another number."""
        first, *others = self.pictures(sample)
        if others or not isinstance(first, Image):
            raise Unsupported(f"regions are of one picture; item {sample.id} shows another thing")
        picture = first.kept()  # decoded once for all of them
        for region in regions:
            yield () if self.shows_nothing else (crop(picture, region),)

    def one_by_one(self, sample: Sample) -> Iterator[tuple[Medium, ...]]:
        """Yield what is shown for each picture of the sample alone. Raises Unsupported where it has none."""
        for image in self.pictures(sample):
            yield () if self.shows_nothing else (image,)

    def known(self, questions: Sequence[Question]) -> list[bool]:
        """Return which of these questions were answered before."""
        return [self._store.remembers(self.fingerprint, question) for question in questions]

    @property
    def parameters(self) -> int | None:
        """The model's number of weights; None where it does not tell, or was never loaded."""
        return self._store.parameters(self.fingerprint, self.told("parameters"))

    def told(self, name: str) -> Any:
        """Return what the model tells of itself under this name; None where it does not."""
        return self._engine.told(name)

    @property
    def shows_nothing(self) -> bool:
        """True when blindness, the control's or the model's own, means no picture at all."""
        return self._ignores or (self.text_alone and self.control is not None and self.control.name == "blind")

    def without(self, images: tuple[Medium, ...]) -> tuple[Medium, ...]:
        """Return what a blind model is shown in place of `images`."""
        return () if self.text_alone else (GREY,) * len(images)


def vector(value: Value) -> Floats:
    """Return an answer as (d,) float64; of a picture that in the space shared with texts."""
    return np.asarray(value.embedding if isinstance(value, ImageVectors) else value, dtype=np.float64)


def options_of(sample: Sample, options: Sequence[Option] | None) -> Sequence[Option]:
    """Return the options that all samples share, or the sample's own. Raises DataError where there are none."""
    found = sample.options if options is None else options
    if not found:
        raise DataError(f"item {sample.id} has no options to choose from")
    return found


def failure_in(values: Iterable[object]) -> Failure | None:
    """Return the first failure, if any: an answer made of several parts fails with one of them."""
    return next((value for value in values if isinstance(value, Failure)), None)


def gallery(samples: Sequence[Sample], failures: Mapping[int, Failure]) -> tuple[list[str], list[list[int]]]:
    """Return the texts of the samples that did not fail, and for each such sample the positions of its own."""
    texts: list[str] = []
    owned: list[list[int]] = []
    for i, sample in enumerate(samples):
        if i not in failures:
            owned.append(list(range(len(texts), len(texts) + len(sample.references))))
            texts.extend(sample.references)
    return texts, owned


def distinct(samples: Sequence[Sample], failures: Mapping[int, Failure]) -> tuple[list[Sample], list[int]]:
    """Return the samples with those of equal pictures made one, which has the texts of all, and the place of each.

    Of equal pictures that could be asked in one place and not in another the one that could stands for them.
    """
    places: dict[str, list[int]] = {}
    for place, sample in enumerate(samples):
        places.setdefault(_content(sample), []).append(place)
    merged, taken = [], []
    for alike in places.values():
        texts = tuple(text for place in alike for text in samples[place].references)
        merged.append(replace(samples[alike[0]], references=texts))
        taken.append(next((place for place in alike if place not in failures), alike[0]))
    return merged, taken


def _content(sample: Sample) -> str:
    try:
        return " ".join(image.digest for image in sample.media)
    except Unreadable:
        return f"unreadable {sample.locator}"


def nothing_left(samples: Sequence[Sample], failures: Mapping[int, Failure]) -> MmbenchError:
    """Return the error for a gallery without pictures."""
    if not samples:
        return DataError("there are no pictures to search among")
    return AdapterError(f"none of the {len(samples)} pictures could be asked; the first: {failures[0].message}")
