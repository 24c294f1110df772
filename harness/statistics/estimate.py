"""Estimate: a figure with its interval."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Ends: TypeAlias = tuple[float, float] | None
"""An interval, or that there is none."""
At: TypeAlias = Callable[[float], Ends]
"""A confidence to an interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the ends of its interval, of 95 % where nothing else is said."""

    value: float
    low: float | None
    """Lower end; None, as the upper one, where no interval is defined."""
    high: float | None
    """Upper end."""

    def named(self, value: str) -> dict[str, float | None]:
        """Return the three as rows hold them, the figure under this name.

        >>> Estimate(0.5, 0.25, None).named("difference")
        {'difference': 0.5, 'low': 0.25, 'high': None}
        """
        return {value: self.value, "low": self.low, "high": self.high}


def row_as_json(row: Any) -> dict[str, Any]:
    """Return the slots of a row by name; its `difference` is three of them, see `Estimate.named`."""
    held: dict[str, Any] = {}
    for name in row.__slots__:
        held |= row.difference.named(name) if name == "difference" else {name: getattr(row, name)}
    return held


def chance_corrected(value: float, chance: float, best: float) -> float:
    """Return (value - chance) / (best - chance): 0 at chance, 1 at best.

    >>> chance_corrected(0.75, 0.5, 1.0)
    0.5
    """
    return (value - chance) / (best - chance)
