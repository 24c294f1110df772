"""Meter of a task: inputs asked, remembered and truncated."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """What a stretch of work cost; a new one is read for each task."""

    asked: int = 0
    """Distinct inputs that went through the model."""
    remembered: int = 0
    """Distinct inputs that the store answered."""
    truncated_texts: int = 0
    """Distinct texts that the model saw only the beginning of."""
    damaged: int = 0
    """Stored answers that were not what had been written, and were forgotten."""
    loading: float = 0.0
    """Seconds that loading the model took, before its first answer."""
    on_progress: Callable[[int, int], None] | None = None
    """Called with (asked, remembered) as they grow."""
    on_expected: Callable[[int], None] | None = None
    """Called with a number of inputs to come besides the items of the task."""
    _counted: dict[int, set[bytes]] = field(default_factory=dict)

    def first(self, model: int, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of `keys` that were not counted before, and take them as counted."""
        counted = self._counted.setdefault(model, set())
        new = set(keys) - counted
        counted |= new
        return new

    def count(self, asked: int, remembered: int, truncated: int) -> None:
        """Add to the figures."""
        self.asked += asked
        self.remembered += remembered
        self.truncated_texts += truncated
        if self.on_progress and (asked or remembered):
            self.on_progress(asked, remembered)
