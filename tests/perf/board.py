"""A board of many models must not be waited for; prints processor seconds and megabytes; exits 1 for too many.

Run as `python tests/perf/board.py [--models N] [--tasks N] [--items N] [--folder FOLDER]`; the limits are those of the
default size.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmbench.harness.board.cache import NAME
from mmbench.harness.board.sums import FOLDER
from mmbench.harness.digest import digest_bytes
from mmbench.harness.records import arrow as columns
from mmbench.harness.records.outcomes import digest_of, write_outcomes
from mmbench.harness.records.record import Record, sealed, write
from mmbench.harness.scores.breakdown import Level
from mmbench.harness.statistics.wilson import wilson
from mmbench.harness.tasks.card import Card
from mmbench.harness.types import Outcome, Score

FIRST, MORE, AGAIN, MEMORY = 30.0, 15.0, 1.5, 1024.0
"""Most processor seconds for the first board, for that of a model more, whose draws of pictures are made anew, and for
the next, each a process of its own, and megabytes for any."""
LEVELS = 10
"""Rows of a record's breakdown."""


def main() -> int:
    """Print what each takes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("models", 50), ("tasks", 40), ("items", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", type=Path, help="keep the records here, and use those that are there")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="mmbench-board-"))
    try:
        if not (folder / "runs").is_dir():
            fill(folder, given.models, given.tasks, given.items)
        (folder / NAME).unlink(missing_ok=True)
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        last, aside = folder / "runs" / "model-00", folder / "aside"
        last.rename(aside)
        try:
            slow = [timed("table, first", FIRST, folder, "table")]
        finally:
            aside.rename(last)
        slow += [
            timed(f"{form}, {what}", most, folder, form)
            for what, most, form in (("one more", MORE, "table"), ("again", AGAIN, "table"), ("again", AGAIN, "json"))
        ]
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'memory':16} {held:7.0f} MB of {MEMORY:.0f}")
    return int(any(slow) or held > MEMORY)


def timed(what: str, most: float, folder: Path, form: str) -> bool:
    """Print the processor seconds of a board in a fresh process; tell whether there were too many."""
    command = [sys.executable, "-m", "mmbench", "leaderboard", "--output", str(folder), "--format", form]
    # As users run it: modules are compiled once, here by the first board.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=kept)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"the board ended with {os.waitstatus_to_exitcode(status)}")
    seconds = usage.ru_utime + usage.ru_stime
    print(f"{what:16} {seconds:7.2f} s of {most}")
    return seconds > most


def fill(folder: Path, models: int, tasks: int, items: int) -> None:
    """Write records of right and wrong answers, hard items being hard for all models."""
    rng = np.random.default_rng(0)
    skill = np.linspace(0.5, 0.8, models)
    for task in range(tasks):
        pictures = [digest_bytes(f"{task} {i}".encode()) for i in range(items)]
        outcomes = [
            Outcome(str(i), "ok", "yes", "no", {"accuracy": 0.0}, {"accuracy": 0.1}, cluster=pictures[i])
            for i in range(items)
        ]
        ease = rng.normal(0, 0.2, items)
        table = None
        for model in range(models):
            right = (rng.random(items) < skill[model] + ease).astype(float)
            record = made(f"model-{model:02}", f"task-{task:02}", float(right.mean()), items)
            path = write(record, (), folder).with_suffix(".parquet")
            if table is None:
                write_outcomes(outcomes, path)
                table = pq.read_table(path)
            values = pa.StructArray.from_arrays([columns.numbers(right.tolist())], ["accuracy"])
            place = table.schema.get_field_index("values")
            pq.write_table(table.set_column(place, "values", pa.chunked_array([values])), path, compression="zstd")
            record = replace(record, outcomes_digest=digest_of(path.read_bytes()))
            path.with_suffix(".json").write_text(sealed(record.as_json()), encoding="utf-8")
        print(f"\rtask {task + 1} of {tasks} written", end="\n" if task + 1 == tasks else "", file=sys.stderr)


def made(model: str, task: str, value: float, items: int) -> Record:
    """Return a record of one metric, with a breakdown."""
    score = Score("accuracy", value, *wilson(value * items, items), items, 1.0, (value, value), 0.1, True, items)
    levels = [Level("size", level, replace(score, n=items // LEVELS)) for level in range(LEVELS)]
    return Record(
        model=model,
        fingerprint=digest_bytes(model.encode()),
        parameters=151_277_313,
        task=task,
        version=1,
        family="zero-shot-classification",
        protocol=digest_bytes(task.encode()),
        route="embed",
        control=None,
        scorer=None,
        dataset={"digest": digest_bytes(task.encode()), "n": items, "partial": False},
        scores=(score,),
        breakdown=tuple(levels),
        card=Card(best=1.0, primary="accuracy", dimension=f"dimension-{int(task[-2:]) % 12}"),
        errors=0,
        first_error=None,
        notes=(),
        details={},
        seed=0,
        versions={},
        hardware={},
        seconds=10.0,
        items_per_second=items / 10,
        asked=items,
        remembered=0,
        truncated_texts=0,
        created="2026-11-01T00:00:00.000+00:00",
    )


if __name__ == "__main__":
    raise SystemExit(main())
