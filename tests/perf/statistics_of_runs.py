"""Statistics must not be what a comparison waits for; prints processor seconds and megabytes; exits 1 for too many.

Run as `python tests/perf/statistics_of_runs.py [--items N] [--tasks N]`.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np

from mmbench.harness.statistics.paired import paired

PAIR, MEMORY = 2.0, 1024.0
"""Most processor seconds for two models on all tasks, and megabytes, at the default size."""


def main() -> int:
    """Print what each takes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("items", 10_000), ("tasks", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    names = [str(i) for i in range(given.items)]
    right = (rng.random((2, given.items)) < 0.7).astype(float)
    share = rng.random((2, given.items))
    slow = timed("right or wrong", PAIR, lambda: [paired(*right, names) for _ in range(given.tasks)])
    slow += timed("other values", PAIR, lambda: [paired(*share, names) for _ in range(given.tasks)])
    pictures = [str(i // 5) for i in range(given.items)]
    slow += timed("five items a picture", PAIR, lambda: [paired(*right, pictures) for _ in range(given.tasks)])
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'memory':24} {held:7.0f} MB of {MEMORY:.0f}")
    return int(slow > 0 or held > MEMORY)


def timed(what: str, most: float, work: Callable[[], object]) -> bool:
    """Print the seconds of `work`; tell whether there were too many."""
    start = time.process_time()
    work()
    seconds = time.process_time() - start
    print(f"{what:24} {seconds:7.2f} s of {most:.0f}")
    return seconds > most


if __name__ == "__main__":
    raise SystemExit(main())
