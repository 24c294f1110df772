"""The main job: models × tasks, asked through one store, scored, and written down as they are done."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mmbench.harness import record as records
from mmbench.harness.abilities import abilities
from mmbench.harness.controls import ControlName, parse_controls
from mmbench.harness.conversation import Meter
from mmbench.harness.digest import Json
from mmbench.harness.engine import Engine
from mmbench.harness.errors import MmbenchError, Unsupported, UsageError, WeightsUnavailable
from mmbench.harness.examination import control_of, examine
from mmbench.harness.profile import Dimension, profile
from mmbench.harness.record import Record
from mmbench.harness.registry import Loading, Model, check_adapter, make_models
from mmbench.harness.store import Store
from mmbench.harness.subject import Subject
from mmbench.harness.suite import find_suite
from mmbench.harness.task import Task
from mmbench.harness.taskfile import find_task
from mmbench.harness.tuning import MOST_MINUTES
from mmbench.harness.types import Route

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_MODELS = ("tiny-coca",)
DEFAULT_SUITE = "perception"


@dataclass(frozen=True, slots=True)
class Problem:
    """A task that gave no record, or gave one with errors."""

    model: str
    task: str
    error: MmbenchError
    control: ControlName | None = None

    @property
    def unsupported(self) -> bool:
        """True when the model cannot be asked this at all, which is no failure of the run."""
        return isinstance(self.error, Unsupported)


class Progress(Protocol):
    """Who is told how far a run is."""

    def started(self, model: str, task: Task, items: int, control: ControlName | None) -> None:
        """A task begins."""

    def expected(self, inputs: int) -> None:
        """So many inputs are to come besides the items: prompts, captions."""

    def advanced(self, asked: int, remembered: int) -> None:
        """Inputs were answered by the model or by the store."""

    def told(self, message: str) -> None:
        """Something should be known before it happens."""

    def finished(self, made: Record | Problem) -> None:
        """A task ended."""


class Silent:
    """Tells nobody."""

    def started(self, model: str, task: Task, items: int, control: ControlName | None) -> None:
        """Do nothing."""

    def expected(self, inputs: int) -> None:
        """Do nothing."""

    def advanced(self, asked: int, remembered: int) -> None:
        """Do nothing."""

    def told(self, message: str) -> None:
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
        shared |= {
            "bounds": None,
            "chance": None,
            "route": None,
            "control": problem.control,
            "protocol": None,
            "partial": False,
            "few_clusters": False,
        }
        return [{**shared, "metric": metric.name, "primary": i == 0} for i, metric in enumerate(task.family.metrics)]

    def table(self) -> "pd.DataFrame":
        """Return the rows as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def profiles(self) -> dict[str, list[Dimension]]:
        """Return the perception profile of each model that answered a task: its dimensions, in order of the tasks."""
        asked = [record for record in self.records if record.control is None]
        return {
            model: profile(self.tasks, [record for record in asked if record.model == model])
            for model in dict.fromkeys(record.model for record in asked)
        }

    def profile(self) -> "pd.DataFrame":
        """Return the profiles as a pandas frame, a row for each model and dimension."""
        import pandas as pd

        return pd.DataFrame(
            {"model": model, **dimension.as_json()} for model, made in self.profiles().items() for dimension in made
        )

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
    controls: Sequence[ControlName] = (),
    scorer: object = None,
    max_minutes: float = MOST_MINUTES,
    progress: Progress | None = None,
) -> Run:
    """Ask models the tasks of a suite, or single tasks, and write a record of each under `output`.

    `model` is a spec (`chance`, `clip-vitb32`, `my_file.py:MyAdapter`), an adapter object, or several of them; `scorer`
    is one more, for metrics that need a second model. `controls` (`blind`, `shuffled`) ask every task again without its
    pictures. Prompt learning that would take more than `max_minutes` is refused.
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
        controls=parse_controls(controls if isinstance(controls, str) else ",".join(controls)),
        scorer=choose_scorer(scorer, Loading(device, dtype, offline)),
        max_minutes=max_minutes,
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
    controls: tuple[ControlName, ...] = (),
    scorer: Model | None = None,
    max_minutes: float = MOST_MINUTES,
    progress: Progress | None = None,
) -> Run:
    """Ask each model each task and write records as they are done. Raises UsageError or DataError, as `run` does."""
    if limit is not None and limit < 1:
        raise UsageError(f"the limit must be at least 1, not {limit}")
    if seed < 0:
        raise UsageError(f"the seed must be at least 0, not {seed}")
    made = Run(tasks)
    with closing(Store(store or store_path())) as held, scorer_subject(scorer, held) as second:
        told = progress or Silent()
        session = _Session(output, limit, batch_size, seed, route, told, device, controls, second, max_minutes)
        for model in models:
            session.examine(model, held, made)
    return made


def choose_tasks(suite: str | None, task: str | Sequence[str] | None) -> tuple[Task, ...]:
    """Return the tasks of a suite and the single tasks named, each once. Raises UsageError or DataError."""
    names = [task] if isinstance(task, str) else list(task or ())
    found = find_suite(suite or DEFAULT_SUITE).tasks if suite or not names else ()
    found = (*found, *(find_task(name) for name in names))
    by_reference: dict[str, Task] = {}
    for each in found:
        first = by_reference.setdefault(each.reference, each)
        if first is not each and not first.alike(each):
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


def choose_scorer(scorer: object, loading: Loading) -> Model | None:
    """Return the second model, if one is given. Raises UsageError."""
    if scorer is None:
        return None
    found = choose_models(scorer, loading, None)
    if len(found) != 1:
        raise UsageError(f"the scorer is one model, and {len(found)} were given")
    return found[0]


def store_path() -> Path:
    """Return where answers are remembered: `$MMBENCH_HOME/store.sqlite`, by default in the user's cache directory."""
    home = os.environ.get("MMBENCH_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(home) if home else cache / "mmbench") / "store.sqlite"


@contextmanager
def scorer_subject(model: Model | None, store: Store) -> Iterator[Subject | None]:
    """Give the second model that some metrics need, behind the store. Raises UsageError when it cannot embed both."""
    if model is None:
        yield None
        return
    missing = {"embed_images", "embed_texts"} - abilities(model.adapter)
    if missing:
        raise UsageError(f"the scorer {model.label} has no {' and no '.join(sorted(missing))}; it must embed both")
    engine = Engine(model.adapter)
    try:
        scorer = Subject(model.label, model.adapter, store, engine, pinned="embed")
        store.name(scorer.fingerprint, model.label)
        yield scorer
    finally:
        engine.close()


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
    controls: tuple[ControlName, ...]
    scorer: Subject | None
    max_minutes: float

    def examine(self, model: Model, store: Store, made: Run) -> None:
        """Ask one model every task; what fails is noted and the next task goes on."""
        engine = Engine(model.adapter, self.batch_size)
        # What `auto` came to is the adapter's to say; one that does not is recorded as it was asked for.
        here = replace(self, device=str(getattr(model.adapter, "device", self.device)))
        left = list(made.tasks)
        try:
            subject = Subject(
                model.label,
                model.adapter,
                store,
                engine,
                pinned=self.route,
                scorer=self.scorer,
                most_minutes=self.max_minutes,
                tell=self.progress.told,
            )
            store.name(subject.fingerprint, model.label)
            while left:
                for control in (None, *self.controls):
                    if not here._try(subject, left[0], control, store, made):
                        break  # the question itself failed; its controls would fail alike
                left.pop(0)
        except MmbenchError as error:
            # The model itself is not to be had: no task can be asked, each try would wait for it again, and the reason
            # is told once.
            lost = [Problem(model.label, task.reference, error) for task in left]
            made.problems.extend(lost)
            self.progress.finished(lost[0])
        finally:
            engine.close()

    def _try(self, subject: Subject, task: Task, control: ControlName | None, store: Store, made: Run) -> bool:
        """Ask one task and keep its record or its problem. Raises WeightsUnavailable."""
        try:
            done = self._ask(subject, task, control, store)
        except WeightsUnavailable:
            raise
        except MmbenchError as error:
            made.problems.append(Problem(subject.name, task.reference, error, control))
            self.progress.finished(made.problems[-1])
            return control is not None
        made.records.append(done)
        self.progress.finished(done)
        return True

    def _ask(self, subject: Subject, task: Task, control: ControlName | None, store: Store) -> Record:
        self.progress.started(subject.name, task, min(task.size, self.limit or task.size), control)
        store.meter = Meter(on_progress=self.progress.advanced, on_expected=self.progress.expected)
        subject.preferred = task.routes
        subject.put_under(control_of(task, control, self.limit, self.seed) if control else None)
        record, outcomes = examine(
            task, subject, limit=self.limit, seed=self.seed, device=self.device, meter=store.meter
        )
        records.write(record, outcomes, self.output)
        return record
