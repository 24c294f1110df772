"""Command `run`: models evaluated on the tasks of a suite, or with `--dry-run` only counted."""

import os
import traceback
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import (
    BatchSize,
    By,
    Device,
    Dtype,
    Form,
    Offline,
    Output,
    Results,
    Scorer,
    StorePath,
    Yes,
    batch_size_of,
    make_console,
    print_json,
)
from mmbench.harness.cli.streams import output_kept, stoppable
from mmbench.harness.errors import InternalError, UsageError
from mmbench.harness.render.plain import clean, quoted

if TYPE_CHECKING:
    from mmbench.harness.models.models import Model
    from mmbench.harness.run.plan import Plan
    from mmbench.harness.run.result import Run
    from mmbench.harness.run.settings import RunSettings
    from mmbench.harness.tasks.task import Task


class EngineChoice(StrEnum):
    """Where models run."""

    local = "local"
    ray = "ray"


class RouteName(StrEnum):
    """Route that can be required."""

    embed = "embed"
    likelihood = "likelihood"
    generate = "generate"


def run(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="Model: alias (clip-vitb32), open_clip:ARCH/TAG, open_clip:ARCH@CHECKPOINT (a quoted glob runs each), "
            "open_clip:DIRECTORY, hf:ORG/NAME, hf:DIRECTORY, api:MODEL, api:MODEL@http://HOST:PORT/v1, replay:FILE or "
            "my_file.py:Class. Repeatable. Default: tiny-coca.",
        ),
    ] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Suite name or YAML file. Default: perception.")] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", help="Task name, YAML file, or a quoted glob of either. Repeatable.")
    ] = None,
    output: Results = Path("results"),
    name: Annotated[str | None, typer.Option("--name", help="Label of the model in results.")] = None,
    store: StorePath = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", help="Number of items to ask, from the first; such runs are never ranked.", min=1),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            help="Number of items to ask, drawn by the seed, of each class its share; such runs are never ranked.",
            min=1,
        ),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: BatchSize = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Random seed of everything that is drawn.")] = 0,
    route: Annotated[RouteName | None, typer.Option("--route", help="Route that every model must be asked by.")] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            help="Variant of the prompt, as llava, by which tasks that have it are asked, each a task of its own; "
            "default: the benchmark's own.",
        ),
    ] = None,
    controls: Annotated[
        str,
        typer.Option(
            "--controls",
            help="Controls: blind, shuffled; of clips shuffled-frames, single-frame, reversed. With commas.",
        ),
    ] = "",
    corruptions: Annotated[
        str,
        typer.Option(
            "--corruptions",
            help="Corruptions of ImageNet-C, by name or group: fog, gaussian_noise@3, noise@2-4. With commas.",
        ),
    ] = "",
    scorer: Scorer = None,
    max_minutes: Annotated[
        float, typer.Option("--max-minutes", help="Time limit of prompt learning; what would take longer is refused.")
    ] = 60.0,
    max_errors: Annotated[
        int,
        typer.Option("--max-errors", help="Items of the run that may be errors before its exit status is 1.", min=0),
    ] = 0,
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", help="Cost, in the currency of the prices given, at which asking stops.", min=0),
    ] = None,
    max_total_tokens: Annotated[
        int | None,
        typer.Option("--max-total-tokens", help="Tokens of questions and replies at which asking stops.", min=1),
    ] = None,
    yes: Yes = False,
    engine: Annotated[
        EngineChoice, typer.Option("--engine", help="Where models run: local, this process; ray, workers of Ray.")
    ] = EngineChoice.local,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Number of workers of --engine ray, each with the model loaded.", min=1),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", help="Running Ray cluster, auto or HOST:PORT. Default: one is started for the run."),
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(
            "--gpus-per-worker", help="GPUs of each worker, a part of one too. Default: 1 where there are any."
        ),
    ] = None,
    offline: Offline = False,
    by: By = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan only: show what would be asked, and ask nothing.")
    ] = False,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", help="Folder to write the questions of a dry run into, for another program."),
    ] = None,
    form: Form = Output.table,
    debug: Annotated[
        bool, typer.Option("--debug", help="Tracebacks of errors are shown, of an adapter's own code too.")
    ] = False,
) -> None:
    """Run models on the tasks of a suite, score their answers and write records.

    Exit status: 0 all done, 1 a task failed or had more errors than --max-errors, or a model was scored on nothing
    (the others are kept), 2 bad usage.
    """
    if questions is not None and not dry_run:
        raise UsageError("--questions writes what would be asked; it needs --dry-run")
    if offline:  # before huggingface_hub is imported anywhere, since it reads this once
        os.environ["HF_HUB_OFFLINE"] = "1"
    from mmbench.harness.ask.controls import parse_controls
    from mmbench.harness.ask.corrupted import parse_corruptions
    from mmbench.harness.engine.settings import EngineSettings
    from mmbench.harness.models.models import Loading
    from mmbench.harness.run.choose import check_known, choose_models, choose_scorer, choose_tasks
    from mmbench.harness.run.run import execute
    from mmbench.harness.run.settings import RunSettings

    settings = RunSettings(
        limit=limit,
        sample=sample,
        seed=seed,
        route=route.value if route else None,
        controls=(*parse_controls(controls), *parse_corruptions(corruptions)),
        batch_size=batch_size_of(batch_size),
        max_minutes=max_minutes,
        loading=Loading(device, dtype, offline),
        max_errors=max_errors,
        max_cost=max_cost,
        max_total_tokens=max_total_tokens,
        engine=EngineSettings(engine.value, workers, address, gpus_per_worker),
    )
    errors = make_console(stderr=True)
    with output_kept():  # from here on code of adapters runs
        tasks = choose_tasks(suite, task, prompt)
        check_known(by, tasks)
        models = choose_models(model, settings.loading, name)
        second = choose_scorer(scorer, settings.loading)
        if dry_run:
            plans, written = _plans(models, tasks, store, settings, questions)
        else:
            from mmbench.harness.run.consent import check_consent
            from mmbench.harness.terminal.progress import Bars

            check_consent(models, tasks, settings, store=store, yes=yes)
            with Bars(errors) as bars, stoppable(lambda: bars.kept):
                made = execute(models, tasks, settings, output=output, store=store, scorer=second, progress=bars)
    if dry_run:
        _print_plans(plans, form)
        if written is not None:
            typer.echo(written, err=True)
        return
    if debug:
        _print_tracebacks(made)
    if form is Output.json:
        print_json(made.rows(by))
    else:
        _print_run(made, output, by)
    raise typer.Exit(made.exit_code)


def _print_run(made: "Run", output: Path, by: str | None) -> None:
    from mmbench.harness.records.robustness import robustness
    from mmbench.harness.records.unscored import Lost
    from mmbench.harness.terminal.by_fact import by_fact_tables
    from mmbench.harness.terminal.profile import profiles
    from mmbench.harness.terminal.robustness import robustness_table
    from mmbench.harness.terminal.run import ending_table, run_table

    console = make_console()
    if made.records:
        console.print(run_table(made))
        if by is not None:
            console.print(by_fact_tables(made.records, by))
        if perceived := profiles(made):
            console.print(perceived)
        lost = [Lost(problem.model, problem.task, problem.control) for problem in made.problems]
        if corrupted := robustness_table(robustness(made.records, lost)):
            console.print(corrupted)
    if ends := made.endings():  # below the scores; without these there is no result, and standard output stays empty
        make_console(stderr=not made.records).print(ending_table(ends))
    if spent := _spent(made):
        typer.echo(f"Spent now: {spent}.", err=True)
    if made.records:
        typer.echo(
            f"Records are under {output / 'runs'}. Next: mmbench leaderboard --output {quoted(output)}", err=True
        )


def _spent(made: "Run") -> str:
    """Return the tokens of the answers that were paid for now, and their cost; nothing where there were none."""
    told = [record.spent for record in made.records if record.spent]
    tokens = sum(int(str(each[name])) for each in told for name in ("input", "output"))
    costs = [each["cost"] for each in told if isinstance(each["cost"], int | float)]
    return f"{tokens:,} tokens{f', {sum(costs):.6g}' if costs else ''}" if tokens else ""


def _print_tracebacks(made: "Run") -> None:
    """Print where what nobody foresaw came from, and what adapters raised for single items, the first of each kind."""
    for problem in made.problems:
        if isinstance(problem.error, InternalError):
            typer.echo(clean("".join(traceback.format_exception(problem.error))), err=True)
    for text in made.tracebacks:
        typer.echo(clean(text), err=True)


def _plans(
    models: "list[Model]", tasks: "tuple[Task, ...]", store: Path | None, settings: "RunSettings", folder: Path | None
) -> "tuple[list[Plan], str | None]":
    """Return the plan, and what was written of its questions where a folder is given for them."""
    from mmbench.harness.run.plan import plan
    from mmbench.harness.run.questions import Questions
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store

    if folder is not None and len(models) > 1:
        raise UsageError(f"--questions writes those of one model, and {len(models)} were given")
    questions = Questions(folder) if folder is not None else None
    with closing(Store(store or store_path())) as held:
        if questions is None:
            return plan(models, tasks, held, settings), None
        return plan(models, tasks, held, settings, questions.add), questions.write()


def _print_plans(plans: "list[Plan]", form: Output) -> None:
    from mmbench.harness.terminal.plan import plan_notes, plan_table

    if form is Output.json:
        print_json([each.as_json() for each in plans])
        return
    console = make_console()
    console.print(plan_table(plans))
    for note in plan_notes(plans):
        console.print(note, style="dim", highlight=False, markup=False, soft_wrap=True)
