"""Commands `show` and `report`: single items at the terminal, and an HTML report with their pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import By, Form, Output, Results, make_console, print_json, warn
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import UsageError
from mmbench.harness.render.figures import count

if TYPE_CHECKING:
    from mmbench.harness.records.items import Items

LIMIT = 20
"""Default number of items of a task in a table; JSON has all."""


def show(
    run: Annotated[str, typer.Argument(help="Run: a label in results, a record file or a folder of records.")],
    task: Annotated[
        str | None, typer.Option("--task", help="Task name, YAML file or quoted glob. Default: every task.")
    ] = None,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="Wrong items only: below the best value, or without an answer.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", help="Largest number of items a task. Default: 20 in a table, all in JSON.", min=1),
    ] = None,
    by: By = None,
    output: Results = Path("results"),
    form: Form = Output.table,
) -> None:
    """Show the items of a run: question, answer and reference; or with --by its scores by a fact of the items.

    Exit status: 0, 2 bad usage.
    """
    if by is not None:
        if wrong or limit:
            raise UsageError("--by shows scores, and --wrong and --limit choose items; leave one of them out")
        _show_by(run, task, by, output, form)
        return
    from mmbench.harness.records.items import find_items, of_task, task_files
    from mmbench.harness.records.robustness import robustness
    from mmbench.harness.records.selection import select
    from mmbench.harness.run.predictions import item_json
    from mmbench.harness.terminal.robustness import robustness_table

    with output_kept():  # families of plug-ins are code of others
        selection = select(run, output)
        most = limit or (None if form is Output.json else LIMIT)
        found = find_items(selection, task, wrong=wrong, limit=most)
    for error in (*selection.errors, *selection.attempt.remarks()):
        warn(error)
    for items in found:
        if wrong and items.metric.best is None:
            warn(
                f"{items.entry.record.reference}: {items.metric.name} has no best value, so that only items "
                "without an answer are wrong"
            )
    if form is Output.json:
        print_json(
            [
                {"task": items.entry.record.task, "version": items.entry.record.version, **item_json(outcome)}
                for items in found
                for outcome in items.outcomes
            ]
        )
        return
    _print_items(found, task_files([task]))
    lost = [each.lost for each in selection.attempt.unscored]
    if corrupted := robustness_table(robustness((each.record for each in of_task(selection.entries, task)), lost)):
        make_console().print(corrupted)
    if not any(items.outcomes for items in found):
        typer.echo("no wrong items" if wrong else "no items", err=True)


def _print_items(found: "Sequence[Items]", files: Sequence[Path]) -> None:
    from mmbench.harness.terminal.items import items_table

    console = make_console()
    for items in found:
        if items.outcomes:
            console.print(items_table(items, files))


def _show_by(run: str, task: str | None, by: str, output: Path, form: Output) -> None:
    from mmbench.harness.records.by_fact import check_fact, rows_by
    from mmbench.harness.records.items import of_task
    from mmbench.harness.records.selection import select

    selection = select(run, output)
    entries = of_task(list(selection.own().values()) or list(selection.entries), task)
    outcomes = [entry.path.with_suffix(".parquet") for entry in entries]
    check_fact(by, [entry.record for entry in entries], outcomes)
    for error in (*selection.errors, *selection.attempt.remarks()):
        warn(error)
    if form is Output.json:
        print_json(
            [row for entry, path in zip(entries, outcomes, strict=True) for row in rows_by(entry.record, by, path)]
        )
        return
    from mmbench.harness.terminal.by_fact import by_fact_tables

    make_console().print(by_fact_tables([entry.record for entry in entries], by))


def report(
    output: Results = Path("results"),
    to: Annotated[Path, typer.Option("--to", help="HTML file to write.")] = Path("report.html"),
    suite: Annotated[
        str | None, typer.Option("--suite", help="Suite whose tasks alone are reported. Default: every task.")
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", help="Run that the others are compared with: a label, a record file or a folder of records."
        ),
    ] = None,
    task: Annotated[
        list[Path] | None,
        typer.Option(
            "--task", help="YAML file of a task of your own, or a quoted glob, for pictures and questions. Repeatable."
        ),
    ] = None,
) -> None:
    """Write a results folder as one HTML file that opens from disk without network.

    Runs of the first items only (run --limit) are shown, marked as partial, and rank nobody.
    Exit status: 0, 2 bad usage.
    """
    from mmbench.harness.report import write_report
    from mmbench.harness.tasks.task_names import expanded

    with output_kept():
        made = write_report(output, to, suite, [Path(file) for file in expanded(map(str, task or ()))], baseline)
    for warning in made.warnings:
        warn(warning)
    counts = (count(made.models, "model"), count(made.tasks, "task"), count(made.items, "item"))
    typer.echo(f"{to}: {', '.join(counts)}, {made.size / 1e6:.1f} MB", err=True)
