"""Intervals of calibration errors cover those of the population: a table, and exit 1 where one covers too seldom."""

import sys

import numpy as np

from mmbench.benchmarks.metrics.sureness import ADAPTIVE_ECE, AURC, ECE
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.scores.score import _corpus_interval
from mmbench.harness.tasks.metric import Metric

REPEATS = 60
LEAST = 0.9
"""Of nominally 95 %."""


def right_of(confidence: Floats, planted: float) -> Floats:
    """Return how often a model is right that is too sure by `planted`."""
    return np.asarray(np.clip(confidence - planted, 0, 1))


def drawn(rng: np.random.Generator, n: int, planted: float) -> Floats:
    """Return (n, 2) confidences, most of them high, and right or wrong."""
    confidence = 0.3 + 0.7 * rng.beta(3, 1.5, n)
    return np.stack([confidence, rng.uniform(size=n) < right_of(confidence, planted)], axis=1).astype(np.float64)


def truth(metric: Metric, planted: float) -> float:
    """Return the value over very many items."""
    table = drawn(np.random.default_rng(1), 400_000, planted)
    assert metric.aggregate is not None
    if metric.noise is not None:
        table[:, 1] = right_of(table[:, 0], planted)
    return float(metric.aggregate(table, np.ones((1, len(table))))[0])


def main() -> int:
    """Print coverage, mean value and truth."""
    failed = False
    print("metric          n  too sure by  truth   mean  covered")
    for metric in (ECE, ADAPTIVE_ECE, AURC):
        for planted in (0.0, 0.05, 0.15):
            wanted = truth(metric, planted)
            for n in (100, 400, 1600):
                rng, held, values = np.random.default_rng(n), 0, []
                for _ in range(REPEATS):
                    table = drawn(rng, n, planted)
                    assert metric.aggregate is not None
                    value = float(metric.aggregate(table, np.ones((1, n)))[0])
                    ends = _corpus_interval(metric, table, [str(i) for i in range(n)], value)
                    held += ends is not None and ends[0] - 1e-4 <= wanted <= ends[1] + 1e-4
                    values.append(value)
                failed |= held / REPEATS < LEAST
                print(
                    f"{metric.name:13} {n:4} {planted:10.2f} {wanted:8.4f} {np.mean(values):7.4f} {held / REPEATS:7.3f}"
                )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
