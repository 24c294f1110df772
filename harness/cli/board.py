"""Commands `leaderboard` and `import`: rank measured models, and import published figures."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import By, Results, Tasks, make_console, print_json, print_text, warn
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import quoted

if TYPE_CHECKING:
    from mmbench.harness.board.board import Board
    from mmbench.harness.board.csv import View


class BoardOutput(StrEnum):
    """Format of a printed board."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"
    html = "html"


class BoardColumns(StrEnum):
    """Columns beside the score."""

    tasks = "tasks"
    dimensions = "dimensions"
    families = "families"


class BoardRoute(StrEnum):
    """Route by which a model was asked."""

    embed = "embed"
    likelihood = "likelihood"
    generate = "generate"
    recorded = "recorded"


def leaderboard(
    output: Results = Path("results"),
    suite: Annotated[
        str | None, typer.Option("--suite", help="Suite whose tasks alone are ranked. Default: every task.")
    ] = None,
    task: Tasks = None,
    by: By = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Models ranked on the tasks that all of them have; the others are named.")
    ] = False,
    same_route: Annotated[
        bool, typer.Option("--same-route", help="Models of one route only: those asked by the same one.")
    ] = False,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Model label or quoted glob to keep. Repeatable.")
    ] = None,
    dimension: Annotated[
        list[str] | None, typer.Option("--dimension", help="Dimension whose tasks to keep. Repeatable.")
    ] = None,
    family: Annotated[
        list[str] | None, typer.Option("--family", help="Family whose tasks to keep. Repeatable.")
    ] = None,
    route: Annotated[
        list[BoardRoute] | None, typer.Option("--route", help="Route whose records to keep. Repeatable.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort", help="Sort key: rank, model, score, coverage, speed, parameters, a dimension, family or task."
        ),
    ] = "rank",
    columns: Annotated[
        BoardColumns | None,
        typer.Option(
            "--columns", help="Columns: tasks, dimensions or families. Default: whichever fits; csv and html: all."
        ),
    ] = None,
    with_reported: Annotated[
        bool, typer.Option("--with-reported", help="Imported figures ranked among the measured ones.")
    ] = False,
    form: Annotated[
        BoardOutput, typer.Option("--format", help="Output format: table, markdown, csv, json or html.")
    ] = BoardOutput.table,
) -> None:
    """Rank the models in a results folder.

    Exit status: 0, 1 a record could not be read (the others are shown), 2 bad usage.
    """
    from mmbench.harness.board.eligible import Filter
    from mmbench.harness.board.results import Results as Folder
    from mmbench.harness.board.sort import sort_lines

    with output_kept():  # families of plug-ins are code of others
        results = Folder(output)
    if not results.attempts and not results.errors and not results.reported:
        raise UsageError(
            f"results folder {output} has no records; make one with: mmbench run --output {quoted(output)}"
        )
    keep = Filter(
        tuple(model or ()),
        tuple(dimension or ()),
        tuple(family or ()),
        tuple(each.value for each in route or ()),
        tuple(task or ()),
    )
    with output_kept():
        board = results.board(
            suite, same_route=same_route, keep=keep, with_reported=with_reported, by=by, shared=shared
        )
    if sort != "rank":
        board = sort_lines(board, sort)
    _print_board(board, form, columns.value if columns else None)
    for error in results.errors:
        warn(error)
    raise typer.Exit(1 if results.errors else 0)


def _print_board(board: "Board", form: BoardOutput, view: "View | None") -> None:
    if form is BoardOutput.json:
        print_json(board.rows())
    elif form is BoardOutput.csv:
        from mmbench.harness.board.csv import board_csv

        print_text(board_csv(board, view))
    elif form is BoardOutput.html:
        from mmbench.harness.report.page import board_html

        print_text(board_html(board, view), web=True)
    elif form is BoardOutput.markdown:
        from mmbench.harness.terminal.board import board_markdown

        print_text(board_markdown(board, view))
    else:
        from mmbench.harness.board.grid import board_notes
        from mmbench.harness.terminal.board import board_table

        console = make_console()
        console.print(board_table(board, console.width, view))
        for note in board_notes(board):
            console.print(note, style="dim", highlight=False, markup=False)


def import_figures(
    file: Annotated[Path, typer.Argument(help="CSV file with the columns model, task, metric, value, source, url.")],
    output: Results = Path("results"),
) -> None:
    """Import published figures as reported rows, shown below the measured ones and ranked only on request.

    Values are fractions, as in the tasks' own metrics. A figure of the same model, task, metric and source is replaced.
    Exit status: 0, 2 bad usage.
    """
    from mmbench.harness.records.reported import add_reported, doubts, read_figures
    from mmbench.harness.render.figures import count

    figures = read_figures(file)
    for doubt in doubts(output, figures):
        warn(doubt)
    replaced = add_reported(output, figures)
    models, sources = (len({getattr(each, part) for each in figures}) for part in ("model", "source"))
    counts = (count(len(figures), "figure"), count(models, "model"), count(sources, "source"))
    again = f" ({replaced:,} replaced)" if replaced else ""
    typer.echo("imported {} of {} from {}".format(*counts) + again)
    typer.echo(f"They are in {output}. Next: mmbench leaderboard --output {quoted(output)}", err=True)
