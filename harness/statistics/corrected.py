"""Chance-corrected score with its interval: 0 at chance, 1 at best."""

from dataclasses import dataclass


def chance_corrected(value: float, chance: float, best: float) -> float:
    """Return (value - chance) / (best - chance): 0 at chance, 1 at best.

    >>> chance_corrected(0.75, 0.5, 1.0)
    0.5
    """
    return (value - chance) / (best - chance)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A score and its interval, 0 at chance and 1 at best."""

    value: float
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
