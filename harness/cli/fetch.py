"""Commands `fetch` and `lock`: public data and weights had before a run, and the commits by which they go."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import Form, Output, make_console, print_json
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.harness.fetch.pieces import Piece
    from mmbench.harness.tasks.task import Task

Suite = Annotated[str | None, typer.Option("--suite", help="Suite name or YAML file.")]
Asked = Annotated[
    list[str] | None, typer.Option("--task", help="Task name, YAML file, or a quoted glob of either. Repeatable.")
]


def fetch(
    suite: Suite = None,
    task: Asked = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Model whose weights to fetch, as for run. Repeatable.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Fetch without asking.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List what is on this machine, and fetch nothing.")] = False,
    form: Form = Output.table,
) -> None:
    """Show what data sets and weights are missing here, their sizes, licences and gates, and fetch them.

    A download that was cut goes on where it ended; every file is checked by its digest.
    Exit status: 0 all is here, 1 something could not be had (the rest is here), 2 bad usage, or nobody agreed.
    """
    if list_:
        _list(form)
        return
    tasks = _tasks(suite, task, needed=model is None)
    from mmbench.harness.fetch import pieces as fetching
    from mmbench.harness.models.models import Loading, make_models

    with output_kept():
        pieces = fetching.pieces_of(tasks, make_models(model or [], Loading()))
    missing, free = fetching.missing_bytes(pieces), fetching.free_bytes()
    console = make_console(stderr=form is Output.json)
    _tell(console, pieces, missing, free)
    room = missing <= free
    if fetching.to_fetch(pieces) and room and not yes:
        _ask()
    if room:
        with output_kept():
            fetching.fetch(pieces, tasks)
    if form is Output.json:
        print_json([piece.as_json() for piece in pieces])
    problems = [f"{piece.name}: {piece.problem}" for piece in pieces if piece.problem]
    if not room:
        problems.append("there is not room enough on the disk; free some, or set HF_HOME to a larger one")
    for problem in problems:
        typer.echo(f"mmbench: {plain(problem, 2000)}", err=True)
    if not problems:
        console.print("All of it is here." if pieces else "Nothing of it comes from the hub.")
    raise typer.Exit(1 if problems else 0)


def lock(
    suite: Suite = None,
    task: Asked = None,
    update_lock: Annotated[
        bool, typer.Option("--update-lock", help="Write locks anew, for what the hub has now.")
    ] = False,
    form: Form = Output.table,
) -> None:
    """Pin the data sets that tasks name without a revision, to the commit and digests that the hub has now.

    Exit status: 0 all is pinned, 1 the hub has another commit than a lock, or cannot be asked, 2 bad usage.
    """
    from mmbench.harness.fetch.pins import pins_of
    from mmbench.harness.terminal.fetch import pins_table

    pins = pins_of(_tasks(suite, task), update=update_lock)
    if form is Output.json:
        print_json([pin.as_json() for pin in pins])
    else:
        console = make_console()
        console.print(pins_table(pins) if pins else "None of these tasks has data of the hub.")
    for pin in pins:
        if pin.problem:
            typer.echo(f"mmbench: {pin.task}: {plain(pin.problem, 2000)}", err=True)
    raise typer.Exit(1 if any(pin.problem for pin in pins) else 0)


def _tasks(suite: str | None, task: list[str] | None, *, needed: bool = True) -> "tuple[Task, ...]":
    from mmbench.harness.run.choose import named_tasks

    if suite is None and not task:
        if needed:
            raise UsageError(
                "name what is wanted: --suite, --task, or for fetch --model; fetch --list shows what is here"
            )
        return ()
    return named_tasks(suite, task)


def _list(form: Output) -> None:
    from mmbench.harness.fetch.here import here
    from mmbench.harness.terminal.fetch import here_table

    found = here()
    if form is Output.json:
        print_json([each.as_json() for each in found])
    else:
        make_console().print(here_table(found) if found else "The hub's cache (HF_HOME) holds nothing.")


def _tell(console: object, pieces: "Sequence[Piece]", missing: int, free: int) -> None:
    from mmbench.harness.terminal.fetch import megabytes, pieces_table

    if pieces:
        console.print(pieces_table(pieces))  # type: ignore[attr-defined]
        unknown = ", and what is unknown" if any(piece.missing is None for piece in pieces) else ""
        console.print(  # type: ignore[attr-defined]
            f"To fetch: {megabytes(missing)}{unknown}; free on the disk: {megabytes(free)}."
        )


def _ask() -> None:
    answer = _asked()
    if answer is None:
        raise UsageError("nothing was fetched: give --yes to agree where no person can be asked")
    if answer.strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was fetched, as you said")


def _asked() -> str | None:
    """Return what a person says, None where there is no terminal."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    print("Fetch this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()
