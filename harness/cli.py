"""The command line: thin commands that import what they need when they need it."""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.harness.cli_board import import_figures, leaderboard
from mmbench.harness.cli_common import Form, Output, Results, make_console, print_json
from mmbench.harness.cli_compare import check, compare
from mmbench.harness.cli_items import report, show
from mmbench.harness.errors import MmbenchError, UsageError

if TYPE_CHECKING:
    from mmbench.harness.controls import ControlName
    from mmbench.harness.registry import Model
    from mmbench.harness.task import Task

app = typer.Typer(
    name="mmbench",
    help="What a multimodal model perceives, how it ranks, and whether yesterday's change broke it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
store_app = typer.Typer(
    help="Look at, or clean, what models answered before.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(store_app, name="store")


class RouteName(StrEnum):
    """A route to pin."""

    embed = "embed"
    likelihood = "likelihood"
    generate = "generate"


class What(StrEnum):
    """What can be listed."""

    models = "models"
    tasks = "tasks"
    suites = "suites"
    metrics = "metrics"


StorePath = Annotated[
    Path | None, typer.Option("--store", help="File that remembers answers; default: $MMBENCH_HOME/store.sqlite.")
]
Scorer = Annotated[
    str | None, typer.Option("--scorer", help="Second model, with embeddings, for metrics such as clipscore.")
]


@app.command()
def run(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="Alias (clip-vitb32), open_clip:ARCH/TAG, open_clip:ARCH@CHECKPOINT (a quoted glob runs each), "
            "open_clip:DIRECTORY or my_file.py:Class. Repeatable. Default: tiny-coca.",
        ),
    ] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Suite name or YAML file. Default: perception.")] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Task name or YAML file. Repeatable.")] = None,
    output: Results = Path("results"),
    name: Annotated[str | None, typer.Option("--name", help="Label of the model in results.")] = None,
    store: StorePath = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Ask the first N items only; never ranked.", min=1)
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[
        str, typer.Option("--dtype", help="auto (fp32 on CPU, fp16 on CUDA), fp32, fp16 or bf16.")
    ] = "auto",
    batch_size: Annotated[str, typer.Option("--batch-size", help="auto, or inputs in one forward pass.")] = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Seed of whatever is drawn at random.")] = 0,
    route: Annotated[RouteName | None, typer.Option("--route", help="Ask by this route only.")] = None,
    controls: Annotated[
        str, typer.Option("--controls", help="Ask again without the pictures: blind, shuffled or both, with a comma.")
    ] = "",
    scorer: Scorer = None,
    max_minutes: Annotated[
        float, typer.Option("--max-minutes", help="Refuse prompt learning that would take longer.")
    ] = 60.0,
    offline: Annotated[bool, typer.Option("--offline", help="Never touch the network.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be asked, and ask nothing.")] = False,
    form: Form = Output.table,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Ask models the tasks of a suite, score them and write records.

    Exit status: 0 all done, 1 a task failed or had errors (the others are kept), 2 bad usage.
    """
    if offline:  # before huggingface_hub is imported anywhere, since it reads this once
        os.environ["HF_HUB_OFFLINE"] = "1"
    from mmbench.harness.controls import parse_controls
    from mmbench.harness.registry import Loading
    from mmbench.harness.run import DEFAULT_MODELS, choose_models, choose_scorer, choose_tasks, execute

    most = _batch_size(batch_size)
    shown = parse_controls(controls)
    tasks = choose_tasks(suite, task)
    loading = Loading(device, dtype, offline)
    models = choose_models(list(model or DEFAULT_MODELS), loading, name)
    second = choose_scorer(scorer, loading)
    if dry_run:
        _dry_run(models, tasks, store, limit, route, shown, seed, form)
        return
    from mmbench.harness.console import Bars, run_table
    from mmbench.harness.console_profile import profiles

    errors = make_console(stderr=True)
    with Bars(errors) as bars:
        made = execute(
            models,
            tasks,
            output=output,
            store=store,
            limit=limit,
            batch_size=most,
            seed=seed,
            route=route.value if route else None,
            device=device,
            controls=shown,
            scorer=second,
            max_minutes=max_minutes,
            progress=bars,
        )
    if form is Output.json:
        print_json(made.rows())
    elif made.records:
        console = make_console()
        console.print(run_table(made))
        if perceived := profiles(made):
            console.print(perceived)
        typer.echo(f"Records are under {output / 'runs'}. Next: mmbench leaderboard --output {output}", err=True)
    raise typer.Exit(made.exit_code)


def _dry_run(
    models: "list[Model]",
    tasks: "tuple[Task, ...]",
    store: Path | None,
    limit: int | None,
    route: RouteName | None,
    controls: "tuple[ControlName, ...]",
    seed: int,
    form: Output,
) -> None:
    from mmbench.harness.console import plan_notes, plan_table
    from mmbench.harness.plan import plan
    from mmbench.harness.run import store_path
    from mmbench.harness.store import Store

    held = Store(store or store_path())
    try:
        plans = plan(models, tasks, held, limit, route.value if route else None, controls, seed)
    finally:
        held.close()
    if form is Output.json:
        print_json([each.as_json() for each in plans])
    else:
        console = make_console()
        console.print(plan_table(plans))
        for note in plan_notes(plans):
            console.print(note, style="dim", highlight=False, markup=False, soft_wrap=True)


@app.command()
def score(
    task: Annotated[str, typer.Argument(help="Task name or YAML file.")],
    predictions: Annotated[Path, typer.Argument(help='JSON lines: {"id": ..., "prediction": ...}.')],
    name: Annotated[str | None, typer.Option("--name", help="Label in results. Default: the file's name.")] = None,
    items: Annotated[
        Path | None, typer.Option("--items", help="Write what came of each item here, as JSON lines.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Write a record into this results folder.")] = None,
    scorer: Scorer = None,
    store: StorePath = None,
    form: Form = Output.table,
) -> None:
    """Score predictions that another system made; no model is asked.

    Exit status: 0, 1 an item is missing or could not be scored, 2 bad usage.
    """
    from mmbench.harness.registry import Loading
    from mmbench.harness.run import choose_scorer
    from mmbench.harness.scoring import score_task, write_items
    from mmbench.harness.taskfile import find_task

    if not predictions.is_file():
        raise UsageError(f"there is no file {predictions}; predictions are JSON lines with id and prediction")
    made = score_task(find_task(task), predictions, name, choose_scorer(scorer, Loading()), save, store)
    if items is not None:
        write_items(made.outcomes, items)
    if form is Output.json:
        print_json(made.rows())
    else:
        from mmbench.harness.console import scored_table

        make_console().print(scored_table(made))
    from mmbench.harness.console import scored_notes

    for note in scored_notes(made):
        typer.echo(f"warning: {note}", err=True)
    raise typer.Exit(made.exit_code)


def _batch_size(given: str) -> int | None:
    if given == "auto":
        return None
    if not given.isdigit() or int(given) < 1:
        raise UsageError(f"--batch-size is 'auto' or a whole number from 1, not '{given}'")
    return int(given)


@app.command("list")
def list_(
    what: Annotated[What, typer.Argument(help="models, tasks, suites or metrics.")], form: Form = Output.table
) -> None:
    """List the models, tasks, suites or metrics that there are."""
    from mmbench.harness.listing import list_metrics, list_models, list_suites, list_tasks

    makers: dict[What, Callable[[], list[dict[str, Any]]]] = {
        What.models: list_models,
        What.tasks: list_tasks,
        What.suites: list_suites,
        What.metrics: list_metrics,
    }
    rows = makers[what]()
    if form is Output.json:
        print_json(rows)
    else:
        from mmbench.harness.console import listing

        make_console().print(listing(what.value, rows))


app.command()(leaderboard)
app.command()(compare)
app.command()(check)
app.command()(show)
app.command()(report)
app.command("import")(import_figures)


@store_app.command()
def info(store: StorePath = None, form: Form = Output.table) -> None:
    """Show how much each model left in the store."""
    from mmbench.harness.run import store_path
    from mmbench.harness.store import Store

    path = store or store_path()
    holdings = []
    if path.is_file():  # to look must not make one
        held = Store(path)
        holdings = held.holdings()
        held.close()
    if form is Output.json:
        size = path.stat().st_size if path.is_file() else 0
        print_json({"path": str(path), "bytes": size, "models": [each.as_json() for each in holdings]})
    else:
        from mmbench.harness.console import store_table

        make_console().print(store_table(str(path), holdings))


@store_app.command()
def prune(
    model: Annotated[str | None, typer.Option("--model", help="Label or fingerprint; default: every model.")] = None,
    store: StorePath = None,
) -> None:
    """Remove what a model left in the store."""
    from mmbench.harness.errors import nearest
    from mmbench.harness.run import store_path
    from mmbench.harness.store import Store

    path = store or store_path()
    if not path.is_file():
        raise UsageError(f"there is no store {path}")
    held = Store(path)
    names = [each.name for each in held.holdings()]
    gone = held.prune(model)
    held.close()
    if model and not gone:
        raise UsageError(f"the store holds nothing of '{model}'{nearest(model, names)}")
    many = "model" if len(gone) == 1 else "models"
    typer.echo(f"removed {sum(each.answers for each in gone):,} answers of {len(gone)} {many}")


def main() -> None:
    """Run the command line; an error is one sentence on standard error."""
    debug = "--debug" in sys.argv
    try:
        app()
    except MmbenchError as error:
        if debug:
            raise
        typer.echo(f"mmbench: {error}", err=True)
        raise SystemExit(2 if isinstance(error, UsageError) else 1) from error
    except Exception as error:  # a mistake of ours: still one sentence, and what was answered is kept
        if debug:
            raise
        hint = "--debug shows where" if "run" in sys.argv[1:2] else "please report it"
        typer.echo(f"mmbench: internal error ({type(error).__name__}: {error}); {hint}", err=True)
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        typer.echo("mmbench: stopped; what was answered is kept, run the same command again to go on", err=True)
        raise SystemExit(130) from None
