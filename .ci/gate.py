"""Compares the scores of a fresh run with stored ones, until `mmbench check` does; exits 1 where one fell."""

import json
import sys
from pathlib import Path

LARGEST_DROP = 0.03
ITEMS = 2


def main(fresh: str, stored: str) -> int:
    """Print every score that fell, or that is missing, and return the exit status."""
    found, expected = scores(Path(fresh)), scores(Path(stored))
    problems = [
        f"{task} {metric}: not in the fresh run, or of another protocol" for task, metric, _ in expected.keys() - found
    ]
    for key in sorted(expected.keys() & found):
        (now, n), (then, _) = found[key], expected[key]
        if then - now > max(LARGEST_DROP, ITEMS / n):
            problems.append(f"{key[0]} {key[1]}: {now:.3f}, was {then:.3f}")
    print("\n".join(problems) or f"{len(expected)} scores hold")
    return 1 if problems or not expected else 0


def scores(folder: Path) -> dict[tuple[str, str, str], tuple[float, int]]:
    """Return value and items by task, metric and protocol, of metrics that are better when higher and at most 1."""
    found = {}
    for file in sorted(folder.rglob("*-mini@*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        for score in record["scores"]:
            if score["value"] is not None and score["metric"] not in ("cider", "yes_rate"):
                found[record["task"], score["metric"], record["protocol"]] = score["value"], score["n"]
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
