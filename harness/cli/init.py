"""Command `init`: a starting task file from data."""

import itertools
from pathlib import Path
from typing import Annotated

import typer

from mmbench.harness.cli.common import make_console
from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import plain

_TRIED = 100
"""Items that are made of the data before the file is called ready."""


def init(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Class folders, a CSV, TSV, JSON lines, Parquet, JSON or tar file, or ORG/NAME of the hub.",
        ),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="Task file to write. Default: NAME.yaml here, after the data.")
    ] = None,
) -> None:
    """Look at data and write a starting task file for it, with comments on what should be looked at.

    Exit status: 0 written, 2 the data is of no kind that is read, or the file is there already.
    """
    from mmbench.harness.registry import DEFAULTS, contained, find
    from mmbench.harness.tasks.task_file import load_task

    file = to or Path(f"{path.resolve().name.partition('.')[0] or 'task'}.yaml")
    if file.exists():
        raise UsageError(f"{file} is there already; name another file with --to")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder; make it first")
    text = contained(lambda: find(DEFAULTS, "init", "default")(path, file.parent), f"{path} cannot be looked at")
    with file.open("x", encoding="utf-8") as written:
        written.write(text)
    console = make_console()
    console.print(f"Wrote {plain(str(file))}")
    for line in text.splitlines():
        if line.startswith("# To look at:"):
            console.print(plain(line.removeprefix("# ")))
    if not path.exists():  # of the hub: to try its items would fetch whole shards
        console.print(f"Next: mmbench fetch --task {plain(str(file))}")
        return
    try:
        task = load_task(file)
        for _ in itertools.islice(task.family.samples(), _TRIED):
            pass
        console.print(f"{task.reference}: {task.family.name}, {task.size} rows")
        console.print(f"Next: mmbench validate {plain(str(file))}")
    except UsageError as error:
        console.print(f"Before it runs: {plain(str(error))}")
