"""A suite of a thousand task files must load in two CPU seconds, and open no data; exits 1 when that is missed.

Run as `python tests/perf/load_tasks.py`. Also printed is the time of plain `yaml.safe_load` on the same files, by which
the figure can be judged on another machine.
"""

import sys
import tempfile
import time
from pathlib import Path

import yaml

from mmbench.harness import registry
from mmbench.harness.tasks.suite import find_suite

COUNT = 1000
MOST_SECONDS = 2.0


def main() -> int:
    """Print the CPU seconds; return the exit status."""
    text = registry.files(registry.TASKS)["scenes-vqa"].read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"task-{number}.yaml" for number in range(COUNT)]
        for file in files:
            # No such data set: whoever opens one fails.
            lines = (line if not line.startswith("name:") else f"name: {file.stem}" for line in text.splitlines())
            file.write_text("\n".join(lines).replace("kind: builtin", "kind: nowhere"), encoding="utf-8")
        suite = folder / "suite.yaml"
        suite.write_text("name: many\ntasks:\n" + "".join(f"- {file.name}\n" for file in files), encoding="utf-8")
        started = time.process_time()
        tasks = find_suite(str(suite)).tasks
        ours = time.process_time() - started
        started = time.process_time()
        for file in files:
            yaml.safe_load(file.read_text(encoding="utf-8"))
        plain = time.process_time() - started
    good = len(tasks) == COUNT and ours < MOST_SECONDS
    print(f"{COUNT} task files: {ours:.2f} CPU s (at most {MOST_SECONDS:g}); plain yaml.safe_load {plain:.2f} CPU s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
