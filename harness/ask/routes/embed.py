"""Embed route: pictures and texts as vectors of one space, compared by cosine."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mmbench.harness.ask.examinee import Choice, Scale, Similarity
from mmbench.harness.ask.interview import Interview, distinct, failure_in, gallery, nothing_left, options_of, vector
from mmbench.harness.ask.wording import Wording
from mmbench.harness.both import both
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.scale import SCALE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.kinds.video import VIDEO
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import AdapterError, DataError, Unreadable, Unsupported
from mmbench.harness.media.crop import Region
from mmbench.harness.media.video import Medium, Video, pictures_of
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.nearest import nearest
from mmbench.harness.numerics.rank_stream import count_ranks
from mmbench.harness.types import Failure, Option, Sample

_BLOCK = 64
"""Pictures that are compared with the prototypes in one product."""

_BLOCK_BYTES = 64 << 20
"""Of files that the items of a block hold in memory, from which on it has no more."""

_FEW = 64
"""Questions whose prototypes are held at once."""


_T = TypeVar("_T")


class EmbedRoute:
    """Verbs of a model with `embed_images` and `embed_texts`."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview

    def scale(self) -> Scale | None:
        """Return the model's own factor and bias; None where it has none. Raises AdapterError for what is no number."""
        (value,) = self._interview.ask([Question(SCALE)])
        if isinstance(value, Failure):
            raise AdapterError(f"{self._interview.name} gives no logits: {value.message}")
        factor, bias = vector(value)
        return None if np.isnan(factor) else Scale(float(factor), float(bias))

    def prototypes(self, options: Sequence[Option]) -> Floats:
        """Return (options, d) unit vectors: each option's phrasings embedded, normalised, averaged, normalised again.

        The order of operations is that of Radford et al. 2021 (CLIP), section 3.1.4.
        """
        if "embed_texts" not in self._interview.able:
            raise Unsupported(f"prototypes need embed_texts; {self._interview.name} has none")
        if not options:
            raise DataError("there are no options to choose from")
        texts = (text for option in options for text in option.phrasings)
        self._interview.expect(sum(len(option.phrasings) for option in options))
        vectors = self._vectors_of_texts(texts)
        return np.stack([_unit(_mean([next(vectors) for _ in option.phrasings])) for option in options])

    def choose(self, samples: Iterable[Sample], options: Sequence[Option] | None, wording: Wording) -> Iterator[Choice]:
        """Yield the cosine of each picture to the prototype of each option."""
        shared: dict[str, Floats] = {}
        if options is not None and not wording.mentions_question:
            # Before any picture is asked: without these vectors none can be scored.
            shared[""] = self.prototypes([_worded(option, "", wording) for option in options])
        seen, asked = both(samples)
        values = self._look(self._only_medium(sample) for sample in asked)
        for block in _blocks(zip(seen, values, strict=True), lambda pair: pair[0].held):
            if options is None:
                own = [_worded(o, sample.question, wording) for sample, _ in block for o in options_of(sample, None)]
                ends = np.cumsum([len(sample.options) for sample, _ in block])
                for (_, value), prototypes in zip(block, np.split(self.prototypes(own), ends[:-1]), strict=True):
                    yield from self._cosines(prototypes, [value])
                continue
            for question, group in groupby(block, lambda pair: pair[0].question if wording.mentions_question else ""):
                if question not in shared:
                    if len(shared) >= _FEW:
                        shared.clear()
                    shared[question] = self.prototypes([_worded(option, question, wording) for option in options])
                yield from self._cosines(shared[question], [value for _, value in group])

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Rank by cosine; equal pictures stand in the gallery once."""
        held, asked = _held(samples)
        values = self._look(self._only_medium(sample) for sample in asked)
        vectors: list[npt.NDArray[np.float32] | Failure] = []
        for i, value in enumerate(values):
            vectors.append(value if isinstance(value, Failure) else _unit(vector(value)).astype(np.float32))
            held[i] = held[i].without_pixels()
        lost = {i: value for i, value in enumerate(vectors) if isinstance(value, Failure)}
        held, taken = distinct(held, lost)
        failures = {i: lost[place] for i, place in enumerate(taken) if place in lost}
        left = [v for v in (vectors[place] for place in taken) if not isinstance(v, Failure)]
        if not left:
            raise nothing_left(held, failures)
        texts, owned = gallery(held, failures)
        self._interview.expect(len(texts))
        right = [each.astype(np.float32) for each in self._vectors_of_texts(texts)]
        self._check_space(left[0], right[0])
        pictures, captions = np.stack(left), np.stack(right)
        by_picture, by_text = count_ranks(pictures, captions, owned)
        before = (
            nearest(pictures, captions, by_picture.greater > 0),
            nearest(captions, pictures, by_text.greater > 0),
        )
        return Similarity("embed", held, failures, by_picture, by_text, before)

    def within(self, samples: Iterable[Sample], wording: Wording) -> Iterator[Floats | Failure]:
        """Yield the (pictures, texts) cosines of each sample."""
        seen, asked = both(samples)
        values = self._look((medium, sample.id) for sample in asked for medium in self._interview.pictures(sample))
        for block in _blocks(seen, lambda sample: sample.held):
            texts = [wording.embedded(sample.question, text) for sample in block for text in sample.references]
            vectors = iter(self.prototypes([Option(text, (text,)) for text in texts]))
            for sample in block:
                right = np.stack([next(vectors) for _ in sample.references])
                answers = [next(values) for _ in self._interview.pictures(sample)]
                if failure := failure_in(answers):
                    yield failure
                    continue
                left = np.stack(_units(value for value in answers if not isinstance(value, Failure)))
                self._check_space(left[0], right[0])
                yield left @ right.T

    def fits(
        self, samples: Iterable[Sample], regions: Callable[[Sample], Sequence[Region]], wording: Wording
    ) -> Iterator[Floats | Failure]:
        """Yield (regions,) cosines of the crops of each sample's picture to its question."""
        seen, asked = both(samples)
        crops = ((each, sample) for sample in asked for each in self._interview.crops(sample, regions(sample)))
        values = self._interview.ask(Question(IMAGE, each, item=sample.id) for each, sample in crops)
        for block in _blocks(seen, lambda sample: sample.held):
            texts = [wording.embedded(sample.question, "") for sample in block]
            vectors = self.prototypes([Option(text, (text,)) for text in texts])
            for sample, right in zip(block, vectors, strict=True):
                answers = [next(values) for _ in regions(sample)]
                if failure := failure_in(answers):
                    yield failure
                    continue
                left = np.stack(_units(value for value in answers if not isinstance(value, Failure)))
                self._check_space(left[0], right)
                yield left @ right

    def features(self, samples: Iterable[Sample]) -> Iterator[ImageVectors | Failure]:
        """Yield the vectors of each sample's one picture or clip; a model that gives one kind has it for both."""
        for value in self._look(self._only_medium(sample) for sample in samples):
            if isinstance(value, (Failure, ImageVectors)):
                yield value
            else:
                yield ImageVectors(np.asarray(value), np.asarray(value))

    def foreseen(self, samples: Iterable[Sample]) -> Iterator[Question]:
        """Yield the questions about single pictures that these samples will lead to, up to the first clip."""
        for sample in samples:
            for medium in self._interview.pictures(sample):
                if isinstance(medium, Video) or "embed_images" not in self._interview.able:
                    return
                yield Question(IMAGE, (medium,), item=sample.id)

    def _vectors_of_texts(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Yield unit vectors. A text that fails ends the task: every item would be scored against a broken gallery."""
        for value in self._interview.ask(Question(TEXT, texts=(text,)) for text in texts):
            if isinstance(value, Failure):
                raise AdapterError(f"{self._interview.name} cannot embed a text of this task: {value.message}")
            yield _unit(vector(value))

    def _cosines(self, prototypes: Floats, values: Sequence[Value | Failure]) -> Iterator[Choice]:
        """Yield the cosine of each picture to each prototype, from one product for the block."""
        units = _units(value for value in values if not isinstance(value, Failure))
        if units:
            self._check_space(units[0], prototypes[0])
        cosines = iter(np.stack(units) @ prototypes.T if units else ())
        for value in values:
            if isinstance(value, Failure):
                yield Choice("error", None, message=value.message)
            else:
                yield Choice("ok", next(cosines))

    def _check_space(self, picture: npt.NDArray[Any], text: npt.NDArray[Any]) -> None:
        if len(picture) != len(text):
            raise AdapterError(
                f"{self._interview.name} embeds a picture as {len(picture)} numbers and a text as {len(text)}; "
                "embed_images and embed_texts must share one space"
            )

    def _look(self, shown: Iterable[tuple[Medium, str]]) -> Iterator[Value | Failure]:
        """Yield the vectors of each medium, which is shown by the item of this id.

        Those of a clip are what `embed_videos` says of it; without it the mean of the unit vectors of its frames, each
        of which is asked as a picture, whatever task shows it.
        """
        media = iter(shown)
        first = next(media, None)
        if first is None:
            return
        able = self._interview.able
        if "embed_videos" in able and (isinstance(first[0], Video) or "embed_images" not in able):
            yield from self._interview.ask(
                Question(VIDEO, (medium,), item=item) for medium, item in chain([first], media)
            )
            return
        yield from self._means(chain([first], media))

    def _means(self, media: Iterable[tuple[Medium, str]]) -> Iterator[Value | Failure]:
        """Yield the vectors of each picture, and the mean of those of each clip's frames."""
        parts: deque[int | Failure] = deque()
        """Of each medium that is asked: 1 for a picture, less than 0 for the frames of a clip, or why it has none."""

        def questions() -> Iterator[Question]:
            for medium, item in media:
                try:
                    pictures = pictures_of(medium)
                except Unreadable as error:
                    parts.append(Failure(str(error)))
                    continue
                parts.append(-len(pictures) if isinstance(medium, Video) else 1)
                for picture in pictures:
                    yield Question(IMAGE, (picture,), item=item)

        values = self._interview.ask(questions())
        for value in values:
            while isinstance(part := parts[0], Failure):
                yield part
                parts.popleft()
            frames = [value, *islice(values, abs(part) - 1)]
            parts.popleft()
            yield value if part > 0 else _mean_frame(frames)
        while parts:
            left = parts.popleft()
            assert isinstance(left, Failure)  # noqa: S101 - every question was answered
            yield left

    def _only_medium(self, sample: Sample) -> tuple[Medium, str]:
        media = self._interview.pictures(sample)
        if len(media) != 1:
            raise Unsupported(f"the embed route takes one picture; item {sample.id} has {len(media)}")
        return media[0], sample.id


def _mean(vectors: Sequence[Floats]) -> Floats:
    return vectors[0] if len(vectors) == 1 else np.mean(vectors, axis=0)


def _mean_frame(values: Sequence[Value | Failure]) -> Value | Failure:
    """Return the mean of the unit vectors of a clip's frames, made unit, and the mean of their features."""
    if failure := failure_in(values):
        return failure
    mean = _unit(np.mean(_units(value for value in values if not isinstance(value, Failure)), axis=0))
    features = [value.features for value in values if isinstance(value, ImageVectors)]
    return ImageVectors(mean, np.stack(features).mean(axis=0)) if features else mean


def _unit(given: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return _divided(given)


def _units(values: Iterable[Value]) -> list[Floats]:
    """Return the unit vector of each; to silence NumPy takes longer than to make one of them."""
    with np.errstate(over="ignore"):
        return [_divided(vector(value)) for value in values]


def _divided(given: Floats) -> Floats:
    norm = math.sqrt(given @ given)
    if not 1e-140 < norm < math.inf and (largest := float(np.abs(given).max())):  # its square has no number of its own
        return _divided(given / largest)
    return given / norm if norm else given


def _worded(option: Option, question: str, wording: Wording) -> Option:
    return Option(option.label, tuple(wording.embedded(question, text) for text in option.phrasings))


def _blocks(items: Iterable[_T], held: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Yield as many items at a time as are compared in one product."""
    block: list[_T] = []
    weight = 0
    for item in items:
        block.append(item)
        weight += held(item)
        if len(block) == _BLOCK or weight >= _BLOCK_BYTES:
            yield block
            block, weight = [], 0
    if block:
        yield block


def _held(samples: Iterable[Sample]) -> tuple[list[Sample], Iterator[Sample]]:
    """Return a list that fills as the returned iterator is consumed."""
    held: list[Sample] = []

    def passing() -> Iterator[Sample]:
        for sample in samples:
            held.append(sample)
            yield sample

    return held, passing()
