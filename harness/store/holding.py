"""Holding: what the store has of one model, and how much of it is damaged."""

from dataclasses import dataclass, field
from typing import Any

from mmbench.harness.digest import Json
from mmbench.harness.store.checksum import is_intact, seed_of


def damage(answers: int) -> str:
    """Return how many stored answers are not what was written.

    >>> damage(1), damage(2000)
    ('1 remembered answer is damaged', '2,000 remembered answers are damaged')
    """
    return f"{answers:,} remembered answer{' is' if answers == 1 else 's are'} damaged"


@dataclass(slots=True)
class Holding:
    """What the store holds of one model."""

    name: str
    """The last that it was asked under."""
    fingerprint: str
    used: float
    """Seconds since 1970."""
    labels: list[Json] = field(default_factory=list)
    """Every name that it was asked under, the last one first."""
    answers: int = 0
    bytes: int = 0
    damaged: int = 0
    """Answers that are not what was written; they are asked again when they are next needed."""
    unchecked: int = 0
    """Answers of an older version, which wrote no checksums."""

    def add(self, key: Any, value: Any, truncated: Any, checksum: Any) -> None:
        """Count one answer, as its row stands in the file."""
        self.answers += 1
        self.bytes += len(value) if isinstance(value, bytes) else 0
        self.unchecked += checksum is None
        self.damaged += not is_intact(seed_of(self.fingerprint), key, value, truncated, checksum)

    def as_json(self) -> dict[str, Json]:
        """Return the holding as `store info --format json` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}
