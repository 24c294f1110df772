"""Command `score`: recorded predictions scored without a model."""

from pathlib import Path
from typing import Annotated

import typer

from mmbench.harness.cli.common import Form, Output, Scorer, StorePath, make_console, print_json, warn
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import UsageError


def score(
    task: Annotated[str, typer.Argument(help="Task name or YAML file.")],
    predictions: Annotated[
        Path, typer.Argument(help='JSON Lines file of predictions: {"id": ..., "prediction": ...}.')
    ],
    name: Annotated[str | None, typer.Option("--name", help="Label in results. Default: the file's name.")] = None,
    items: Annotated[
        Path | None, typer.Option("--items", help="JSON Lines file to write with the outcome of each item.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Results folder to write a record into.")] = None,
    scorer: Scorer = None,
    store: StorePath = None,
    form: Form = Output.table,
) -> None:
    """Score predictions that another system made; no model is asked.

    Exit status: 0, 1 an item is missing or could not be scored, 2 bad usage.
    """
    from mmbench.harness.models.models import Loading
    from mmbench.harness.run.choose import choose_scorer
    from mmbench.harness.run.predictions import score_task, write_items
    from mmbench.harness.tasks.catalogue import find_task

    if not predictions.is_file():
        raise UsageError(
            f"predictions file {predictions} does not exist; predictions are JSON lines with id and prediction"
        )
    with output_kept():  # a scorer and plug-ins are code of others
        made = score_task(find_task(task), predictions, name, choose_scorer(scorer, Loading()), save, store)
    if items is not None:
        write_items(made.outcomes, items)
    if form is Output.json:
        print_json(made.rows())
    else:
        from mmbench.harness.terminal.predictions import scored_table

        make_console().print(scored_table(made))
    from mmbench.harness.terminal.predictions import scored_notes

    for note in scored_notes(made):
        warn(note)
    raise typer.Exit(made.exit_code)
