"""Core types of an evaluation: samples with their options, outcomes and scores."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mmbench.harness.digest import Json
from mmbench.harness.light import light

if TYPE_CHECKING:
    from mmbench.harness.media.video import Medium

Status = Literal["ok", "unparsed", "refused", "error"]
"""`unparsed` and `refused` are the model's own failures and count 0; an `error` leaves value and n."""

Route = Literal["embed", "likelihood", "generate"]
"""How a model was questioned: by cosine of embeddings, by likelihood of texts, by its written reply."""

FEW_CLUSTERS = 20
"""With fewer groups of items than this no interval of theirs keeps its promise."""


class _Nothing(Mapping[str, Any]):
    """An empty mapping that nobody can fill, and that can be pickled."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"


NOTHING: Mapping[str, Any] = _Nothing()

RouteTaken = Route | Literal["recorded"]
"""How the answers of a record came about; `recorded` where another system's predictions were scored."""

Unit = Literal["item", "image", "text"]
"""What one outcome is about; retrieval has queries of both directions."""


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer."""

    label: str
    """The name of the answer, as a person would write it."""
    phrasings: tuple[str, ...]
    """The texts a model is shown for it: filled prompt templates, or the label alone."""


@light(frozen=True, slots=True)
class Sample:
    """One item of a task."""

    id: str
    """Unique within the task."""
    media: "tuple[Medium, ...]" = ()
    """The pictures and clips it shows."""
    question: str = ""
    """What is asked, if anything."""
    options: tuple[Option, ...] = ()
    """Its own options, where the task has none for all."""
    references: tuple[str, ...] = ()
    """Texts a good answer agrees with: captions, annotators' answers."""
    target: tuple[int, ...] = ()
    """0-based indices of the right options; several for multi-label items."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Columns that travel with the item and break scores down: level, group, dimension."""

    @property
    def cluster(self) -> str:
        """What items that are not independent share: the digest of the first picture or file, where there is one."""
        return self.media[0].cluster if self.media else self.id

    @property
    def frames(self) -> str | None:
        """Which frames of its clips were shown, as JSON, where a clip was opened: indices, seconds and decoder."""
        taken = [medium.taken.as_json() for medium in self.media if medium.taken]
        return json.dumps(taken[0] if len(taken) == 1 else taken) if taken else None

    @property
    def held(self) -> int:
        """Bytes of files that its pictures and clips hold in memory."""
        return sum([medium.held for medium in self.media])

    @property
    def locator(self) -> str:
        """Where its first picture is found; empty where it has none."""
        return self.media[0].locator if self.media else ""

    def without_pixels(self) -> "Sample":
        """Return what stays of it when its work is done: its pictures hold none of the bytes they may have held."""
        media = tuple(image.without_pixels() for image in self.media)
        # Not by `replace`, which looks up each field: every item of a gallery passes here.
        return Sample(self.id, media, self.question, self.options, self.references, self.target, self.facts)


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be asked or answered; takes the place of its answer in a stream."""

    message: str
    """One sentence that names the input and the reason."""


class Overlong(Failure):
    """A question that is longer than the model reads."""

    __slots__ = ()


@light(frozen=True, slots=True)
class Outcome:
    """What came of one item."""

    id: str
    """The sample's id; with `unit` unique within a run."""
    status: Status
    """`ok`, or why there is no scored answer."""
    prediction: str | None
    """What the model answered, as text."""
    target: str | None
    """What was right, as text."""
    values: Mapping[str, float]
    """Per-item value of each per-item metric."""
    chances: Mapping[str, float] = field(default_factory=dict)
    """Expected value of each metric for this item when guessing; a score's chance is their mean."""
    statistics: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Per-item statistics from which corpus metrics are aggregated again."""
    guesses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The statistics expected of guessing; a corpus metric's chance is aggregated from them."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """The sample's facts."""
    cluster: str = ""
    """Items that share it are not independent; the picture's digest by default."""
    unit: Unit = "item"
    """What the outcome is about."""
    locator: str = ""
    """Where the picture is found."""
    message: str | None = None
    """Why the status is not `ok`; of a written reply that was matched, why it was read so (older records lack it)."""
    reply: str | None = None
    """What was written or recorded, as it came, of which the prediction was read; of several calls a JSON list."""
    prompt: str | None = None
    """The words that were asked, without pictures; of several calls a JSON list."""
    frames: str | None = None
    """Which frames of a clip were shown, as JSON: indices, timestamps in seconds, decoder; of several clips a list."""

    @classmethod
    def about(
        cls,
        sample: Sample,
        status: Status,
        prediction: str | None,
        target: str | None,
        *,
        values: Mapping[str, float],
        chances: Mapping[str, float] = NOTHING,
        statistics: Mapping[str, tuple[float, ...]] = NOTHING,
        guesses: Mapping[str, tuple[float, ...]] = NOTHING,
        message: str | None = None,
        reply: str | None = None,
        prompt: str | None = None,
    ) -> "Outcome":
        """Return what came of a sample; of an `error` neither values nor statistics are kept."""
        failed = status == "error"
        return cls(
            id=sample.id,
            status=status,
            prediction=prediction,
            target=target,
            values={} if failed else values,
            chances=chances,
            statistics={} if failed else statistics,
            guesses=guesses,
            facts=sample.facts,
            cluster=sample.cluster,
            locator=sample.locator,
            frames=sample.frames,
            message=message,
            reply=reply,
            prompt=prompt,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """One metric over all outcomes of a run."""

    metric: str
    """The metric's printed form, which is its identity."""
    value: float | None
    """In the metric's own range; None where the metric is not defined for what was asked."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    n: int
    """Outcomes that the value is made of."""
    coverage: float
    """Share of outcomes with status `ok`."""
    bounds: tuple[float, float] | None
    """The value if every outcome that is not `ok` were wrong, and if it were right."""
    chance: float | None
    """The expected value of guessing."""
    primary: bool
    """True for the metric a board shows first."""
    clusters: int | None = None
    """Independent groups that the outcomes fall in (pictures, episodes), of unlike ones as many equal ones as tell as
    much; None where a record does not tell."""

    @property
    def few_clusters(self) -> bool:
        """True where the interval may be too narrow (Cameron, Gelbach and Miller 2008)."""
        return self.clusters is not None and self.clusters < min(self.n, FEW_CLUSTERS)
