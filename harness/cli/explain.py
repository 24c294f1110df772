"""Command `explain`: where a model looked when it chose."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import Device, Dtype, Results, StorePath, make_console, warn
from mmbench.harness.cli.streams import output_kept, stoppable
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.render.figures import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmbench.harness.explain.explain import Explained
    from mmbench.harness.explain.maps import How
    from mmbench.harness.numerics.arrays import Floats
    from mmbench.harness.report.explained import Page

LIMIT = 8
"""Default number of items: each is asked hundreds of times."""


class MethodName(StrEnum):
    """How a map is made."""

    occlusion = "occlusion"
    rise = "rise"


class FillName(StrEnum):
    """What stands in place of what is hidden."""

    grey = "grey"
    mean = "mean"


def explain(
    run: Annotated[str, typer.Argument(help="Run: a label in results, a record file or a folder of records.")],
    task: Annotated[str, typer.Option("--task", help="Task name or YAML file.")],
    wrong: Annotated[bool, typer.Option("--wrong", help="Wrong items only: below the best value.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="Largest number of items, the first ones.", min=1)] = LIMIT,
    method: Annotated[
        MethodName, typer.Option("--method", help="Method: occlusion hides patches in turn, rise half of the picture.")
    ] = MethodName.occlusion,
    patch: Annotated[
        int | None,
        typer.Option("--patch", help="Side of a patch in pixels of the picture. Default: an eighth of it.", min=1),
    ] = None,
    masks: Annotated[
        int | None, typer.Option("--masks", help="Number of random masks of rise. Default: 1000.", min=2)
    ] = None,
    fill: Annotated[
        FillName,
        typer.Option("--fill", help="What stands in place of what is hidden: middle grey, or the mean colour."),
    ] = FillName.grey,
    box: Annotated[
        str | None, typer.Option("--box", help="Fact of the items that holds their true box, x1 y1 x2 y2 in pixels.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Model of the run, as for run. Default: the run's label.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="HTML file to write, with each picture and its map.")] = None,
    output: Results = Path("results"),
    store: StorePath = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Show which parts of a picture the score of the chosen option depends on; nothing is fetched.

    Exit status: 0, 2 bad usage, or nothing that can be explained.
    """
    from mmbench.harness.explain.chosen import choose_items, model_of
    from mmbench.harness.explain.explain import explained, told
    from mmbench.harness.models.models import Loading
    from mmbench.harness.records.selection import select
    from mmbench.harness.report.explained import Page
    from mmbench.harness.store.meter import Meter
    from mmbench.harness.terminal.explained import explained_table, remarks
    from mmbench.harness.terminal.progress import Bars

    how, loading, meter = _how(method, patch, masks, fill), Loading(device, dtype, offline=True), Meter()
    with output_kept():  # families of plug-ins are code of others
        selection = select(run, output)
        chosen = choose_items(selection, task, wrong=wrong, limit=limit, box=box)
        asked = model_of(chosen.record, model, loading)
    page = Page(to, chosen, how) if to else None
    for message in (*selection.errors, *selection.attempt.remarks(), *chosen.passed):
        warn(message)
    typer.echo(told(chosen, how), err=True)
    with output_kept(), Bars(make_console(stderr=True)) as bars, stoppable(lambda: "what was answered is remembered"):
        found = explained(chosen, asked, how, store=store, loading=loading, progress=bars, meter=meter)
        made, failed = _gathered(found, page)
    if not made:
        raise UsageError(f"no item of {chosen.record.reference} could be explained; the first: {failed[0]}")
    for message in failed:
        warn(message)
    if page is None:
        make_console().print(explained_table(chosen, made, how.method))
    else:
        for remark in remarks(made):
            warn(remark)
        typer.echo(f"{to}: {count(len(made), 'item')}, {page.write() / 1e6:.1f} MB", err=True)
    typer.echo(f"{count(meter.asked, 'input')} asked, {meter.remembered:,} remembered", err=True)


def _how(method: MethodName, patch: int | None, masks: int | None, fill: FillName) -> "How":
    from mmbench.harness.explain.maps import MASKS, How

    if method is MethodName.occlusion and masks is not None:
        raise UsageError("--masks is for --method rise; occlusion hides patches, whose side is --patch")
    if method is MethodName.rise and patch is not None:
        raise UsageError("--patch is for --method occlusion; rise draws --masks")
    return How(method.value, patch, masks or MASKS, fill.value)


def _gathered(
    found: "Iterable[tuple[Explained, Floats] | DataError]", page: "Page | None"
) -> "tuple[list[Explained], list[DataError]]":
    """Put each item on the page, if there is one; no more than one map is held."""
    made: list[Explained] = []
    failed: list[DataError] = []
    for each in found:
        if isinstance(each, DataError):
            failed.append(each)
            continue
        made.append(each[0])
        if page is not None:
            page.add(*each)
    return made, failed
