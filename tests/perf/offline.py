"""Offline, every missing piece of a suite must be named within a CPU second, beside what it takes to start.

Run as `python tests/perf/offline.py`: `mmbench fetch` and `mmbench run` of the suite perception-hub, none of whose 42
tasks has its data here, in a process that has run them before; beside it stands what the first of each took, most of it
imports. Exits 1 when it takes longer, or names fewer.
"""

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

MOST_SECONDS, TASKS = 1.0, 42
COMMANDS = (
    ["fetch", "--suite", "perception-hub"],
    ["run", "--offline", "--suite", "perception-hub", "--model", "chance"],
)


def seconds(arguments: list[str]) -> tuple[float, str]:
    """Return the CPU seconds of a command and what it said."""
    from mmbench.harness.cli.app import main

    said = io.StringIO()
    sys.argv = ["mmbench", *arguments]
    started = time.process_time()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        main()
    return time.process_time() - started, said.getvalue()


def main() -> int:
    """Print the figures; return the exit status."""
    good = True
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"MMBENCH_HOME": f"{name}/home", "HF_HOME": f"{name}/hf", "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
        os.chdir(Path(name))
        for arguments in COMMANDS:
            first, _ = seconds(arguments)
            again, said = seconds(arguments)
            named = sum("not in the hub's cache" in line for line in said.splitlines())
            good &= again <= MOST_SECONDS and named >= TASKS
            print(f"mmbench {arguments[0]}: {named} missing pieces after {again:.2f} CPU s (at first {first:.2f})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
