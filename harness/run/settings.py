"""Settings of a run: what all its models and tasks share."""

from dataclasses import dataclass

from mmbench.harness.ask.controls import ControlName
from mmbench.harness.ask.routes.tune import MOST_MINUTES
from mmbench.harness.errors import UsageError
from mmbench.harness.models.models import Loading
from mmbench.harness.types import Route


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How models are asked. Raises UsageError for a limit below 1 or a seed below 0."""

    limit: int | None = None
    """Items of a task that are asked at the most."""
    seed: int = 0
    """Of whatever is drawn at random."""
    route: Route | None = None
    """The only route, where one is pinned."""
    controls: tuple[ControlName, ...] = ()
    """Under which every task is asked again."""
    batch_size: int | None = None
    """Inputs of a forward pass; None: found by itself."""
    max_minutes: float = MOST_MINUTES
    """Prompt learning that would take longer is refused."""
    loading: Loading = Loading()
    """How adapters are made."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"the limit must be at least 1, not {self.limit}")
        if self.seed < 0:
            raise UsageError(f"the seed must be at least 0, not {self.seed}")

    def items_of(self, size: int) -> int:
        """Return how many of a task's items are asked."""
        return min(size, self.limit or size)
