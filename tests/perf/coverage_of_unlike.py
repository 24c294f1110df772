"""Intervals must cover where classes, clusters or values are very unlike; exits 1 when one does not.

Run as `python tests/perf/coverage_of_unlike.py [--draws N]`. Coverage of the 95 % interval and its width by that of the
ideal one, as `coverage_of_scores.py` has them. Held to coverage from below alone: what is rare is unseen in many draws,
and such an interval is wide. Where one picture has most of the items only coverage is held to anything.
"""

import argparse
import math

import numpy as np
from coverage_of_scores import FRACTIONS, LEAST, Draw, Ends, itself, measured, scored

from mmbench.benchmarks.families.zero_shot import METRICS as ZERO_SHOT
from mmbench.benchmarks.metrics.classification import per_class_shares
from mmbench.harness.statistics.paired import paired_changes
from mmbench.harness.statistics.shares import share_changes, share_reaches

SMALL = 9
"""Classes of two items, beside one with all others."""
SINGLE = 100
"""Pictures of one item, beside one with all others."""


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    given = parser.parse_args()
    missed = 0
    print(f"{'kind':32} {'n':>5} {'rate':>6} {'coverage':>9} {'width':>6}")
    for kind, (draw, sizes, rates, truth) in KINDS.items():
        for n in sizes:
            for rate in rates:
                covered, width = measured(draw, n, rate, truth, given.draws, near_normal="difference" in kind)
                bad = covered < LEAST - 2 * math.sqrt(0.05 * 0.95 / given.draws)
                missed += bad
                print(f"{kind:32} {n:5} {rate:6.2f} {covered:9.3f} {width:6.2f} {'MISSED' if bad else ''}", flush=True)
    return int(missed > 0)


def classes(n: int) -> np.ndarray:
    """Return the classes of n items: all but a few of one."""
    return np.repeat(np.arange(SMALL + 1), [n - 2 * SMALL, *[2] * SMALL])


def per_class(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """Mean recall over one large class and small ones."""
    return scored(ZERO_SHOT["mean_per_class_recall"], np.column_stack([classes(n), rng.random(n) < rate]).astype(float))


def difference(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """The same of a run less that of another, which has a tenth of the items anew and .05 more right."""
    level = rng.random(n)
    again = np.where(rng.random(n) < 0.9, level, rng.random(n))
    runs = (level < rate + 0.05, again < rate)
    one, other = (per_class_shares(np.column_stack([classes(n), right]).astype(float)) for right in runs)
    made = paired_changes(share_changes(one, other), np.arange(n), reach=share_reaches(one, other))
    assert made.low is not None and made.high is not None
    return made.value, made.low, made.high


def alike(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """Values that are .6, all but a few, which are 0."""
    return scored(FRACTIONS, 0.6 * (rng.random(n) < rate))


def one_picture(together: float) -> Draw:
    """Return a draw of items most of which are about one picture, with this chance that those of a picture agree."""

    def draw(rng: np.random.Generator, n: int, rate: float) -> Ends:
        codes = np.repeat(np.arange(SINGLE + 1), [n - SINGLE, *[1] * SINGLE])
        agree, shared = rng.random(SINGLE + 1) < together, rng.random(SINGLE + 1) < rate
        return scored(FRACTIONS, np.where(agree[codes], shared[codes], rng.random(n) < rate).astype(float), codes)

    return draw


KINDS = {
    "mean_per_class_recall": (per_class, (50, 200), (0.7, 0.9), itself),
    "its difference of two runs": (difference, (200,), (0.8, 0.9), lambda _: -0.05),
    "values most of which are alike": (alike, (20, 50, 200), (0.9, 0.97), lambda rate: 0.6 * rate),
    "one picture has most items": (one_picture(0.0), (200, 600), (0.5, 0.9), itself),
    "one picture, of items that agree": (one_picture(0.3), (200, 600), (0.5, 0.9), itself),
}

if __name__ == "__main__":
    raise SystemExit(main())
