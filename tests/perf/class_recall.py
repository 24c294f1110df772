"""Times mean per-class recall with its interval, of many items and classes; exits 1 when a target is missed.

Run as `python tests/perf/class_recall.py`. What is read is processor time and the highest memory of the process, less
that of the imports and the items.
"""

import resource
import sys

import numpy as np

from mmbench.benchmarks.metrics.classification import mean_per_class_recall, per_class_shares
from mmbench.harness.statistics.shares import share_interval

MOST_SECONDS = 3.0
MOST_BYTES = 1 << 30


def main() -> int:
    """Print seconds and bytes; return the exit status."""
    missed = False
    for items, classes in ((50_000, 1_000), (100_000, 10_000)):
        rng = np.random.default_rng(0)
        hits = rng.random(items) < 0.7
        statistics = np.column_stack([rng.integers(0, classes, items), hits]).astype(float)
        before = resource.getrusage(resource.RUSAGE_SELF)
        value = float(mean_per_class_recall(statistics, np.ones((1, items)))[0])
        ends = share_interval(per_class_shares(statistics), np.arange(items))
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        more = 1024 * (after.ru_maxrss - before.ru_maxrss)
        missed = missed or seconds > MOST_SECONDS or more > MOST_BYTES
        print(
            f"{items} items of {classes} classes: {value:.4f} {ends}, {seconds:.2f} s (at most {MOST_SECONDS:g}), "
            f"{more / 1e6:.0f} MB more (at most {MOST_BYTES / 1e6:.0f})"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
