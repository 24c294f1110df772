"""Command `verify`: published figures of a model beside those measured here."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mmbench.harness.cli.common import (
    Device,
    Dtype,
    Form,
    Offline,
    Output,
    Results,
    StorePath,
    make_console,
    print_json,
)
from mmbench.harness.cli.streams import output_kept, stoppable


def verify(
    model: Annotated[str, typer.Argument(help="Model: whatever --model of run takes, or a model's published name.")],
    suite: Annotated[str | None, typer.Option("--suite", help="Suite whose tasks alone are verified.")] = None,
    anchors: Annotated[
        Path | None,
        typer.Option("--anchors", help="CSV or TSV file of published figures. Default: those that come with mmbench."),
    ] = None,
    output: Results = Path("results"),
    store: StorePath = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    offline: Offline = False,
    form: Form = Output.table,
) -> None:
    """Measure what was published of a model, as far as its weights and the data are here; nothing is fetched.

    Exit status: 0 every figure that was measured is within its tolerance, 1 one is outside or has no score,
    2 bad usage, or nothing was published of this model.
    """
    if offline:  # before huggingface_hub is imported anywhere, since it reads this once
        os.environ["HF_HUB_OFFLINE"] = "1"
    from mmbench.harness.models.models import Loading
    from mmbench.harness.run.settings import RunSettings
    from mmbench.harness.terminal.progress import Bars
    from mmbench.harness.terminal.verify import verified_note, verified_tables
    from mmbench.harness.verify.verify import verify as verified

    settings = RunSettings(loading=Loading(device, dtype, offline))
    with output_kept(), Bars(make_console(stderr=True)) as bars, stoppable(lambda: bars.kept):
        made = verified(
            model, suite=suite, anchors=anchors, output=output, store=store, settings=settings, progress=bars
        )
    if form is Output.json:
        print_json(made.as_json())
    else:
        console = make_console()
        for table in verified_tables(made):
            console.print(table)
    typer.echo(verified_note(made), err=True)
    raise typer.Exit(made.exit_code)
