"""Examinee: whatever answers a task, be it a model asked through the store or another system's predictions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

from mmbench.harness.ask.wording import DEFAULT, Wording
from mmbench.harness.engine.question import Tuning
from mmbench.harness.light import light
from mmbench.harness.media.crop import Region
from mmbench.harness.media.image import Image
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.models.places import Places
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import IntArray, Ranks
from mmbench.harness.types import Failure, Option, RouteTaken, Sample, Status

Verb = Literal["choose", "answer", "locate", "similarity", "within", "features"]
"""The question that a family puts."""

T = TypeVar("T")


class Scale(NamedTuple):
    """What makes logits of cosines: factor × cosine + bias."""

    factor: float
    bias: float = 0.0
    """Other than 0 of a model that was trained by a sigmoid of each pair: in a softmax it would cancel."""


class Answers(Iterator[T]):
    """Answers as they come, one for each sample in order, and the route by which they do."""

    def __init__(self, route: RouteTaken, given: Iterable[T]) -> None:
        self.route = route
        self._given = iter(given)

    def __next__(self) -> T:
        return next(self._given)


@light(frozen=True, slots=True)
class Choice:
    """What was chosen among options."""

    status: Status
    scores: Floats | None
    """(options,), higher is more likely; None where there is no choice. A written reply scores 1 for its option."""
    reply: str | None = None
    """The answer in words, where one was given instead of scores."""
    message: str | None = None
    """Why there is no choice; of a written reply, why it was read so."""
    raw: str | None = None
    """What was written or recorded, as it came; None where nothing was."""
    prompt: str | None = None
    """The words that were asked, where a reply was written to them."""


@light(frozen=True, slots=True)
class Answer:
    """What was answered in words, a model's own or a candidate's."""

    status: Status
    text: str | None
    """What is scored: the reply without its thoughts."""
    message: str | None = None
    raw: str | None = None
    """What was written or recorded, as it came; None where nothing was."""
    prompt: str | None = None
    """The words that were asked, where a reply was written to them."""


@light(frozen=True, slots=True)
class Located:
    """Where something is: written, or one of the regions that a sample proposes."""

    answer: Answer
    """What was written; of a region that was chosen the status alone."""
    region: int | None = None
    """0-based place of the region that was chosen."""
    picture: Image | None = None
    """What was looked at: the sample's own picture, or another under a control; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """Every picture against every text, as ranks only: the scores are never held as a whole."""

    route: RouteTaken
    samples: Sequence[Sample]
    """All that were asked, in order, those of equal pictures made one; their references are the texts."""
    failures: Mapping[int, Failure]
    """Position of each sample whose picture failed; it and its texts left queries and gallery."""
    image_to_text: Ranks
    """One row for each sample that did not fail."""
    text_to_image: Ranks
    """One row for each text of these samples, in order."""
    before: tuple[IntArray, IntArray] | None = None
    """What stands first where nothing that belongs to the query does: for each picture the number of a text, for each
    text the number of a picture among those that did not fail; -1 where what belongs to it is first, or ties."""


class Examinee(Protocol):
    """The verbs a family may use. They take iterables and give answers in the same order."""

    @property
    def name(self) -> str:
        """Label."""

    @property
    def fingerprint(self) -> str:
        """Identity of whatever answers."""

    @property
    def parameters(self) -> int | None:
        """Number of weights of whatever answers, where it is known."""

    @property
    def notes(self) -> Sequence[str]:
        """What a reader of the scores should know of whatever answers."""

    @property
    def asked_for(self) -> str | None:
        """Name by which a service is asked for the model; None where it is asked by none."""

    @property
    def scorer(self) -> "Examinee | None":
        """A second model, for metrics that need one."""

    @property
    def dry(self) -> bool:
        """True when nothing is answered and all is only counted, so that nothing is worth learning from."""

    @property
    def looks(self) -> bool:
        """True where the items' own pictures are read to answer; else nobody takes their digests on the way."""

    @property
    def places(self) -> Places:
        """By which convention whatever answers writes boxes and points, where that is declared."""

    def control_by(self, route: RouteTaken) -> str | None:
        """Return the id of the control under which a route replaces pictures, if there is one."""

    def scale(self) -> Scale | None:
        """Return what makes logits of the cosines; None where the model does not tell."""

    def choose(
        self, samples: Iterable[Sample], options: Sequence[Option] | None = None, wording: Wording = DEFAULT
    ) -> Answers[Choice]:
        """Yield a choice for each sample among `options`, or among its own where that is None."""

    def answer(self, samples: Iterable[Sample], candidates: Sequence[str], wording: Wording) -> Answers[Answer]:
        """Yield an answer in words: written, or the likeliest of `candidates`."""

    def locate(
        self,
        samples: Iterable[Sample],
        regions: Callable[[Sample], Sequence[Region]],
        wording: Wording,
        *,
        readable: bool = True,
    ) -> Answers[Located]:
        """Yield where the thing of each question is: as it is written, or the likeliest of a sample's `regions`.

        Where nobody could read what is written (`readable`) regions are ranked if that can be done.
        """

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Rank all texts for each picture and all pictures for each text; a sample's references are its texts."""

    def within(self, samples: Iterable[Sample], wording: Wording) -> Answers[Floats | Failure]:
        """Yield (pictures, texts) scores of each sample's own pictures and its references."""

    def features(self, samples: Iterable[Sample]) -> Answers[ImageVectors | Failure]:
        """Yield the vectors of each sample's one picture, in the space shared with texts and before it."""

    def prototypes(self, options: Sequence[Option]) -> Floats:
        """Return (options, d) unit vectors, each the mean of an option's phrasings."""

    def tuned(self, tunings: Sequence[Tuning]) -> Iterator[Floats]:
        """Yield (classes, d) class vectors of the prompts that are learnt, one for each tuning."""
