"""Result of a run: its records, its problems, and both as rows, frames and profiles."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.records.profile import Dimension, profile
from mmbench.harness.records.record import Record
from mmbench.harness.run.progress import Problem
from mmbench.harness.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Run:
    """What a run made."""

    tasks: tuple[Task, ...]
    records: list[Record] = field(default_factory=list)
    """One for each task that was asked, in order."""
    problems: list[Problem] = field(default_factory=list)
    """One for each that was not."""
    results: Path | None = None
    """Folder of the outcomes, from which profiles know what tasks share."""

    def rows(self) -> list[dict[str, Json]]:
        """Return a row for each model, task and metric; an unsupported task has rows without a value."""
        rows = [row for record in self.records for row in record.rows()]
        return rows + [row for problem in self.problems if problem.unsupported for row in self._empty(problem)]

    def _empty(self, problem: Problem) -> list[dict[str, Json]]:
        task = problem.sitting.task
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
            model: profile(self.tasks, [record for record in asked if record.model == model], self.results)
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
