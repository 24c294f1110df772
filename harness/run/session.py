"""Session: one model asked every task and control; what fails is noted and the next task goes on."""

from dataclasses import dataclass, replace
from pathlib import Path

from mmbench.harness.ask.controls import ControlName
from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.local import Engine
from mmbench.harness.errors import MmbenchError, WeightsUnavailable
from mmbench.harness.models.models import Model
from mmbench.harness.records import record as records
from mmbench.harness.records.record import Record
from mmbench.harness.run.examine import control_of, examine
from mmbench.harness.run.progress import Problem, Progress
from mmbench.harness.run.result import Run
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Route


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
