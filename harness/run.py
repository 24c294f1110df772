"""The main job: models × tasks, asked through one store, scored, and written down as they are done."""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mmbench.harness import record as records
from mmbench.harness.conversation import Meter
from mmbench.harness.dataset import Dataset
from mmbench.harness.digest import Json
from mmbench.harness.engine import Engine
from mmbench.harness.errors import DataError, MmbenchError, Unsupported, UsageError, WeightsUnavailable
from mmbench.harness.record import Record
from mmbench.harness.registry import Loading, Model, check_adapter, make_models
from mmbench.harness.score import break_down, score
from mmbench.harness.store import Store
from mmbench.harness.subject import Subject
from mmbench.harness.suite import find_suite
from mmbench.harness.task import Card, Task
from mmbench.harness.taskfile import find_task
from mmbench.harness.types import Outcome, Route

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_MODELS = ("chance", "untrained-tiny")
DEFAULT_SUITE = "digits"

_PACKAGES = ("mmbench", "torch", "torchvision", "open_clip_torch", "numpy", "pillow")


@dataclass(frozen=True, slots=True)
class Problem:
    """A task that gave no record, or gave one with errors."""

    model: str
    task: str
    error: MmbenchError

    @property
    def unsupported(self) -> bool:
        """True when the model cannot be asked this at all, which is no failure of the run."""
        return isinstance(self.error, Unsupported)


class Progress(Protocol):
    """Who is told how far a run is."""

    def started(self, model: str, task: Task, items: int) -> None:
        """A task begins."""

    def expected(self, inputs: int) -> None:
        """So many inputs are to come besides the items: prompts, captions."""

    def advanced(self, asked: int, remembered: int) -> None:
        """Inputs were answered by the model or by the store."""

    def finished(self, made: Record | Problem) -> None:
        """A task ended."""


class Silent:
    """Tells nobody."""

    def started(self, model: str, task: Task, items: int) -> None:
        """Do nothing."""

    def expected(self, inputs: int) -> None:
        """Do nothing."""

    def advanced(self, asked: int, remembered: int) -> None:
        """Do nothing."""

    def finished(self, made: Record | Problem) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run made."""

    tasks: tuple[Task, ...]
    records: list[Record] = field(default_factory=list)
    """One for each task that was asked, in order."""
    problems: list[Problem] = field(default_factory=list)
    """One for each that was not."""

    def rows(self) -> list[dict[str, Json]]:
        """Return a row for each model, task and metric; an unsupported task has rows without a value."""
        rows = [row for record in self.records for row in record.rows()]
        return rows + [row for problem in self.problems if problem.unsupported for row in self._empty(problem)]

    def _empty(self, problem: Problem) -> list[dict[str, Json]]:
        task = next(task for task in self.tasks if task.reference == problem.task)
        shared: dict[str, Json] = {"model": problem.model, "task": task.name, "version": task.version}
        shared |= {"family": task.family.name, "value": None, "low": None, "high": None, "n": 0, "coverage": 0.0}
        shared |= {"bounds": None, "chance": None, "route": None, "control": None, "protocol": None, "partial": False}
        return [{**shared, "metric": metric.name, "primary": i == 0} for i, metric in enumerate(task.family.metrics)]

    def table(self) -> "pd.DataFrame":
        """Return the rows as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    @property
    def exit_code(self) -> int:
        """0 when all is done, 1 when a task failed or had errors, 2 when nothing but bad input was met."""
        failed = [problem for problem in self.problems if not problem.unsupported]
        if failed and not self.records and all(isinstance(problem.error, UsageError) for problem in failed):
            return 2
        return int(bool(failed) or any(record.errors for record in self.records))


def run(
    model: object = DEFAULT_MODELS,
    suite: str | None = None,
    task: str | Sequence[str] | None = None,
    *,
    output: str | Path = "results",
    name: str | None = None,
    store: str | Path | None = None,
    limit: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int | None = None,
    seed: int = 0,
    route: Route | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Ask models the tasks of a suite, or single tasks, and write a record of each under `output`.

    `model` is a spec (`chance`, `clip-vitb32`, `my_file.py:MyAdapter`), an adapter object, or several of them.
    Raises UsageError or DataError before anything is asked when a name, an option or a file cannot be used; whatever
    goes wrong with one task later is a Problem of the returned run, and the other tasks are kept.
    """
    return execute(
        choose_models(model, Loading(device, dtype, offline), name),
        choose_tasks(suite, task),
        output=Path(output),
        store=Path(store) if store else None,
        limit=limit,
        batch_size=batch_size,
        seed=seed,
        route=route,
        device=device,
        progress=progress,
    )


def execute(
    models: Sequence[Model],
    tasks: tuple[Task, ...],
    *,
    output: Path,
    store: Path | None = None,
    limit: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    route: Route | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Run:
    """Ask each model each task and write records as they are done. Raises UsageError or DataError, as `run` does."""
    if limit is not None and limit < 1:
        raise UsageError(f"the limit must be at least 1, not {limit}")
    made = Run(tasks)
    session = _Session(output, limit, batch_size, seed, route, progress or Silent(), device)
    held = Store(store or store_path())
    try:
        for model in models:
            session.examine(model, held, made)
    finally:
        held.close()
    return made


def choose_tasks(suite: str | None, task: str | Sequence[str] | None) -> tuple[Task, ...]:
    """Return the tasks of a suite and the single tasks named, each once. Raises UsageError or DataError."""
    names = [task] if isinstance(task, str) else list(task or ())
    found = find_suite(suite or DEFAULT_SUITE).tasks if suite or not names else ()
    found = (*found, *(find_task(name) for name in names))
    by_reference: dict[str, Task] = {}
    for each in found:
        if not by_reference.setdefault(each.reference, each).alike(each):
            raise UsageError(f"two different tasks are called {each.reference}; give one another name or version")
    return tuple(by_reference.values())


def choose_models(model: object, loading: Loading, name: str | None) -> list[Model]:
    """Return a labelled adapter for each spec or adapter object. Raises UsageError."""
    given = list(model) if isinstance(model, (list, tuple)) else [model]
    specs = [each for each in given if isinstance(each, str)]
    objects = [each for each in given if not isinstance(each, str)]
    if name and len(given) > 1:
        raise UsageError(f"the name '{name}' stands for one model, and {len(given)} are to run; leave it out")
    kinds = [type(each).__name__ for each in objects]
    own = [
        # Several objects of one class are numbered: nothing else is known that would tell them apart.
        Model(name or (kind if kinds.count(kind) == 1 else f"{kind}-{kinds[: i + 1].count(kind)}"), "", adapter)
        for i, (kind, adapter) in enumerate(zip(kinds, map(check_adapter, objects, kinds), strict=True))
    ]
    return make_models(specs, loading, name) + own


def store_path() -> Path:
    """Return where answers are remembered: `$MMBENCH_HOME/store.sqlite`, by default in the user's cache directory."""
    home = os.environ.get("MMBENCH_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(home) if home else cache / "mmbench") / "store.sqlite"


@dataclass(frozen=True, slots=True)
class _Session:
    """The settings that all tasks of a run share."""

    output: Path
    limit: int | None
    batch_size: int | None
    seed: int
    route: Route | None
    progress: Progress
    device: str

    def examine(self, model: Model, store: Store, made: Run) -> None:
        """Ask one model every task; what fails is noted and the next task goes on."""
        engine = Engine(model.adapter, self.batch_size)
        # What `auto` came to is the adapter's to say; one that does not is recorded as it was asked for.
        here = replace(self, device=str(getattr(model.adapter, "device", self.device)))
        left = list(made.tasks)
        try:
            subject = Subject(model.label, model.adapter, store, engine, pinned=self.route)
            store.name(subject.fingerprint, model.label)
            while left:
                try:
                    done = here._ask(subject, left[0], store)
                    made.records.append(done)
                    self.progress.finished(done)
                except WeightsUnavailable:
                    raise
                except MmbenchError as error:
                    made.problems.append(Problem(model.label, left[0].reference, error))
                    self.progress.finished(made.problems[-1])
                left.pop(0)
        except MmbenchError as error:
            # The model itself is not to be had: no task can be asked, each try would wait for it again, and the reason
            # is told once.
            lost = [Problem(model.label, task.reference, error) for task in left]
            made.problems.extend(lost)
            self.progress.finished(lost[0])
        finally:
            engine.close()

    def _ask(self, subject: Subject, task: Task, store: Store) -> Record:
        items = min(task.size, self.limit or task.size)
        self.progress.started(subject.name, task, items)
        store.meter = Meter(on_progress=self.progress.advanced, on_expected=self.progress.expected)
        started = time.perf_counter()
        subject.preferred = task.routes
        dataset = Dataset(task.family.samples(), self.limit)
        outcomes = list(task.family.outcomes(subject, dataset))
        if not outcomes:
            raise DataError(f"task {task.reference} has no items")
        made = self._record(subject, task, dataset, outcomes, store.meter, time.perf_counter() - started)
        records.write(made, outcomes, self.output)
        return made

    def _record(
        self, subject: Subject, task: Task, dataset: Dataset, outcomes: list[Outcome], meter: Meter, seconds: float
    ) -> Record:
        digest = dataset.digest()
        route = subject.route
        if route is None:
            raise DataError(f"task {task.reference} asked its subject nothing")
        return Record(
            model=subject.name,
            fingerprint=subject.fingerprint,
            task=task.name,
            version=task.version,
            family=task.family.name,
            protocol=task.protocol_id(digest),
            route=route,
            control=None,
            dataset={"digest": digest, "n": dataset.n, "partial": dataset.cut},
            scores=tuple(score(task.family.metrics, outcomes, task.card.chance)),
            breakdown=tuple(break_down(task.family.metrics, outcomes)),
            card=_full_card(task),
            errors=sum(outcome.status == "error" for outcome in outcomes),
            first_error=next((outcome.message for outcome in outcomes if outcome.status == "error"), None),
            seed=self.seed,
            versions=_versions(),
            hardware={"machine": platform.machine(), "cpus": os.cpu_count(), "device": self.device},
            seconds=round(seconds, 3),
            items_per_second=round(dataset.n / max(seconds, 1e-9), 2),
            asked=meter.asked,
            remembered=meter.remembered,
            truncated_texts=meter.truncated_texts,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )


def _full_card(task: Task) -> Card:
    """The task's card, with the best possible value of its primary metric where the card does not say."""
    primary = task.family.metrics[0]
    best = primary.best if task.card.best is None else task.card.best
    return task.card.model_copy(update={"best": best, "primary": primary.name})


def _versions() -> dict[str, Json]:
    found: dict[str, Json] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
