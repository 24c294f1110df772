"""Session: one model asked every task and control; a failure is noted and the next task goes on."""

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

from mmbench.harness.ask.subject import Subject
from mmbench.harness.digest import Json
from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.engines import Engines
from mmbench.harness.errors import InternalError, MmbenchError, Unavailable
from mmbench.harness.foreign import described, tamed
from mmbench.harness.models.models import Model
from mmbench.harness.models.read_ahead import read_ahead
from mmbench.harness.records import record as records
from mmbench.harness.records.record import Record
from mmbench.harness.records.unscored import Reason, Unscored, write_unscored
from mmbench.harness.render.plain import plain
from mmbench.harness.run.examine import control_of, examine
from mmbench.harness.run.fitting import by_fitting_route
from mmbench.harness.run.foresight import Foresight
from mmbench.harness.run.price import free, price_of
from mmbench.harness.run.progress import Problem, Progress
from mmbench.harness.run.result import Run
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.run.sitting import Sitting, fails_alike, placed
from mmbench.harness.store.budget import Budget
from mmbench.harness.store.holding import damage
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Outcome, RouteTaken


@dataclass(frozen=True, slots=True)
class Session:
    """What all models and tasks of a run share."""

    settings: RunSettings
    store: Store
    output: Path
    progress: Progress
    scorer: Subject | None
    engines: Engines
    budget: Budget = field(default_factory=Budget)
    """What may be spent on all models that are paid for."""

    def run(self, models: Sequence[Model], made: Run) -> None:
        """Ask each model every task."""
        controls = (None, *self.settings.controls)
        every = [Sitting(model.label, task, control) for model in models for task in made.tasks for control in controls]
        every = placed(every, [_items(sitting.task, self.settings) for sitting in every])
        for model, following in zip_longest(models, models[1:]):
            self._examine(model, [sitting for sitting in every if sitting.model == model.label], made, following)

    def _examine(self, model: Model, left: list[Sitting], made: Run, following: Model | None) -> None:
        """Ask one model every task; what fails is noted and the next task goes on.

        At its last task the weights of the model that follows begin to be read.
        """
        fingerprint: str | None = None
        try:
            with closing(tamed(lambda: self._engine(model))) as engine:
                subject = tamed(lambda: self._subject(model, engine))
                fingerprint = subject.fingerprint
                foresight = Foresight(subject, left, self.settings)
                try:
                    with self.store.foreseeing(engine, fingerprint, foresight):
                        while left:
                            foresight.begin(left[0])
                            if len(left) == 1 and following is not None and engine.loading:
                                read_ahead(following.adapter)  # where nothing was loaded all is remembered, as a rule
                            done = self._try(subject, left[0], engine, made)
                            left = [each for each in left[1:] if done or not fails_alike(left[0], each)]
                finally:
                    made.tracebacks.extend(engine.tracebacks())
        except Exception as error:
            # The model itself is unavailable: no task can be asked, each try would wait for it again, and the reason
            # is told once.
            lost = [Problem(sitting, _told(error)) for sitting in left]
            made.problems.extend(lost)
            for problem in lost:
                self._keep(problem, fingerprint)
            for problem in lost[:1]:
                self.progress.finished(problem)

    def _engine(self, model: Model) -> Engine:
        return self.engines.of(model, self.settings.batch_size, self.progress.told)

    def _subject(self, model: Model, engine: Engine) -> Subject:
        """Return the model as one to be examined."""
        settings = self.settings
        subject = Subject(
            model.label,
            model.adapter,
            self.store,
            engine,
            pinned=settings.route,
            fingerprint=model.fingerprint,
            scorer=self.scorer,
            most_minutes=settings.max_minutes,
            tell=self.progress.told,
        )
        self.store.name(subject.fingerprint, model.label)
        return subject

    def _try(self, subject: Subject, sitting: Sitting, engine: Engine, made: Run) -> bool:
        """Ask one task and keep its record or its problem. Raises Unavailable."""
        begun = self._unscored(sitting, subject.fingerprint, "unfinished", "begun and not finished")
        try:
            mark = write_unscored(begun, self.output)  # stands for good where the process is stopped
            done = tamed(lambda: self._ask(subject, sitting, engine, made.route_of(sitting)))
            mark.unlink(missing_ok=True)
        except Unavailable:
            raise
        except Exception as error:  # whatever goes wrong with one task, the others go on
            made.problems.append(Problem(sitting, _told(error)))
            self._keep(made.problems[-1], subject.fingerprint)
            self.progress.finished(made.problems[-1])
            return False
        made.records.append(done)
        self.progress.finished(done)
        return True

    def _ask(self, subject: Subject, sitting: Sitting, engine: Engine, taken: RouteTaken | None) -> Record:
        task = sitting.task
        self.progress.started(sitting, self.settings.items_of(task.size))
        price = price_of(subject.adapter)
        self.store.meter = Meter(
            on_progress=self.progress.advanced, on_expected=self.progress.expected, price=price or free
        )
        self.store.budget = self.budget.begin(price) if price else None
        try:
            control = control_of(sitting, self.settings)

            def hardware() -> Mapping[str, Json]:
                # What `auto` came to is the adapter's to say; one that does not is recorded as it was asked for.
                return {"device": self.settings.loading.device, **engine.hardware}

            meter = self.store.meter

            def put(sat: Subject, notes: Sequence[str]) -> tuple[Record, Sequence[Outcome]]:
                told = (*notes, *control.notes) if control else notes
                return examine(task, sat, self.settings, meter, hardware, told)

            record, outcomes = by_fitting_route(task, subject, control, put, taken)
        finally:
            if damaged := self.store.meter.damaged:
                self.progress.told(f"warning: {self.store.path}: {damage(damaged)}, left out and asked again")
        records.write(record, outcomes, self.output)
        return record

    def _keep(self, problem: Problem, fingerprint: str | None) -> None:
        """Leave on disk that a task gave no scores, so that older ones of its label do not pass for them."""
        status: Reason = "unsupported" if problem.unsupported else "failed"
        with suppress(OSError):  # a full disk is the problem that is told
            write_unscored(self._unscored(problem.sitting, fingerprint, status, plain(str(problem.error))), self.output)

    def _unscored(self, sitting: Sitting, fingerprint: str | None, status: Reason, message: str) -> Unscored:
        task = sitting.task
        return Unscored(
            model=sitting.model,
            fingerprint=fingerprint,
            task=task.name,
            version=task.version,
            family=task.family_name,
            dimension=task.card.dimension,
            route=self.settings.route,
            control=sitting.control,
            partial=_is_cut(task, self.settings),
            status=status,
            message=message,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )


def _items(task: Task, settings: RunSettings) -> int:
    """Return how many items of a task are asked; 0 of data that cannot be opened, which is told where it is asked."""
    try:
        return settings.items_of(tamed(lambda: task.size))
    except Exception:
        return 0


def _is_cut(task: Task, settings: RunSettings) -> bool:
    """Tell whether a run over so many items leaves some out; of data that cannot be opened it may."""
    try:
        size = tamed(lambda: task.size)
        return settings.items_of(size) < size
    except Exception:  # told where the task is asked
        return (settings.limit or settings.sample) is not None


def _told(error: Exception) -> MmbenchError:
    """Return an error as a sentence for the user; one that nobody foresaw keeps where it came from as its cause."""
    if isinstance(error, MmbenchError):
        return error
    told = InternalError(f"internal error ({described(error)})")
    told.__cause__ = error
    return told
