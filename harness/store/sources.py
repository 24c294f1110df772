"""What a stream draws on: a memory of answers, and questions of the tasks to come."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.store.budget import Budget
from mmbench.harness.store.meter import Meter


class Memory(Protocol):
    """What a stream needs to remember by."""

    meter: Meter
    budget: Budget | None

    def lookup(self, model: int, kind: Kind, keys: Sequence[bytes]) -> dict[bytes, tuple[Value, bool]]:
        """Return (value, truncated) for each of `keys` that is known; all are of one kind."""

    def claim(self, model: int, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of these questions are to be asked here; the others are answered or asked elsewhere."""

    def release(self, model: int, keys: Iterable[bytes]) -> None:
        """Leave these questions, claimed before, to others."""

    def stand_back(self) -> None:
        """Leave all that is claimed to others, before waiting for them."""

    def keep(self, model: int, answered: Sequence[Answered], seconds: float) -> dict[bytes, Value]:
        """Commit one batch and return its answers as stored; its questions are claimed no longer. Raises Unavailable.

        All are of one kind.
        """


class Ahead(Protocol):
    """Questions of the tasks to come, which fill the batches that those of one task leave part-filled."""

    def take(self, most: int) -> list[Question]:
        """Return up to so many of the next ones, of one task; none where there are no more for now."""

    def skip(self) -> None:
        """Leave out the rest of the task that the last ones were of."""
