"""Command `validate`: checks of a task and its data before a model is asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import Form, Output, make_console, print_json
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.harness.tasks.task import Task
    from mmbench.harness.types import Sample
    from mmbench.harness.validate.findings import Finding


def validate(
    task: Annotated[str, typer.Argument(help="Task: a name of the catalogue, or a YAML file.")],
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write a sheet of 24 items to look at: a .png or .html file.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Model whose text tower the texts should fit into.")
    ] = None,
    training: Annotated[
        int | None,
        typer.Option(
            "--training",
            help="Blocks of 512 training pictures of the embedded models that built-in pictures are held against. "
            "Default: 2; 1125 are all.",
            min=0,
        ),
    ] = None,
    form: Form = Output.table,
) -> None:
    """Read all of a task's data once, and say what is wrong with it, what to look at, and what there is.

    Exit status: 0 nothing is wrong, 1 something is, 2 the task cannot be opened.
    """
    from mmbench.harness.tasks.catalogue import find_task
    from mmbench.harness.validate.findings import findings
    from mmbench.harness.validate.learnt import BLOCKS, among_learnt
    from mmbench.harness.validate.survey import survey

    found = find_task(task)
    seen = survey(found)
    made = [*findings(found, seen), *among_learnt(found, seen, BLOCKS if training is None else training)]
    if model is not None:
        with output_kept():
            made += _lengths(model, found, seen.samples)
    if sheet is not None:
        from mmbench.harness.validate.sheet import write_sheet

        write_sheet(found, len(seen.samples), sheet)
    if form is Output.json:
        print_json({"task": found.reference, "findings": [finding.as_json() for finding in made]})
    else:
        _print(found.reference, made, sheet)
    raise typer.Exit(1 if any(finding.weight == "wrong" for finding in made) else 0)


def _lengths(model: str, task: "Task", samples: "Sequence[Sample]") -> "list[Finding]":
    from mmbench.harness.models.models import Loading, make_models
    from mmbench.harness.registry import contained
    from mmbench.harness.validate.lengths import overlong

    models = make_models([model], Loading("auto", "auto", offline=False))
    if len(models) > 1:
        raise UsageError(f"'{model}' stands for {len(models)} models; texts are held against one at a time")
    asked = models[0]
    return contained(lambda: [*overlong(task, samples, asked.adapter, asked.label)], f"model '{model}' cannot be asked")


def _print(reference: str, made: "list[Finding]", sheet: Path | None) -> None:
    console = make_console()
    console.print(reference)
    for finding in made:
        mark = f"{finding.weight}: " if finding.weight != "fact" else ""
        console.print(f"  {mark}{plain(finding.sentence)}")
    if sheet is not None:
        console.print(f"Wrote {plain(str(sheet))}")
