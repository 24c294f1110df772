"""Task contract: rows from a source, samples and outcomes from a family, metrics over outcomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.hub.needed import Needed
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.prompts import OFFICIAL
from mmbench.harness.types import Route


@dataclass(frozen=True, slots=True)
class Opened:
    """A task with its data at hand."""

    family: Family
    routes: tuple[Route, ...]
    """Order of preference."""
    size: int
    """Rows of its data."""
    notes: tuple[str, ...] = ()
    """What a reader of the scores should know of the data."""
    columns: tuple[str, ...] = ()
    """Of its data."""
    unfilled: tuple[str, ...] = ()
    """Fields of the family that no column fills."""
    split: str | None = None
    """Of its data, where one is named."""
    missing_bytes: Callable[[], int] = int
    """Tells how much of its data is still to be fetched."""
    frames: Json = None
    """Which frames of its clips are shown; None where it shows none."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a task file says; `family`, `routes` and `size` open its data and raise DataError where that fails."""

    name: str
    version: int
    family_name: str
    """As in the task file."""
    card: Card
    open: Callable[[], Opened]
    """Opens the data, anew each time."""
    needed: Callable[[], tuple[Needed, ...]] = tuple
    """Tells the files of the hub that it reads, without opening data; raises DataError."""
    source_kind: str = ""
    """Of its data, as in the task file; empty: not known."""
    source_id: str = ""
    """`ORG/NAME` of its data on the hub, as in the task file; empty: it is not there."""
    prompts: Mapping[str, "Callable[[], Task]"] = field(default_factory=dict)
    """The same questions by each variant of its prompt, a task of its own."""

    def __repr__(self) -> str:
        return f"Task({self.reference}, {self.family_name})"

    def __getstate__(self) -> dict[str, object]:
        """Return what is pickled: the task without its data, which whoever unpickles it opens anew."""
        return {name: value for name, value in vars(self).items() if name not in ("opened", "protocol")}

    @cached_property
    def opened(self) -> Opened:
        """The task with its data, opened once."""
        return self.open()

    @property
    def family(self) -> Family:
        """The protocol over the data."""
        return self.opened.family

    @property
    def routes(self) -> tuple[Route, ...]:
        """Order of preference."""
        return self.opened.routes

    @property
    def size(self) -> int:
        """Rows of its data."""
        return self.opened.size

    @cached_property
    def protocol(self) -> Json:
        """What the family says that it fixes, which may read all of the data: asked once."""
        return self.family.protocol()

    def asked_by(self, prompt: str | None) -> "Task":
        """Return the task as it is asked by a variant of its prompt; by its own where it is None or `official`.

        Raises UsageError where it has no such variant.
        """
        if prompt is None or prompt == (self.card.prompt or OFFICIAL):
            return self
        if prompt in self.prompts:
            return self.prompts[prompt]()
        near = nearest(prompt, self.prompts) or f" (it has: {', '.join((OFFICIAL, *self.prompts))})"
        raise UsageError(f"task '{self.name}' has no prompt '{prompt}'{near}")

    def alike(self, other: "Task") -> bool:
        """Tell whether the other task asks and scores the same, as far as is known before its data are read."""
        mine, theirs = (
            (
                task.reference,
                task.size,
                task.routes,
                task.protocol_id(""),
                [metric.name for metric in task.family.metrics],
            )
            for task in (self, other)
        )
        return mine == theirs

    @property
    def reference(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    def protocol_id(self, dataset: str, scorer: str | None = None) -> str:
        """Return the identity of what the task fixes, with the digest of the data it was asked on.

        It holds neither the route nor anything of the model (its fingerprint does), nor the list of metrics shown. The
        fingerprint of a scorer is part of it only where the primary metric is made by it.
        """
        family = self.family
        fixed: dict[str, Json] = {
            "family": family.name,
            "family_version": family.version,
            "version": self.version,
            "protocol": self.protocol,
            "dataset": dataset,
        }
        if self.opened.frames is not None:
            fixed["frames"] = self.opened.frames
        stated = {name: value for name in ("chance", "best") if (value := getattr(self.card, name)) is not None}
        if stated:
            fixed["stated"] = stated  # a board corrects by them, so that records of other ones do not compare
        if scorer is not None and family.metrics[0].by_scorer:
            fixed["scorer"] = scorer
        return digest_json(fixed)
