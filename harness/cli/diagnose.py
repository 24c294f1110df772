"""Command `diagnose`: what the embedding space of a model is like on a task."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mmbench.harness.cli.common import (
    BatchSize,
    Debug,
    Device,
    Dtype,
    Offline,
    StorePath,
    Yes,
    batch_size_of,
    make_console,
    print_json,
    print_text,
)
from mmbench.harness.cli.streams import output_kept, stoppable
from mmbench.harness.errors import MmbenchError, UsageError
from mmbench.harness.render.plain import plain


class DiagnosisOutput(StrEnum):
    """Output format of a diagnosis."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"


def diagnose(
    model: Annotated[str, typer.Argument(help="Model that embeds: whatever --model of run takes, but one.")],
    task: Annotated[
        str, typer.Option("--task", help="Task whose pictures and texts are embedded: a name or a YAML file.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", help="Results folder to keep the diagnosis in. Default: it is printed.")
    ] = None,
    store: StorePath = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Number of items to embed, from the first.", min=1)
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option("--sample", help="Number of items to embed, drawn by the seed, of each class its share.", min=1),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: BatchSize = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Random seed of the sample.")] = 0,
    offline: Offline = False,
    yes: Yes = False,
    form: Annotated[
        DiagnosisOutput, typer.Option("--format", help="Output format: table, markdown, csv or json.")
    ] = DiagnosisOutput.table,
    debug: Debug = False,
) -> None:
    """Embed a task's pictures and texts, and tell what the space is like: pairs, gap, hubs, spread, rank.

    What is embedded is remembered, and shared with runs. Exit status: 0, 2 the model has no embeddings or gives none
    of a picture or text, or bad usage.
    """
    if offline:  # before huggingface_hub is imported anywhere, since it reads this once
        os.environ["HF_HUB_OFFLINE"] = "1"
    from mmbench.harness.diagnose.diagnose import diagnose as diagnosed
    from mmbench.harness.terminal.progress import Bars

    with output_kept(), Bars(make_console(stderr=True)) as bars, stoppable(lambda: bars.kept):
        try:
            made = diagnosed(
                model,
                task,
                output=output,
                store=store,
                limit=limit,
                sample=sample,
                device=device,
                dtype=dtype,
                batch_size=batch_size_of(batch_size),
                seed=seed,
                offline=offline,
                yes=yes,
                progress=bars,
            )
        except UsageError:
            raise
        except MmbenchError as error:  # nothing is scored here: whatever cannot be told leaves nothing
            raise UsageError(str(error), details=error.details) from error
    if form is DiagnosisOutput.json:
        print_json(made.as_json())
    elif form is DiagnosisOutput.csv:
        print_text(made.as_csv())
    elif form is DiagnosisOutput.markdown:
        from mmbench.harness.terminal.diagnose import diagnosis_markdown

        print_text(diagnosis_markdown(made))
    else:
        from mmbench.harness.terminal.diagnose import diagnosis_parts

        console = make_console()
        for part in diagnosis_parts(made, console.width, ascii_only=console.options.ascii_only):
            console.print(part, highlight=False)
    if output is not None:
        typer.echo(f"It is kept under {plain(str(output / 'diagnoses'))}.", err=True)
