"""The model sitting the exam: four questions, and for each the route that the model's abilities allow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, tee
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.abilities import Ability, Adapter, Generation, ImageVectors, abilities
from mmbench.harness.conversation import Ask
from mmbench.harness.engine import Engine
from mmbench.harness.errors import AdapterError, DataError, MmbenchError, Unsupported
from mmbench.harness.media import Image
from mmbench.harness.rank_stream import count_ranks
from mmbench.harness.ranks import Ranks, rank_matrix
from mmbench.harness.replies import lettered, match_option
from mmbench.harness.requests import Value
from mmbench.harness.store import Answers
from mmbench.harness.task import Verb
from mmbench.harness.types import Failure, Option, Route, Sample, Status

Floats: TypeAlias = npt.NDArray[np.float64]

NEEDS: Mapping[Verb, Mapping[Route, frozenset[Ability]]] = {
    "choose": {
        "embed": frozenset({"embed_images", "embed_texts"}),
        "likelihood": frozenset({"score_texts"}),
        "generate": frozenset({"generate"}),
    },
    "answer": {
        "generate": frozenset({"generate"}),
        "likelihood": frozenset({"score_texts"}),
        "embed": frozenset({"embed_images", "embed_texts"}),
    },
    "similarity": {
        "embed": frozenset({"embed_images", "embed_texts"}),
        "likelihood": frozenset({"score_texts"}),
    },
    "features": {"embed": frozenset({"embed_images"})},
}
"""Which abilities each route of each verb needs."""

MOST_PAIRS = 1_000_000
"""Image-text pairs that `similarity` scores one by one at the most."""

_BLOCK = 64
"""Pictures that are compared with the prototypes in one product."""

ASK_WITH_OPTIONS = "{question}\n{options}\nAnswer with the letter of the right option only."


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model chose among options."""

    status: Status
    scores: Floats | None
    """(options,), higher is more likely; None where there is no choice. A written reply scores 1 for its option."""
    reply: str | None = None
    """The model's own words, on the generate route."""
    message: str | None = None
    """Why there is no choice."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered in words, its own or a candidate's."""

    status: Status
    text: str | None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Similarity:
    """Every picture against every text, as ranks only: the scores are never held as a whole."""

    samples: Sequence[Sample]
    """All that were asked, in order; their references are the texts."""
    failures: Mapping[int, Failure]
    """Position of each sample whose picture failed; it and its texts left queries and gallery."""
    image_to_text: Ranks
    """One row for each sample that did not fail."""
    text_to_image: Ranks
    """One row for each text of these samples, in order."""


def choose_route(
    model: str, verb: Verb, preferred: Sequence[Route], able: frozenset[Ability], pinned: Route | None = None
) -> Route:
    """Return the first preferred route whose abilities are all there. Raises Unsupported that names what is missing."""
    possible = [route for route in ([pinned] if pinned else preferred) if route in NEEDS[verb]]
    for route in possible:
        if NEEDS[verb][route] <= able:
            return route
    if not possible:
        wanted = pinned or " or ".join(preferred)
        raise Unsupported(f"{verb} cannot be asked by {wanted}, only by {', '.join(NEEDS[verb])}")
    wanted = " or ".join(" and ".join(sorted(NEEDS[verb][route] - able)) for route in possible)
    raise Unsupported(f"{verb} needs {wanted}; {model} has none")


class Subject:
    """A model asked through the store.

    Verbs take iterables and give iterators in the same order; pictures in memory never exceed the engine's queue.
    """

    def __init__(
        self,
        name: str,
        adapter: Adapter,
        store: Answers,
        engine: Engine,
        *,
        pinned: Route | None = None,
        fingerprint: str | None = None,
    ) -> None:
        self.name = name
        # Taken once: of a model in memory it is computed from all its weights, and it must not change within a run.
        self.fingerprint = adapter.fingerprint if fingerprint is None else fingerprint
        self.route: Route | None = None
        """The route of the last verb."""
        self.preferred: Sequence[Route] = ("embed", "likelihood", "generate")
        """The task's order of preference."""
        self._able = abilities(adapter)
        self._store = store
        self._engine = engine
        self._pinned = pinned

    def choose(self, samples: Iterable[Sample], options: Sequence[Option] | None = None) -> Iterator[Choice]:
        """Yield a choice for each sample among `options`, or among its own where that is None."""
        route = self._take("choose")
        if route == "embed":
            return self._choose_by_embedding(samples, options)
        if route == "likelihood":
            return self._choose_by_likelihood(samples, options)
        return self._choose_in_writing(samples, options)

    def answer(
        self, samples: Iterable[Sample], candidates: Sequence[Option], prompt: str, generation: Generation
    ) -> Iterator[Answer]:
        """Yield an answer in words: written after `prompt` (with `{question}`), or the likeliest of `candidates`."""
        if self._take("answer") == "generate":
            return self._write(samples, prompt, generation)
        if not candidates:
            raise Unsupported("answer by ranking needs candidates; the task has none")
        return self._pick(samples, candidates)

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Rank all texts for each picture and all pictures for each text; a sample's references are its texts."""
        if self._take("similarity") == "embed":
            return self._similarity_by_embedding(samples)
        return self._similarity_by_likelihood(samples)

    def features(self, images: Iterable[Image], *, projected: bool = True) -> Iterator[Floats | Failure]:
        """Yield a vector for each picture, before the projection into the shared space if so wished and possible."""
        self._take("features")
        for value in self._ask(Ask("image", (image,)) for image in images):
            yield value if isinstance(value, Failure) else _vector(value, projected=projected)

    def prototypes(self, options: Sequence[Option]) -> Floats:
        """Return (options, d) unit vectors: each option's phrasings embedded, normalised, averaged, normalised again.

        The order of operations is that of Radford et al. 2021 (CLIP), section 3.1.4.
        """
        if "embed_texts" not in self._able:
            raise Unsupported(f"prototypes need embed_texts; {self.name} has none")
        if not options:
            raise DataError("there are no options to choose from")
        texts = (text for option in options for text in option.phrasings)
        self._store.expect(sum(len(option.phrasings) for option in options))
        vectors = self._vectors_of_texts(texts)
        return np.stack([_unit(np.mean([next(vectors) for _ in option.phrasings], axis=0)) for option in options])

    def _take(self, verb: Verb) -> Route:
        self.route = choose_route(self.name, verb, self.preferred, self._able, self._pinned)
        return self.route

    def _ask(self, asks: Iterable[Ask]) -> Iterator[Value | Failure]:
        return self._store.ask(self._engine, self.fingerprint, asks)

    def _vectors_of_texts(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Yield unit vectors. A text that fails ends the task: every item would be scored against a broken gallery."""
        for value in self._ask(Ask("text", texts=(text,)) for text in texts):
            if isinstance(value, Failure):
                raise AdapterError(f"{self.name} cannot embed a text of this task: {value.message}")
            yield _unit(_vector(value))

    def _choose_by_embedding(self, samples: Iterable[Sample], options: Sequence[Option] | None) -> Iterator[Choice]:
        shared = self.prototypes(options) if options is not None else None
        seen, asked = tee(samples)
        values = self._ask(Ask("image", (self._only_picture(sample),)) for sample in asked)
        pairs = zip(seen, values, strict=True)
        while block := list(islice(pairs, _BLOCK)):
            if shared is not None:
                yield from self._cosines(shared, [value for _, value in block])
                continue
            own = self.prototypes([option for sample, _ in block for option in _options(sample, None)])
            ends = np.cumsum([len(sample.options) for sample, _ in block])
            for (_, value), prototypes in zip(block, np.split(own, ends[:-1]), strict=True):
                yield from self._cosines(prototypes, [value])

    def _cosines(self, prototypes: Floats, values: Sequence[Value | Failure]) -> Iterator[Choice]:
        """Yield the cosine of each picture to each prototype, from one product for the block."""
        units = [_unit(_vector(value)) for value in values if not isinstance(value, Failure)]
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
                f"{self.name} embeds a picture as {len(picture)} numbers and a text as {len(text)}; "
                "embed_images and embed_texts must share one space"
            )

    def _only_picture(self, sample: Sample) -> Image:
        if len(sample.media) != 1:
            raise Unsupported(f"the embed route takes one picture; item {sample.id} has {len(sample.media)}")
        return sample.media[0]

    def _choose_by_likelihood(self, samples: Iterable[Sample], options: Sequence[Option] | None) -> Iterator[Choice]:
        seen, asked = tee(samples)
        values = self._ask(
            Ask("score", sample.media, "", tuple(t for o in _options(sample, options) for t in o.phrasings))
            for sample in asked
        )
        for sample, value in zip(seen, values, strict=True):
            if isinstance(value, Failure):
                yield Choice("error", None, message=value.message)
                continue
            counts = [len(option.phrasings) for option in _options(sample, options)]
            parts = np.split(_vector(value), np.cumsum(counts)[:-1])
            yield Choice("ok", np.array([part.mean() for part in parts]))

    def _choose_in_writing(self, samples: Iterable[Sample], options: Sequence[Option] | None) -> Iterator[Choice]:
        seen, asked = tee(samples)

        def ask(sample: Sample) -> Ask:
            listed = lettered([option.label for option in _options(sample, options)])
            question = sample.question or "Which of these does the picture show?"
            prompt = ASK_WITH_OPTIONS.replace("{question}", question).replace("{options}", listed)
            return Ask("reply", sample.media, prompt, generation=Generation(max_tokens=16))

        for sample, value in zip(seen, self._ask(map(ask, asked)), strict=True):
            labels = [option.label for option in _options(sample, options)]
            yield _read_reply(value, labels)

    def _write(self, samples: Iterable[Sample], prompt: str, generation: Generation) -> Iterator[Answer]:
        asks = (
            Ask("reply", sample.media, prompt.replace("{question}", sample.question), generation=generation)
            for sample in samples
        )
        for value in self._ask(asks):
            if isinstance(value, Failure):
                yield Answer("error", None, value.message)
            else:
                yield Answer("ok", str(value))

    def _pick(self, samples: Iterable[Sample], candidates: Sequence[Option]) -> Iterator[Answer]:
        ranked = (
            self._choose_by_embedding(samples, candidates)
            if self.route == "embed"
            else self._choose_by_likelihood(samples, candidates)
        )
        for choice in ranked:
            text = None if choice.scores is None else candidates[int(np.argmax(choice.scores))].label
            yield Answer(choice.status, text, choice.message)

    def _similarity_by_embedding(self, samples: Iterable[Sample]) -> Similarity:
        held, asked = _held(samples)
        values = self._ask(Ask("image", (self._only_picture(sample),)) for sample in asked)
        vectors: list[npt.NDArray[np.float32] | Failure] = []
        for i, value in enumerate(values):
            vectors.append(value if isinstance(value, Failure) else _unit(_vector(value)).astype(np.float32))
            held[i] = replace(held[i], media=tuple(image.without_pixels() for image in held[i].media))
        failures = {i: value for i, value in enumerate(vectors) if isinstance(value, Failure)}
        left = [v for v in vectors if not isinstance(v, Failure)]
        if not left:
            raise _nothing_left(held, failures)
        texts, owned = _gallery(held, failures)
        self._store.expect(len(texts))
        right = [vector.astype(np.float32) for vector in self._vectors_of_texts(texts)]
        self._check_space(left[0], right[0])
        return Similarity(held, failures, *count_ranks(np.stack(left), np.stack(right), owned))

    def _similarity_by_likelihood(self, samples: Iterable[Sample]) -> Similarity:
        held = list(samples)
        every, _ = _gallery(held, {})
        pairs = len(held) * len(every)
        if pairs > MOST_PAIRS:
            raise Unsupported(f"similarity by likelihood would score {pairs:,} pairs, over the cap of {MOST_PAIRS:,}")
        values = list(self._ask(Ask("score", sample.media, "", tuple(every)) for sample in held))
        failures = {i: value for i, value in enumerate(values) if isinstance(value, Failure)}
        if len(failures) == len(held):
            raise _nothing_left(held, failures)
        stays = np.repeat([i not in failures for i in range(len(held))], [len(s.references) for s in held])
        scores = np.stack([_vector(value)[stays] for value in values if not isinstance(value, Failure)])
        return Similarity(held, failures, *rank_matrix(scores, _gallery(held, failures)[1]))


def _options(sample: Sample, options: Sequence[Option] | None) -> Sequence[Option]:
    own = sample.options if options is None else options
    if not own:
        raise DataError(f"item {sample.id} has no options to choose from")
    return own


def _nothing_left(samples: Sequence[Sample], failures: Mapping[int, Failure]) -> MmbenchError:
    if not samples:
        return DataError("there are no pictures to search among")
    return AdapterError(f"none of the {len(samples)} pictures could be asked; the first: {failures[0].message}")


def _vector(value: Value, *, projected: bool = True) -> Floats:
    if isinstance(value, ImageVectors):
        return np.asarray(value.embedding if projected else value.features, dtype=np.float64)
    return np.asarray(value, dtype=np.float64)


def _unit(vector: Floats) -> Floats:
    norm = float(np.sqrt(vector @ vector))
    return vector / norm if norm else vector


def _read_reply(value: Value | Failure, labels: Sequence[str]) -> Choice:
    if isinstance(value, Failure):
        return Choice("error", None, message=value.message)
    reply = str(value)
    index = match_option(reply, labels)
    if index is None:
        return Choice("unparsed", None, reply, "the reply names no option")
    scores = np.zeros(len(labels))
    scores[index] = 1.0
    return Choice("ok", scores, reply)


def _held(samples: Iterable[Sample]) -> tuple[list[Sample], Iterator[Sample]]:
    """Return a list that fills as the returned iterator is consumed."""
    held: list[Sample] = []

    def passing() -> Iterator[Sample]:
        for sample in samples:
            held.append(sample)
            yield sample

    return held, passing()


def _gallery(samples: Sequence[Sample], failures: Mapping[int, Failure]) -> tuple[list[str], list[list[int]]]:
    """Return the texts of the samples that did not fail, and for each such sample the positions of its own."""
    texts: list[str] = []
    owned: list[list[int]] = []
    for i, sample in enumerate(samples):
        if i not in failures:
            owned.append(list(range(len(texts), len(texts) + len(sample.references))))
            texts.extend(sample.references)
    return texts, owned
