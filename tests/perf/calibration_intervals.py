"""Intervals of calibration and of groups cover the truth: two tables, and exit 1 where one covers too seldom.

`--repeats N` draws for each row of calibration (default 200), five times as many for groups.
"""

import argparse
import sys

import numpy as np

from mmbench.benchmarks.metrics.sureness import ADAPTIVE_ECE, AURC, COVERAGE_AT_5, ECE
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.scores.score import corpus_interval
from mmbench.harness.statistics.clusters import mean_interval
from mmbench.harness.statistics.groups import groups_of_shares, together
from mmbench.harness.tasks.metric import Metric

LEAST = 0.92
"""Of nominally 95 %, for errors of simulation."""
AREAS = (AURC, COVERAGE_AT_5)


def right_of(confidence: Floats, planted: float) -> Floats:
    """Return how often a model is right that is too sure by `planted`."""
    return np.asarray(np.clip(confidence - planted, 0, 1))


def drawn(rng: np.random.Generator, n: int, planted: float) -> Floats:
    """Return (n, 2) confidences, most of them high, and right or wrong."""
    confidence = 0.3 + 0.7 * rng.beta(3, 1.5, n)
    return np.stack([confidence, rng.uniform(size=n) < right_of(confidence, planted)], axis=1).astype(np.float64)


def value_of(metric: Metric, table: Floats) -> float:
    """Return the metric of (n, k) statistics."""
    assert metric.aggregate is not None
    return float(metric.aggregate(table, np.ones((1, len(table))))[0])


def truth(metric: Metric, planted: float) -> float:
    """Return the value over very many items."""
    table = drawn(np.random.default_rng(1), 400_000, planted)
    if metric not in AREAS:
        table[:, 1] = right_of(table[:, 0], planted)
    return value_of(metric, table)


def calibration(repeats: int) -> bool:
    """Print coverage, mean value and truth of each metric; return whether one covers too seldom."""
    failed = False
    print("metric            n  too sure by  truth   mean  covered")
    for metric in (ECE, ADAPTIVE_ECE, *AREAS):
        for planted in (0.0, 0.05, 0.15):
            wanted = truth(metric, planted)
            for n in (100, 400, 1600):
                rng, held, values = np.random.default_rng(n), 0, []
                for _ in range(repeats):
                    table = drawn(rng, n, planted)
                    values.append(value_of(metric, table))
                    ends = corpus_interval(metric, table, [str(i) for i in range(n)], values[-1])(0.95)
                    held += ends is not None and ends[0] - 1e-4 <= wanted <= ends[1] + 1e-4
                failed |= held / repeats < LEAST and metric is not COVERAGE_AT_5
                row = f"{planted:11.2f} {wanted:7.4f} {np.mean(values):6.4f} {held / repeats:8.3f}"
                print(f"{metric.name:14} {n:4} {row}", flush=True)
    return failed


def proper_scores(repeats: int) -> bool:
    """Print the coverage of Brier score and log-likelihood of two options."""
    failed = False
    for name in ("brier", "nll"):
        for planted in (0.0, 0.15):
            for n in (100, 400, 1600):
                rng, held = np.random.default_rng(n), 0
                many = _scores(name, drawn(np.random.default_rng(1), 400_000, planted)).mean()
                for _ in range(repeats):
                    ends = mean_interval(_scores(name, drawn(rng, n, planted)), np.arange(n))
                    held += ends is not None and ends[0] <= many <= ends[1]
                failed |= held / repeats < LEAST
                print(f"{name:14} {n:4} {planted:11.2f} {many:7.4f} {'':6} {held / repeats:8.3f}", flush=True)
    return failed


def _scores(name: str, table: Floats) -> Floats:
    """Return (n,) scores of two options, of which that of the confidence was chosen."""
    likely = np.where(table[:, 1] == 1, table[:, 0], 1 - table[:, 0])
    return np.asarray(2 * (1 - likely) ** 2 if name == "brier" else -np.log(np.maximum(likely, 1e-12)))


def groups(repeats: int) -> bool:
    """Print how often the intervals of groups of unlike size hold, all at once, and those of worst, gap and ratio."""
    failed = False
    print("groups  rates                 all  worst    gap  ratio   worst in truth and on average")
    for count in (2, 5, 20):
        sizes = np.geomspace(20, 400, count).round().astype(int)
        place = np.repeat(np.arange(count), sizes)
        one = np.full(count, 0.8)
        one[count // 2] = 0.5
        spread = np.linspace(0.6, 0.95, count)
        shapes = {"alike, .8": np.full(count, 0.8), "alike, .95": np.full(count, 0.95), "one far below": one}
        shapes |= {"small ones worst": spread, "large ones worst": spread[::-1]}
        for name, rates in shapes.items():
            rng, held, worst = np.random.default_rng(count), np.zeros(4), []
            true = rates.min(), rates.max() - rates.min(), rates.min() / rates.max()
            for _ in range(repeats):
                right = (rng.uniform(size=len(place)) < rates[place]).astype(float)
                made = groups_of_shares(right, place, np.arange(len(place)))
                low, high = made.ends(together(count))
                three = (made.least(), made.gap(), made.ratio())
                held += [
                    ((low <= rates) & (rates <= high)).all(),
                    *(
                        each is not None and each.low <= wanted + 1e-9 and wanted <= each.high + 1e-9
                        for each, wanted in zip(three, true, strict=True)
                    ),
                ]
                worst.append(three[0].value)
            failed |= bool((held / repeats < LEAST).any())
            print(
                f"{count:6}  {name:17}"
                + "".join(f"{share:7.3f}" for share in held / repeats)
                + f"   {true[0]:.3f} {np.mean(worst):.3f}",
                flush=True,
            )
    return failed


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--only", choices=("calibration", "groups"))
    args = parser.parse_args()
    failed = False
    if args.only != "groups":
        failed |= calibration(args.repeats)
        failed |= proper_scores(args.repeats)
    if args.only != "calibration":
        failed |= groups(5 * args.repeats if args.only is None else args.repeats)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
