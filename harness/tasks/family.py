"""Family: a protocol of the field, written once, that turns answers into outcomes on any data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel

from mmbench.harness.ask.examinee import Verb
from mmbench.harness.digest import Json
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data
from mmbench.harness.types import Outcome, Route, RouteTaken, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmbench.harness.ask.examinee import Examinee


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a family makes of the answers to one task."""

    route: RouteTaken
    """How the subject was asked."""
    items: Sequence[Outcome]
    """One outcome for each item, in the order of the data; none in a dry run that stops before scoring."""
    notes: Sequence[str] = ()
    """What a reader of the scores should know."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """What is kept of a run besides its scores, such as the episodes that were drawn."""


class Family(Protocol):
    """A protocol of the field, written once and run on any data: what a contributor writes."""

    name: ClassVar[str]
    """As in the task file."""
    version: ClassVar[int]
    """Raised when the same data would score differently."""
    verb: ClassVar[Verb]
    """The question it puts to its subject."""
    routes: tuple[Route, ...]
    """Default order of preference; an instance may narrow it by its options."""
    fields: ClassVar[Mapping[str, bool]]
    """Keys that `fields` of the task file may map to columns; True for those it must."""
    Options: ClassVar[type[BaseModel]]
    """The task-file keys of this family alone."""

    known_metrics: ClassVar[Sequence[Metric]]
    """What `mmbench list metrics` shows; families of names (`accuracy@5`) stand as one example."""
    metrics: Sequence[Metric]
    """What is scored, the primary metric first."""

    def __init__(self, options: Any, data: Data, metrics: Sequence[str]) -> None:
        """Check options and metric names (none: the family's default) against the data.

        Raises DataError or UsageError, which names the nearest.
        """

    def protocol(self) -> Json:
        """Return everything that fixes how the task is asked and scored, apart from the data itself."""

    def samples(self) -> Iterator[Sample]:
        """Yield the samples in the order of the data. Raises DataError that names the row."""

    # A family whose data is divided may have `parts(samples: Sequence[Sample]) -> Sequence[str]`, which tells of each
    # sample whether it is of `train`, `validation`, `test` or none, so that a check knows what is learnt from.
    # One whose texts say what a picture shows may have `described(sample: Sample) -> tuple[tuple[str, ...], ...]`, the
    # true texts of each of its pictures, so that a diagnosis has pairs.

    def outcomes(self, subject: "Examinee", samples: "Iterable[Sample]") -> Outcomes:
        """Ask the subject and return one outcome for each item, with the route by which it was asked."""
