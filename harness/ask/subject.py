"""The model sitting the exam: a few questions, and for each the route that the model's abilities allow."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import tee
from typing import Literal
from zlib import crc32

import numpy as np

from mmbench.harness.ask.controls import Control
from mmbench.harness.ask.examinee import Answer, Choice, Examinee, Floats, Similarity, Verb
from mmbench.harness.ask.interview import Interview
from mmbench.harness.ask.routes.embed import EmbedRoute
from mmbench.harness.ask.routes.generate import GenerateRoute
from mmbench.harness.ask.routes.likelihood import LikelihoodRoute
from mmbench.harness.ask.routes.tune import MOST_MINUTES, TuningRoute
from mmbench.harness.ask.wording import DEFAULT, Asking
from mmbench.harness.digest import Json
from mmbench.harness.engine.local import Engine
from mmbench.harness.engine.question import Tuning
from mmbench.harness.errors import Unsupported
from mmbench.harness.models.abilities import Ability, Adapter, ImageVectors
from mmbench.harness.numerics.ranks import TIE
from mmbench.harness.store.store import Answers
from mmbench.harness.types import Failure, Option, Route, Sample

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
    "within": {
        "embed": frozenset({"embed_images", "embed_texts"}),
        "likelihood": frozenset({"score_texts"}),
    },
    "features": {"embed": frozenset({"embed_images"})},
}
"""Which abilities each route of each verb needs."""


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
        scorer: Examinee | None = None,
        most_minutes: float = MOST_MINUTES,
        tell: Callable[[str], None] = lambda message: None,
        dry: bool = False,
    ) -> None:
        self.name = name
        # Taken once: of a model in memory it is computed from all its weights, and it must not change within a run.
        self.fingerprint = adapter.fingerprint if fingerprint is None else fingerprint
        self.scorer = scorer
        self.notes: list[str] = []
        self.details: dict[str, Json] = {}
        self.dry = dry
        self.route: Route | Literal["recorded"] | None = None
        """The route of the last verb."""
        self.preferred: Sequence[Route] = ("embed", "likelihood", "generate")
        """The task's order of preference."""
        self._pinned = pinned
        self._adapter, self._store = adapter, store
        self._interview = Interview(name, adapter, store, engine, self.fingerprint)
        self._embed = EmbedRoute(self._interview)
        self._likelihood = LikelihoodRoute(self._interview)
        self._generate = GenerateRoute(self._interview)
        self._tuning = TuningRoute(self._interview, adapter, None if dry else most_minutes, tell)

    @property
    def parameters(self) -> int | None:
        """The model's number of weights; None where it does not tell, or was never loaded."""
        return self._store.parameters(self.fingerprint, getattr(self._adapter, "parameters", None))

    def put_under(self, control: Control | None) -> None:
        """From now on show what the control shows instead of the samples' own pictures; None: their own."""
        self._interview.control = control

    @property
    def control(self) -> str | None:
        """The id of the control: `blind` shows a grey picture, `blind:none` none at all."""
        held = self._interview.control
        if held is None:
            return None
        return "blind:none" if self._interview.shows_nothing and self.route != "embed" else held.name

    def choose(
        self, samples: Iterable[Sample], options: Sequence[Option] | None = None, asking: Asking = DEFAULT
    ) -> Iterator[Choice]:
        """Yield a choice for each sample among `options`, or among its own where that is None."""
        route = self._take("choose")
        if route == "embed":
            return self._embed.choose(samples, options, asking)
        if route == "likelihood":
            return self._likelihood.choose(samples, options, asking)
        return self._generate.choose(samples, options, asking)

    def answer(self, samples: Iterable[Sample], candidates: Sequence[str], asking: Asking) -> Iterator[Answer]:
        """Yield an answer in words: written, or the likeliest of `candidates`.

        Among candidates that tie one is drawn by the item's id, so that a collapsed model answers at random.
        Raises Unsupported where answers must be ranked and there are no candidates.
        """
        if self._take("answer") == "generate":
            return self._generate.answer(samples, asking)
        if not candidates:
            raise Unsupported("answer by ranking needs 'candidates'; the task has none")
        return self._pick(samples, candidates, asking)

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Rank all texts for each picture and all pictures for each text; a sample's references are its texts."""
        route = self._embed if self._take("similarity") == "embed" else self._likelihood
        return route.similarity(samples)

    def within(self, samples: Iterable[Sample], asking: Asking) -> Iterator[Floats | Failure]:
        """Yield (pictures, texts) scores of each sample's own pictures and its references."""
        route = self._embed if self._take("within") == "embed" else self._likelihood
        return route.within(samples, asking)

    def features(self, samples: Iterable[Sample]) -> Iterator[ImageVectors | Failure]:
        """Yield the vectors of each sample's one picture; a model that gives one kind has it for both."""
        self._take("features")
        return self._embed.features(samples)

    def prototypes(self, options: Sequence[Option]) -> Floats:
        """Return (options, d) unit vectors: each option's phrasings embedded, normalised, averaged, normalised again.

        The order of operations is that of Radford et al. 2021 (CLIP), section 3.1.4.
        """
        return self._embed.prototypes(options)

    def tuned(self, tunings: Sequence[Tuning]) -> Iterator[Floats]:
        """Yield (classes, d) class vectors of the prompts that are learnt; their time is told first."""
        return self._tuning.tuned(tunings)

    def _take(self, verb: Verb) -> Route:
        self.route = route = choose_route(self.name, verb, self.preferred, self._interview.able, self._pinned)
        return route

    def _pick(self, samples: Iterable[Sample], candidates: Sequence[str], asking: Asking) -> Iterator[Answer]:
        options = [Option(candidate, (candidate,)) for candidate in candidates]
        route = self._embed if self.route == "embed" else self._likelihood
        seen, asked = tee(samples)
        for sample, choice in zip(seen, route.choose(asked, options, asking), strict=True):
            text = None if choice.scores is None else candidates[_best(choice.scores, sample.id)]
            yield Answer(choice.status, text, choice.message)


def _best(scores: Floats, key: str) -> int:
    """Return the place of the best score; of those that tie one is drawn by `key`."""
    best = float(scores.max())
    tied = np.flatnonzero(scores >= best - TIE * max(1.0, abs(best)))
    return int(tied[crc32(key.encode()) % len(tied)])
