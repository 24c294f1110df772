"""Result of a run: its records, its problems, and both as rows, frames and profiles."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.foreign import tamed
from mmbench.harness.records.by_fact import check_fact, levels_below, rows_by
from mmbench.harness.records.curves import PlotOf, plot_curves, plot_of
from mmbench.harness.records.profile import Profile, plot_profiles, profile
from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import count, interval, number
from mmbench.harness.render.notebook import notebook
from mmbench.harness.run.ending import Ending, endings
from mmbench.harness.run.progress import Problem
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import RouteTaken

if TYPE_CHECKING:
    import pandas as pd

_MOST_NOTES = 10


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
    max_errors: int = 0
    """Items without a score up to which it counts as done."""
    tracebacks: list[str] = field(default_factory=list)
    """Of what adapters raised for single items, the first of each kind."""

    def rows(self, by: str | None = None) -> list[dict[str, Json]]:
        """Return a row for each model, task and metric; a task that gave no scores has rows with the `reason`.

        With the name of a fact each row of a record holds the scores by its values under `by`.
        """
        rows: list[dict[str, Json]] = []
        for record in self.records:
            why: dict[str, Json] = {} if _scored(record) else {"reason": record.first_error}
            own = record.rows() if by is None else rows_by(record, by, self.outcomes(record))
            rows += [{**row, **why} for row in own]
        return rows + [row for problem in self.problems for row in _empty(problem)]

    def endings(self) -> list[Ending]:
        """Return what gave no scores or left items out, and what to do about it; nothing where all was done."""
        return endings(self.records, self.problems, self.results)

    def _scored_on_nothing(self) -> set[str]:
        """Return the models of which no task gave a score."""
        tried = {problem.model for problem in self.problems} | {record.model for record in self.records}
        return tried - {record.model for record in self.records if _scored(record)}

    def route_of(self, sitting: Sitting) -> RouteTaken | None:
        """Return the route by which the task of a control was asked; None for a task itself."""
        own = (record for record in self.records if record.control is None and record.model == sitting.model)
        asked = (record.route for record in own if record.reference == sitting.task.reference)
        return next(asked, None) if sitting.control else None

    def outcomes(self, record: Record) -> Path | None:
        """Return the file of a record's outcomes."""
        folder = self.results
        return folder and (folder / "runs" / record.model / record.file_name).with_suffix(".parquet")

    def table(self, by: str | None = None) -> "pd.DataFrame":
        """Return the rows as a pandas frame; with a fact also those of its values, told apart by `fact` and `level`.

        Raises UsageError where no task of the run is broken down by this fact.
        """
        import pandas as pd

        if by is None:
            return pd.DataFrame(self.rows())
        check_fact(by, self.records, [path for record in self.records if (path := self.outcomes(record))])
        return pd.DataFrame(levels_below(self.rows(by)))

    def profiles(self) -> dict[str, Profile]:
        """Return the perception profile of each model that answered a task."""
        asked = dict.fromkeys(record.model for record in self.records if record.control is None)
        mine = {model: [record for record in self.records if record.model == model] for model in asked}
        return {model: Profile(model, tuple(profile(self.tasks, mine[model], self.results))) for model in asked}

    def profile(self) -> "pd.DataFrame":
        """Return the profiles as a pandas frame, a row for each model and dimension."""
        import pandas as pd

        return pd.DataFrame(
            {"model": model, **dimension.as_json()} for model, made in self.profiles().items() for dimension in made
        )

    def plot(self, what: PlotOf | None = None) -> Any:
        """Return a figure of matplotlib: the `profile` of each model, or `curves` over shots and levels.

        None: the profile where tasks name two dimensions, else curves. Raises UsageError where there is nothing to
        plot, or matplotlib is not installed.
        """
        asked = [record for record in self.records if record.control is None]
        many = len({record.card.dimension for record in asked} - {""}) > 1
        if plot_of(what, "profile" if many else "curves") == "curves":
            return plot_curves(asked)
        return plot_profiles(list(self.profiles().values()))

    def __repr__(self) -> str:
        models = {record.model for record in self.records} | {problem.model for problem in self.problems}
        asked = f"{count(len(models), 'model')}, {count(len(self.tasks), 'task')}: {count(len(self.records), 'record')}"
        return f"Run({asked}{f', {len(self.problems):,} without scores' if self.problems else ''})"

    def _repr_html_(self) -> str:
        rows = [
            [
                record.model,
                record.reference,
                record.primary.metric,
                f"{record.route}, {record.control}" if record.control else record.route,
                number(record.primary.value),
                interval(record.primary.low, record.primary.high),
                f"{record.primary.n:,}",
            ]
            for record in self.records
        ]
        header = ["model", "task", "metric", "route", "score", "95 % interval", "n"]
        left = [
            f"{record.model}, {record.reference}: {count(record.errors, 'error')}, such as: {record.first_error}"
            for record in self.records
            if record.errors
        ]
        lost = [f"{problem.model}, {problem.task}: {problem.error}" for problem in self.problems]
        notes = [*lost, *left]
        more = [f"and {len(notes) - _MOST_NOTES:,} more tasks without scores or with errors"]
        return notebook(repr(self), header, rows, [*notes[:_MOST_NOTES], *(more if len(notes) > _MOST_NOTES else [])])

    @property
    def exit_code(self) -> int:
        """0 when all is done, 2 when nothing but bad input was met, else 1.

        That is where a task failed, more than `max_errors` items had errors, or a model was scored on nothing at all.
        """
        failed = [problem for problem in self.problems if not problem.unsupported]
        if failed and not self.records and all(isinstance(problem.error, UsageError) for problem in failed):
            return 2
        errors = sum(record.errors for record in self.records)
        return int(bool(failed) or errors > self.max_errors or bool(self._scored_on_nothing()))


def _scored(record: Record) -> bool:
    return any(score.value is not None for score in record.scores)


def _empty(problem: Problem) -> list[dict[str, Json]]:
    """Return the rows of a task without scores: one for each metric, or one alone where its data cannot be opened."""
    task = problem.sitting.task
    names: list[str | None] = [None]
    with suppress(Exception):  # whatever a family of others raises was told as the problem
        names = [metric.name for metric in tamed(lambda: task.family.metrics)]
    shared: dict[str, Json] = {"model": problem.model, "task": task.name, "version": task.version}
    shared |= {"family": task.family_name, "value": None, "low": None, "high": None, "n": 0, "coverage": 0.0}
    shared |= {
        "bounds": None,
        "chance": None,
        "route": None,
        "control": problem.control,
        "protocol": None,
        "partial": False,
        "few_clusters": False,
        "reason": str(problem.error),
    }
    return [{**shared, "metric": name, "primary": i == 0} for i, name in enumerate(names)]
