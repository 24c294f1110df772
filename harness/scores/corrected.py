"""Chance correction of a score, where coverage and chance level allow it."""

from mmbench.harness.statistics.estimate import Estimate, chance_corrected
from mmbench.harness.types import Score

COVERAGE_BUDGET = 0.99
"""Below this share of scored items a score is shown, but neither ranked nor part of a mean."""


def corrected(made: Score, best: float | None) -> Estimate | None:
    """Return a score corrected for chance, or None where that is not defined or too little was scored."""
    if made.value is None or made.chance is None or best is None or made.coverage < COVERAGE_BUDGET:
        return None
    if made.chance == best:  # one class, or a gallery of one: guessing cannot fail
        return None
    value = chance_corrected(made.value, made.chance, best)
    if made.low is None or made.high is None:
        return Estimate(value, None, None)
    # Where the best value is the lowest (a rank, an error), the ends change places.
    low, high = sorted(chance_corrected(end, made.chance, best) for end in (made.low, made.high))
    return Estimate(value, low, high)
