"""Progress of a run: who is told that a task begins, advances and ends."""

from dataclasses import dataclass
from typing import Protocol

from mmbench.harness.errors import MmbenchError, Unsupported
from mmbench.harness.records.record import Record
from mmbench.harness.run.sitting import Sitting


@dataclass(frozen=True, slots=True)
class Problem:
    """A task that gave no record, or gave one with errors."""

    sitting: Sitting
    error: MmbenchError

    @property
    def model(self) -> str:
        """Label of the model."""
        return self.sitting.model

    @property
    def task(self) -> str:
        """`task@version`."""
        return self.sitting.task.reference

    @property
    def control(self) -> str | None:
        """The control that it was to be asked under."""
        return self.sitting.control

    @property
    def unsupported(self) -> bool:
        """True when the model cannot be asked this at all, which is no failure of the run."""
        return isinstance(self.error, Unsupported)


class Progress(Protocol):
    """Who is told how far a run is."""

    def started(self, sitting: Sitting, items: int) -> None:
        """A task begins."""

    def expected(self, inputs: int) -> None:
        """So many inputs are to come besides the items: prompts, captions."""

    def advanced(self, asked: int, remembered: int) -> None:
        """Inputs were answered by the model or by the store."""

    def told(self, message: str) -> None:
        """Something should be known before it happens."""

    def finished(self, made: Record | Problem) -> None:
        """A task ended."""


class Silent:
    """Tells nobody."""

    def started(self, sitting: Sitting, items: int) -> None:
        """Do nothing."""

    def expected(self, inputs: int) -> None:
        """Do nothing."""

    def advanced(self, asked: int, remembered: int) -> None:
        """Do nothing."""

    def told(self, message: str) -> None:
        """Do nothing."""

    def finished(self, made: Record | Problem) -> None:
        """Do nothing."""
