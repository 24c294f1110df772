"""`show` and `report` must hold what they show, not all of a record; prints seconds and megabytes; exits 1 for more.

Run as `python tests/perf/items_shown.py [--items N] [--models N]`. Each command is a process of its own, whose peak of
memory and processor time are read when it ends. The limits are those of the default size.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ONE, REPORT = 200.0, 400.0
"""Most megabytes for the items of one record, and for a report of all models."""


def main() -> int:
    """Print what each command takes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        fill(given.fill, given.items, given.models)
        return 0
    with tempfile.TemporaryDirectory(prefix="mmbench-items-") as made:
        folder = Path(made)
        # Not in this process, whose own peak its children would be charged with.
        sizes = ["--items", str(given.items), "--models", str(given.models), "--fill", made]
        subprocess.run([sys.executable, __file__, *sizes], check=True)
        show = ["show", "model-0", "--output", made]
        slow = [
            measured("show --limit 10", ONE, [*show, "--limit", "10"]),
            measured("show --wrong", ONE, [*show, "--limit", "10", "--wrong"]),
            measured("show --format json", ONE, [*show, "--limit", "10", "--format", "json"]),
            measured("report", REPORT, ["report", "--output", made, "--to", str(folder / "report.html")]),
        ]
    return int(any(slow))


def measured(what: str, most: float, command: list[str]) -> bool:
    """Print the processor seconds and the peak of memory of a command; tell whether it held too much."""
    child = subprocess.Popen(
        [sys.executable, "-m", "mmbench", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{what} ended with {os.waitstatus_to_exitcode(status)}")
    held = usage.ru_maxrss / 1024
    print(f"{what:20} {usage.ru_utime + usage.ru_stime:7.2f} s {held:7.0f} MB of {most:.0f}")
    return held > most


def fill(folder: Path, items: int, models: int) -> None:
    """Write a record of each model: a question about each picture, and a reply in a sentence."""
    import numpy as np

    from mmbench.harness.digest import digest_bytes
    from mmbench.harness.records.record import Record, write
    from mmbench.harness.scores.score import score
    from mmbench.harness.tasks.card import Card
    from mmbench.harness.tasks.metric import Metric
    from mmbench.harness.types import Outcome

    colours = ("red", "green", "blue", "yellow")
    for model in range(models):
        drawn = np.random.default_rng(model).integers(0, 5, items)
        outcomes = []
        for i, guess in enumerate(drawn.tolist()):
            target = colours[i % 4]
            said = colours[(i + max(0, guess - 3)) % 4]
            reply = f"Looking at picture {i}, the object in front of the others has the colour {said}, so I say {said}."
            outcomes.append(
                Outcome(
                    str(i),
                    "ok",
                    said,
                    target,
                    {"accuracy": float(said == target)},
                    {"accuracy": 0.25},
                    cluster=digest_bytes(f"{i}".encode()),
                    facts={"size": i % 7, "shape": f"shape {i % 11}"},
                    locator=f"pictures/{i:06}.png",
                    reply=reply,
                    prompt=f"Which colour has object {i % 100}? Answer with one of red, green, blue, yellow.",
                )
            )
        record = Record(
            model=f"model-{model}",
            fingerprint=digest_bytes(b"%d" % model),
            parameters=None,
            task="colours",
            version=1,
            family="multiple-choice",
            protocol="p" * 32,
            route="generate",
            control=None,
            scorer=None,
            dataset={"digest": "d" * 32, "n": items, "partial": False},
            scores=tuple(score([Metric("accuracy", "")], outcomes)),
            breakdown=(),
            card=Card(best=1.0, primary="accuracy"),
            errors=0,
            first_error=None,
            notes=(),
            details={},
            seed=0,
            versions={},
            hardware={},
            seconds=1.0,
            items_per_second=float(items),
            asked=items,
            remembered=0,
            truncated_texts=0,
            created="2026-11-01T00:00:00.000+00:00",
        )
        write(record, outcomes, folder)


if __name__ == "__main__":
    raise SystemExit(main())
