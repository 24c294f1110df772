"""How many scenes are drawn in a second on one core, over the perception suite; exits 1 below the target.

Run as `python tests/perf/scenes.py`.
"""

import argparse
import sys
import time

from mmbench.benchmarks.scenes.rows import SIZES, rows

LEAST = 400


def main() -> int:
    """Print pictures a CPU second for each data set and for all; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="pictures of each data set")
    given = parser.parse_args()
    pictures, spent = 0, 0.0
    for name in SIZES:
        shown = [
            image
            for row, _ in zip(rows(name, "validation"), range(given.count), strict=False)
            for image in (row.cells["images"] if "images" in row.cells else [row.cells["image"]])
        ]
        shown[0].pil()  # the table of noise is made once
        began = time.process_time()
        for image in shown:
            image.pil()
        taken = time.process_time() - began
        print(f"{name:20} {len(shown) / taken:8.0f} pictures/s")
        pictures, spent = pictures + len(shown), spent + taken
    print(f"{'all':20} {pictures / spent:8.0f} pictures/s, target {LEAST}")
    return 0 if pictures / spent >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
