"""Run: models × tasks, asked through one store, scored, and written down as they finish."""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from mmbench.harness.ask.controls import ControlName, parse_controls
from mmbench.harness.ask.corrupted import parse_corruptions
from mmbench.harness.ask.routes.tune import MOST_MINUTES
from mmbench.harness.engine.engines import Engines
from mmbench.harness.engine.settings import EngineName, EngineSettings
from mmbench.harness.errors import UsageError
from mmbench.harness.garbage import seldom_collected
from mmbench.harness.hub.access import network
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.render.plain import plain
from mmbench.harness.run.choose import Asked, choose_models, choose_scorer, choose_tasks, listed
from mmbench.harness.run.consent import check_consent
from mmbench.harness.run.output_folder import try_writing
from mmbench.harness.run.progress import Progress, Silent
from mmbench.harness.run.result import Run
from mmbench.harness.run.scorer import scorer_subject
from mmbench.harness.run.session import Session
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.store.budget import Budget
from mmbench.harness.store.location import store_path
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Route


def run(
    model: object = None,
    suite: str | None = None,
    task: Asked | Sequence[Asked] | None = None,
    *,
    tasks: Sequence[Asked] | None = None,
    output: str | Path = "results",
    name: str | None = None,
    store: str | Path | None = None,
    limit: int | None = None,
    sample: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int | Literal["auto"] | None = None,
    seed: int = 0,
    route: Route | None = None,
    prompt: str | None = None,
    offline: bool = False,
    controls: Sequence[ControlName] = (),
    corruptions: Sequence[str] = (),
    scorer: object = None,
    max_minutes: float = MOST_MINUTES,
    max_errors: int = 0,
    max_cost: float | None = None,
    max_total_tokens: int | None = None,
    yes: bool = False,
    engine: EngineName = "local",
    workers: int | None = None,
    address: str | None = None,
    gpus_per_worker: float | None = None,
    progress: Progress | None = None,
) -> Run:
    """Ask models the tasks of a suite, or single tasks, and write a record of each under `output`.

    `task` is a name, a task file, what `mmbench.task` made, or several of them, which may stand as `tasks` too.
    `model` is a spec (`chance`, `clip-vitb32`, `my_file.py:MyAdapter`), an adapter object, or several of them; `scorer`
    is one more, for metrics that need a second model. `prompt` names a variant (`llava`) by which tasks that have
    it are asked, each a task of its own. `controls` (such as `blind`) ask every task again without its
    pictures, or without the order of frames; `corruptions` (such as `gaussian_noise@3`, or the group `noise`) beside
    pictures made worse. Prompt learning that would take more than `max_minutes` is refused. With
    up to `max_errors` items without a score the run's `exit_code` stays 0. `limit` asks the first items of each task,
    `sample` some that the seed draws, the same for every model; such runs are partial. `max_cost` and
    `max_total_tokens` stop what is paid for. What a model would send to a service is told on standard error, and sent
    where `yes` is given or the question on the terminal answered. `engine="ray"` asks `workers`, processes that each
    load the model and have `gpus_per_worker`, on this machine or on the Ray cluster at `address`. Raises UsageError or
    DataError before anything is asked when a name, an option or a file cannot be used; whatever goes wrong with one
    task later is a Problem of the returned run, and the other tasks are kept.
    """
    for given in (model, task, tasks):
        if isinstance(given, list | tuple) and not given:
            raise UsageError("an empty list names no model and no task; leave it out for the default")
    settings = RunSettings(
        limit=limit,
        sample=sample,
        seed=seed,
        route=route,
        controls=(*parse_controls(_joined(controls)), *parse_corruptions(_joined(corruptions))),
        batch_size=None if batch_size == "auto" else batch_size,
        max_minutes=max_minutes,
        loading=Loading(device, dtype, offline),
        max_errors=max_errors,
        max_cost=max_cost,
        max_total_tokens=max_total_tokens,
        engine=EngineSettings(engine, workers, address, gpus_per_worker),
    )
    for path, what in ((output, "the results folder"), (store or output, "the store")):
        if not isinstance(path, str | os.PathLike):
            raise UsageError(f"{what} is a path, not {plain(repr(path), 60)}")
    models = choose_models(model, settings.loading, name)
    chosen = choose_tasks(suite, [*listed(task), *listed(tasks)], prompt)
    with network(allowed=not offline):  # to count what would be sent opens the data
        check_consent(models, chosen, settings, store=Path(store) if store else None, yes=yes)
    return execute(
        models,
        chosen,
        settings,
        output=Path(output),
        store=Path(store) if store else None,
        scorer=choose_scorer(scorer, settings.loading),
        progress=progress,
    )


def _joined(names: Sequence[str]) -> str:
    return names if isinstance(names, str) else ",".join(map(str, names))


def execute(
    models: Sequence[Model],
    tasks: tuple[Task, ...],
    settings: RunSettings,
    *,
    output: Path,
    store: Path | None = None,
    scorer: Model | None = None,
    progress: Progress | None = None,
) -> Run:
    """Ask each model each task and write records as they are done. Raises UsageError or DataError, as `run` does."""
    output = output.absolute()  # an adapter may change the working directory
    made = Run(tasks, results=output, max_errors=settings.max_errors)
    for model in models:
        try_writing(output, model.label)
    asks = network(allowed=not settings.loading.offline)
    with (
        asks,
        seldom_collected(),
        closing(Store((store or store_path()).absolute())) as held,
        closing(Engines(settings.engine, settings.loading)) as engines,
        scorer_subject(scorer, held, engines) as second,
    ):
        budget = Budget(settings.max_total_tokens, settings.max_cost)
        Session(settings, held, output, progress or Silent(), second, engines, budget).run(models, made)
    return made
