"""Settings of a run: what all its models and tasks share."""

from dataclasses import dataclass
from typing import get_args

from mmbench.harness.ask.routes.tune import MOST_MINUTES
from mmbench.harness.engine.settings import EngineSettings
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.models.models import Loading
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.part import Part, drawn
from mmbench.harness.types import Route


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How models are asked. Raises UsageError for a value that no run can have."""

    limit: int | None = None
    """Items of a task that are asked at the most, the first ones."""
    sample: int | None = None
    """Items of a task that are asked at the most, drawn by the seed."""
    seed: int = 0
    """Of whatever is drawn at random."""
    route: Route | None = None
    """The only route, where one is pinned."""
    controls: tuple[str, ...] = ()
    """Under which every task is asked again, corruptions among them."""
    batch_size: int | None = None
    """Inputs of a forward pass; None: found by itself."""
    max_minutes: float = MOST_MINUTES
    """Prompt learning that would take longer is refused."""
    loading: Loading = Loading()
    """How adapters are made."""
    max_errors: int = 0
    """Items without a score, over all its tasks, up to which a run counts as done."""

    max_cost: float | None = None
    """What the answers of a run may cost, in the currency of the prices that were given."""
    max_total_tokens: int | None = None
    """Tokens, of questions and answers, that a run may take."""
    engine: EngineSettings = EngineSettings()
    """Where models run."""

    def __post_init__(self) -> None:
        if self.limit is not None:
            _whole("limit", self.limit, 1)
        if self.sample is not None:
            _whole("sample", self.sample, 1)
            if self.limit is not None:
                raise UsageError("a limit takes the first items, and a sample draws them; give one of the two")
        _whole("seed", self.seed, 0)
        if self.batch_size is not None:
            _whole("batch size", self.batch_size, 1)
        if self.route not in (None, *get_args(Route)):
            known = get_args(Route)
            raise UsageError(f"there is no route '{self.route}'{nearest(str(self.route), known)} ({', '.join(known)})")
        if isinstance(self.max_minutes, bool | str) or not self.max_minutes >= 0:  # NaN is not either
            raise UsageError(f"max_minutes is a number of minutes, not {self.max_minutes!r}")
        _whole("number of errors that are let pass", self.max_errors, 0)
        if self.max_cost is not None and (isinstance(self.max_cost, bool | str) or not self.max_cost > 0):
            raise UsageError(f"max_cost is a number above 0, not {self.max_cost!r}")
        if self.max_total_tokens is not None:
            _whole("number of tokens that may be spent", self.max_total_tokens, 1)

    def items_of(self, size: int) -> int:
        """Return how many of a task's items are asked."""
        return min(size, self.limit or self.sample or size)

    def part_of(self, family: Family) -> Part:
        """Return which items are asked of a task; a sample reads its rows, but no pictures."""
        if self.sample is None:
            return Part(self.limit)
        return Part(places=drawn(family, self.sample, self.seed))  # type: ignore[arg-type]  # it hashes by identity


def _whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"the {name} must be a whole number, not {value!r}")
    if value < least:
        raise UsageError(f"the {name} must be at least {least}, not {value}")
