"""One metric of two runs on the same items: both values, and the paired test turned so that up is better."""

from dataclasses import dataclass

import numpy as np

from mmbench.harness.records.measured import Measured
from mmbench.harness.statistics.paired import Paired, paired, paired_corpus


@dataclass(frozen=True, slots=True)
class Difference:
    """The second of two runs against the first."""

    a: float
    """Metric of the first run over the items that both were scored on."""
    b: float
    """Metric of the second."""
    gain: Paired
    """How much better the second is: b - a, or a - b where lower is better."""
    lower_is_better: bool
    identical: bool
    """True where no item differs."""

    @property
    def low(self) -> float | None:
        """Lower end of the interval of b - a."""
        return _negative(self.gain.high) if self.lower_is_better else self.gain.low

    @property
    def high(self) -> float | None:
        """Upper end of it."""
        return _negative(self.gain.low) if self.lower_is_better else self.gain.high


def difference(a: Measured, b: Measured, *, confidence: float = 0.95) -> Difference | None:
    """Compare what two runs measured on the same items, in the same order; None where a value is undefined."""
    metric, codes = a.metric, a.codes()
    lower_is_better = metric.higher_is_better is False
    first, second = (b, a) if lower_is_better else (a, b)
    if metric.aggregate is None:
        gain: Paired | None = paired(first.table[:, 0], second.table[:, 0], codes, confidence=confidence)
    else:
        gain = paired_corpus(metric.aggregate, first.table, second.table, codes, confidence=confidence)
    if gain is None:
        return None
    once = np.ones((1, len(a)))
    values = float(a.score(once)[0]), float(b.score(once)[0])
    return Difference(*values, gain, lower_is_better, bool(np.array_equal(a.table, b.table)))


def _negative(end: float | None) -> float | None:
    return None if end is None else -end
