"""Subject: a model under test, asked a few kinds of questions by the route that its abilities allow."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from zlib import crc32

import numpy as np

from mmbench.harness.ask.controls import CONTROLS, Control
from mmbench.harness.ask.examinee import Answer, Answers, Choice, Examinee, Located, Scale, Similarity, Verb
from mmbench.harness.ask.interview import Fits, Interview
from mmbench.harness.ask.routes.embed import EmbedRoute
from mmbench.harness.ask.routes.generate import GenerateRoute
from mmbench.harness.ask.routes.likelihood import LikelihoodRoute
from mmbench.harness.ask.routes.tune import MOST_MINUTES, TuningRoute
from mmbench.harness.ask.wording import DEFAULT, Wording
from mmbench.harness.both import both
from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.question import Question, Tuning
from mmbench.harness.errors import Unsupported
from mmbench.harness.media.crop import Region
from mmbench.harness.models.abilities import Ability, Adapter, ImageVectors, did_you_mean, misspelt
from mmbench.harness.models.places import Places, places_of
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import tie_width
from mmbench.harness.store.store import AnswerStore
from mmbench.harness.types import Failure, Option, Route, RouteTaken, Sample

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
    "locate": {
        "generate": frozenset({"generate"}),
        "embed": frozenset({"embed_images", "embed_texts"}),
        "likelihood": frozenset({"score_texts"}),
    },
    "similarity": {"embed": frozenset({"embed_images", "embed_texts"}), "likelihood": frozenset({"score_texts"})},
    "within": {"embed": frozenset({"embed_images", "embed_texts"}), "likelihood": frozenset({"score_texts"})},
    "features": {"embed": frozenset({"embed_images"})},
}
"""Which abilities each route of each verb needs."""


def choose_route(
    model: str,
    verb: Verb,
    preferred: Sequence[Route],
    able: frozenset[Ability],
    pinned: Route | None = None,
    near: Callable[[], Mapping[Ability, str]] = dict,
) -> Route:
    """Return the first preferred route whose abilities are all there.

    Raises Unsupported that names what is missing, and methods of the model whose names come near it (`near`).
    """
    possible = [route for route in ([pinned] if pinned else preferred) if route in NEEDS[verb]]
    for route in possible:
        if NEEDS[verb][route] <= able:
            return route
    if not possible:
        wanted = pinned or " or ".join(preferred)
        known = ", ".join(NEEDS[verb])
        step = f"leave out --route {pinned}" if pinned else f"name one of {known} in the task's 'routes'"
        raise Unsupported(f"{verb} cannot be asked by {wanted}, only by {known}", step=step)
    wanted = " or ".join(" and ".join(sorted(NEEDS[verb][route] - able)) for route in possible)
    lacking = frozenset().union(*(NEEDS[verb][route] - able for route in possible))
    named = {ability: name for ability, name in near().items() if ability in lacking}
    step = "" if not pinned else f"leave out --route {pinned}, or ask another model"
    step = step or (f"call it {', '.join(named)} in the adapter, and run again" if named else "")
    other = next((route for route in NEEDS[verb] if route not in possible and NEEDS[verb][route] <= able), None)
    step = step or (f"it can be asked with --route {other}" if other else "")
    raise Unsupported(f"{verb} needs {wanted}; {model} has none{did_you_mean(named)}", step=step)


class Subject:
    """A model asked through the store; nothing of it changes, `sit` gives the same model for another exam.

    Verbs take iterables and give iterators in the same order; pictures in memory never exceed the engine's queue.
    """

    def __init__(
        self,
        name: str,
        adapter: Adapter,
        store: AnswerStore,
        engine: Engine,
        *,
        pinned: Route | None = None,
        fingerprint: str | None = None,
        scorer: Examinee | None = None,
        most_minutes: float = MOST_MINUTES,
        tell: Callable[[str], None] = lambda message: None,
        dry: bool = False,
    ) -> None:
        # Taken once: of a model in memory it is computed from all its weights, and it must not change within a run.
        identity = adapter.fingerprint if fingerprint is None else fingerprint
        self.scorer = scorer
        self.dry = dry
        self.pinned = pinned
        """The only route, where there is one."""
        self.adapter = adapter
        """Whatever answers."""
        self._limits = (None if dry else most_minutes, tell)
        self._open(Interview(name, adapter, store, engine, identity), ("embed", "likelihood", "generate"))

    def _open(self, interview: Interview, preferred: Sequence[Route]) -> None:
        self._interview = interview
        self._preferred = preferred
        self._embed = EmbedRoute(interview)
        self._likelihood = LikelihoodRoute(interview)
        self._generate = GenerateRoute(interview)
        self._tuning = TuningRoute(interview, self.adapter, *self._limits)

    def sit(self, preferred: Sequence[Route], control: Control | None = None, fits: Fits = "any") -> "Subject":
        """Return the same model for one exam: a task's routes in order of preference, and the control it is under.

        Where its questions must fit (`fits`), a verb raises DoesNotFit at the first that does not.
        """
        made = copy(self)
        made._open(self._interview.under(control, fits), preferred)
        return made

    @property
    def name(self) -> str:
        """Label."""
        return self._interview.name

    @property
    def fingerprint(self) -> str:
        """Identity of weights, preprocessing, tokenizer and dtype."""
        return self._interview.fingerprint

    @property
    def parameters(self) -> int | None:
        """The model's number of weights; None where it does not tell, or was never loaded."""
        return self._interview.parameters

    @property
    def notes(self) -> tuple[str, ...]:
        """What the adapter has a reader of its scores know; nothing where its `notes` are no list of texts."""
        notes = self._interview.told("notes")
        return tuple(note for note in notes if isinstance(note, str)) if isinstance(notes, (list, tuple)) else ()

    @property
    def asked_for(self) -> str | None:
        """Name by which the adapter asks a service for the model; None where it asks none."""
        name = self._interview.told("asked_for")
        return name if isinstance(name, str) else None

    @property
    def looks(self) -> bool:
        """True where the items' own pictures are shown."""
        return self._interview.control is None

    @property
    def able(self) -> frozenset[Ability]:
        """What the model can do."""
        return self._interview.able

    @property
    def places(self) -> Places:
        """By which convention the model writes boxes and points. Raises AdapterError where it declares none that is."""
        return places_of(self.name, self.adapter)

    def control_by(self, route: RouteTaken) -> str | None:
        """Return the id of the control: `blind` shows a grey picture, `blind:none` none at all."""
        held = self._interview.control
        if held is None:
            return None
        nothing = self._interview.shows_nothing and route != "embed" and held.name in CONTROLS
        return "blind:none" if nothing else held.name

    def scale(self) -> Scale | None:
        """Return what makes logits of the cosines; None where the model does not tell. Raises AdapterError."""
        return self._embed.scale()

    def choose(
        self, samples: Iterable[Sample], options: Sequence[Option] | None = None, wording: Wording = DEFAULT
    ) -> Answers[Choice]:
        """Give a choice for each sample among `options`, or among its own where that is None."""
        route = self.route("choose")
        by = self._generate if route == "generate" else self._ranking(route)
        return Answers(route, by.choose(samples, options, wording))

    def answer(self, samples: Iterable[Sample], candidates: Sequence[str], wording: Wording) -> Answers[Answer]:
        """Give an answer in words: written, or the likeliest of `candidates`.

        Among candidates that tie one is drawn by the item's id, so that a collapsed model answers at random.
        Raises Unsupported where answers must be ranked and there are no candidates.
        """
        route = self.route("answer")
        if route == "generate":
            return Answers(route, self._generate.answer(samples, wording))
        if not candidates:
            raise Unsupported("answer by ranking needs 'candidates'; the task has none")
        return Answers(route, self._pick(route, samples, candidates, wording))

    def locate(
        self,
        samples: Iterable[Sample],
        regions: Callable[[Sample], Sequence[Region]],
        wording: Wording,
        *,
        readable: bool = True,
    ) -> Answers[Located]:
        """Give where the thing of each question is: written, or the region whose crop fits the question best.

        Among regions that tie one is drawn by the item's id. Where no reply could be read (`readable`) it is only
        written if the model can do nothing else.
        """
        route = self.route("locate")
        ranking = [each for each in self._preferred if each != "generate" and NEEDS["locate"][each] <= self.able]
        if route == "generate" and not readable and self.pinned is None and ranking:
            route = ranking[0]
        if route == "generate":
            return Answers(route, self._generate.locate(samples, wording))
        return Answers(route, self._among(route, samples, regions, wording))

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Rank all texts for each picture and all pictures for each text; a sample's references are its texts."""
        return self._ranking(self.route("similarity")).similarity(samples)

    def within(self, samples: Iterable[Sample], wording: Wording) -> Answers[Floats | Failure]:
        """Give (pictures, texts) scores of each sample's own pictures and its references."""
        route = self.route("within")
        return Answers(route, self._ranking(route).within(samples, wording))

    def features(self, samples: Iterable[Sample]) -> Answers[ImageVectors | Failure]:
        """Give the vectors of each sample's one picture; a model that gives one kind has it for both."""
        return Answers(self.route("features"), self._embed.features(samples))

    def foreseen(self, verb: Verb, samples: Iterable[Sample]) -> Iterator[Question] | None:
        """Return questions that this verb will put about the samples' pictures; None where it puts others.

        Raises Unsupported where it cannot be asked.
        """
        if self.route(verb) != "embed" or verb == "locate":
            return None
        return self._embed.foreseen(samples)

    def prototypes(self, options: Sequence[Option]) -> Floats:
        """Return (options, d) unit vectors: each option's phrasings embedded, normalised, averaged, normalised again.

        The order of operations is that of Radford et al. 2021 (CLIP), section 3.1.4.
        """
        return self._embed.prototypes(options)

    def tuned(self, tunings: Sequence[Tuning]) -> Iterator[Floats]:
        """Yield (classes, d) class vectors of the prompts that are learnt; their time is told first."""
        return self._tuning.tuned(tunings)

    def route(self, verb: Verb) -> Route:
        """Return the route by which a verb is asked. Raises Unsupported where there is none."""
        able = self._interview.able
        if "embed_videos" in able:
            able |= {"embed_images"}  # a picture is a clip of one frame
        return choose_route(self.name, verb, self._preferred, able, self.pinned, self._near)

    def _near(self) -> Mapping[Ability, str]:
        return misspelt(self.adapter)

    def _ranking(self, route: Route) -> EmbedRoute | LikelihoodRoute:
        return self._embed if route == "embed" else self._likelihood

    def _among(
        self, route: Route, samples: Iterable[Sample], regions: Callable[[Sample], Sequence[Region]], wording: Wording
    ) -> Iterator[Located]:
        seen, asked = both(samples)
        fits = self._ranking(route).fits(asked, regions, wording)
        for sample, scores in zip(seen, fits, strict=True):
            if isinstance(scores, Failure):
                yield Located(Answer("error", None, scores.message))
            else:
                yield Located(Answer("ok", None), _best(scores, sample.id))

    def _pick(
        self, route: Route, samples: Iterable[Sample], candidates: Sequence[str], wording: Wording
    ) -> Iterator[Answer]:
        options = [Option(candidate, (candidate,)) for candidate in candidates]
        seen, asked = both(samples)
        for sample, choice in zip(seen, self._ranking(route).choose(asked, options, wording), strict=True):
            text = None if choice.scores is None else candidates[_best(choice.scores, sample.id)]
            yield Answer(choice.status, text, choice.message)


def _best(scores: Floats, key: str) -> int:
    """Return the place of the best score; of those that tie one is drawn by `key`."""
    best = float(scores.max())
    tied = np.flatnonzero(scores >= best - tie_width(best))
    return int(tied[crc32(key.encode()) % len(tied)])
