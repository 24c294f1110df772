"""Paired difference of one metric between two runs: both values and the test, oriented so that higher is better."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from mmbench.harness.records.changes import compared
from mmbench.harness.records.measured import Measured
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.paired import Paired

Verdict: TypeAlias = Literal["better", "worse", "tied"]
"""Verdict on the second of two runs against the first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of the second of two runs from the first."""

    a: float
    """Value of the first run over the items scored in both."""
    b: float
    """Value of the second run over the same items."""
    gain: Paired
    """How much better the second is: b - a, or a - b where lower is better."""
    lower_is_better: bool
    identical: bool
    """True where no item differs."""

    @property
    def change(self) -> Estimate:
        """b - a with its interval."""
        return self.turned((self.gain.low, self.gain.high))

    def turned(self, ends: tuple[float | None, float | None] | None) -> Estimate:
        """Return b - a with an interval of the gain."""
        low, high = ends or (None, None)
        if self.lower_is_better:
            low, high = _negative(high), _negative(low)
        return Estimate(self.b - self.a, low, high)


def difference(a: Measured, b: Measured, *, confidence: float = 0.95) -> Difference | None:
    """Compare what two runs measured on the same items, in the same order; None where a value is undefined."""
    lower_is_better = a.metric.higher_is_better is False
    gain = compared(b, a, confidence) if lower_is_better else compared(a, b, confidence)
    if gain is None:
        return None
    once = np.ones((1, len(a)))
    values = float(a.score(once)[0]), float(b.score(once)[0])
    return Difference(*values, gain, lower_is_better, bool(np.array_equal(a.table, b.table)))


def _negative(end: float | None) -> float | None:
    return None if end is None else -end


def verdict(gain: Paired, p: float, alpha: float) -> Verdict:
    """Return how a run stands against another by how much better it is, where `p` is adjusted for all that is tested.

    >>> ahead = Paired(0.1, 0.05, 0.15, 0.001, 0.999, 100, 100)
    >>> verdict(ahead, 0.01, 0.05), verdict(ahead, 0.2, 0.05)
    ('better', 'tied')
    """
    if p >= alpha or gain.value == 0:
        return "tied"
    return "better" if gain.value > 0 else "worse"
