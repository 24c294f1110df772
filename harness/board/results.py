"""Results folder: its records, and the boards made from them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import flat_lines
from mmbench.harness.board.eligible import NOT_SHARED, OLDER, Apart, Filter, alike, by_other_prompt, outlines
from mmbench.harness.board.evidence import Evidence
from mmbench.harness.board.line import Cell, Column, Entrant, label, make_lines
from mmbench.harness.board.shared import shared_tasks
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records.attempt import attempts
from mmbench.harness.records.by_fact import check_fact
from mmbench.harness.records.curves import PlotOf, as_point, plot_curves, plot_of
from mmbench.harness.records.entry import Entry, find, in_results
from mmbench.harness.records.gains import asked
from mmbench.harness.records.record import Record
from mmbench.harness.records.reported import Reported, load_reported
from mmbench.harness.render.figures import count, interval, number
from mmbench.harness.render.notebook import notebook
from mmbench.harness.render.plain import plain, quoted
from mmbench.harness.render.plot import dots
from mmbench.harness.types import Score

if TYPE_CHECKING:
    import pandas as pd

    from mmbench.harness.numerics.arrays import Floats


class Results:
    """The records of a results folder, and the published figures beside them."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"{self.path} is a file, and results are a folder")
        if not self.path.is_dir():
            make = f"mmbench run --output {quoted(self.path)}"
            raise DataError(f"results folder {self.path} does not exist; make one with: {make}")
        found = find(in_results(self.path))
        self.entries, self.errors = list(found.entries), list(found.errors)
        self.attempts = attempts(found.entries, found.unscored)
        self.reported: tuple[Reported, ...] = ()
        try:
            self.reported = load_reported(self.path)
        except DataError as error:
            self.errors.append(error)

    @property
    def records(self) -> list[Record]:
        """All records, whatever asked for them."""
        return [entry.record for entry in self.entries]

    def board(
        self,
        suite: str | None = None,
        *,
        same_route: bool = False,
        keep: Filter | None = None,
        with_reported: bool = False,
        by: str | None = None,
        shared: bool = False,
        partial: bool = False,
    ) -> Board:
        """Return the board over the tasks of a suite, or over every task that was run.

        With `same_route` only records of the route that most models were asked by stay, task by task. `keep` limits
        models and tasks. `with_reported` sets published figures among the measured ones, to which they may not compare.
        `by` is a fact to show scores by. With `shared` models are ranked on the tasks that all of them have.
        With `partial` a task of which only the first items were asked has a column too, and nobody is ranked.
        Outcomes that cannot be read are added to `errors`. Raises UsageError where there is no such suite or fact,
        nothing that a part of `keep` names, or nothing that is shared.
        """
        keep = keep or Filter()
        latest = [entry for attempt in self.attempts for entry in attempt.entries]
        failed = [each for attempt in self.attempts for each in attempt.failed]
        outlined = outlines(suite, (entry.record for entry in latest if entry.record.control is None), failed)
        keep.check([*(each.label for each in self.attempts), *(each.model for each in self.reported)], outlined)
        keep = keep.resolved(column.task for column in outlined)
        order = [column for column in outlined if keep.task(column.task, column.family, column.dimension)]
        tasks = {column.task for column in order}
        kept = [attempt for attempt in self.attempts if keep.model(attempt.label)]
        latest = [entry for entry in latest if entry.record.reference in tasks and keep.record(entry.record)]
        mine = [entry for entry in latest if entry.record.control is None]
        failed = [each for attempt in kept for each in attempt.failed]
        stands: list[Entry] = []
        apart = by_other_prompt((each for attempt in kept for each in attempt.entries), tasks) + [
            Apart(entry, OLDER)
            for attempt in kept
            for entry in attempt.older
            if entry.record.reference in tasks and entry.record.control is None and keep.record(entry.record)
        ]
        columns: list[Column] = []
        by_task: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in mine:
            by_task[entry.record.reference].append(entry)
        for column in order:
            held, rest = alike(by_task[column.task], same_route=same_route, partial=partial)
            stands += held
            apart += rest
            if held:
                first = held[0].record
                made = replace(column, metric=first.primary.metric, protocol=first.protocol)
                columns.append(replace(made, partial=first.partial))
            elif suite or any(each.reference == column.task for each in failed):
                columns.append(column)
        reported = self._published(keep, tasks, everything=suite is None and not keep.narrows)
        evidence = Evidence(self.path)
        entrants = self._entrants(evidence, columns, stands, [entry for entry in latest if entry.record.control])
        # A model whose every task failed has a line all the same.
        lost = {each.model for each in failed if each.reference in tasks} - {entrant.model for entrant in entrants}
        entrants += [Entrant(label, (None,) * len(columns)) for label in sorted(lost)]
        if with_reported:
            entrants += _published_entrants(columns, [entry.record for entry in stands], reported)
        held_by_all = shared_tasks(columns, entrants) if shared else None
        if held_by_all is not None:
            columns, entrants = _only(held_by_all.tasks, columns, entrants)
            apart += [Apart(entry, NOT_SHARED) for entry in stands if entry.record.reference not in held_by_all.tasks]
            stands = [entry for entry in stands if entry.record.reference in held_by_all.tasks]
        if by is not None:
            check_fact(by, [each.record for each in stands], [each.path.with_suffix(".parquet") for each in stands])
        lines = make_lines(columns, entrants, lambda models: self._tests(evidence, stands, models))
        if any(column.partial for column in columns):
            lines = tuple(replace(line, rank=None, standing=None) for line in lines)
        evidence.keep(self.entries)
        said = set(map(str, self.errors))
        self.errors += [error for error in evidence.errors if str(error) not in said]
        remarks = tuple(
            remark for attempt in kept for remark in attempt.remarks(tasks if suite or keep != Filter() else None)
        )
        title = suite or "all tasks"
        return Board(
            f"{title}, those that all models share" if shared else title,
            tuple(columns),
            lines,
            tuple(stands),
            tuple(apart),
            remarks,
            reported,
            by,
            held_by_all,
        )

    def _entrants(
        self, evidence: Evidence, columns: Sequence[Column], entries: Sequence[Entry], controls: Sequence[Entry]
    ) -> list[Entrant]:
        shown: defaultdict[tuple[Json, ...], list[Entry]] = defaultdict(list)
        for entry in controls:
            shown[asked(entry.record)].append(entry)
        drawn = evidence.replicates(entry for entry in entries if entry.record.card.best is not None)
        cells: defaultdict[str, dict[str, Cell]] = defaultdict(dict)
        by_model: defaultdict[str, list[Record]] = defaultdict(list)
        for entry in entries:
            record = entry.record
            gains = evidence.gains(entry, shown.get(asked(record), ()))
            made = Cell(record.primary, record.route, record.card.best, gains, drawn.get(entry.path))
            cells[record.model][record.reference] = made
            by_model[record.model].append(record)
        return [
            Entrant(
                model,
                tuple(held.get(column.task) for column in columns),
                _speed(by_model[model]),
                next((record.parameters for record in by_model[model] if record.parameters), None),
            )
            for model, held in cells.items()
        ]

    @staticmethod
    def _tests(evidence: Evidence, entries: Sequence[Entry], models: Sequence[str]) -> "Floats | None":
        """Return the p of each pair of models in their mean over the tasks that have a scale."""
        held = {(entry.record.reference, entry.record.model): entry for entry in entries}
        scales: dict[str, float] = {}
        for record in (entry.record for entry in entries):
            chance, best = record.primary.chance, record.card.best
            if chance is not None and best is not None and chance != best:
                scales.setdefault(record.reference, 1 / (best - chance))
        return evidence.pairs({task: [held[task, model] for model in models] for task in scales}, scales)

    def _published(self, keep: Filter, tasks: set[str], *, everything: bool) -> tuple[Reported, ...]:
        return tuple(
            each
            for each in self.reported
            if keep.model(each.model) and (everything or any(each.of(task) for task in tasks))
        )

    def leaderboard(
        self,
        suite: str | None = None,
        *,
        same_route: bool = False,
        task: str | Sequence[str] = (),
        by: str | None = None,
        shared: bool = False,
    ) -> "pd.DataFrame":
        """Return the board as a pandas frame: a line for each model, a column for each task, the best first."""
        import pandas as pd

        keep = Filter(tasks=(task,) if isinstance(task, str) else tuple(task))
        return pd.DataFrame(flat_lines(self.board(suite, same_route=same_route, keep=keep, by=by, shared=shared)))

    def plot(self, what: PlotOf | None = None, suite: str | None = None) -> Any:
        """Return a figure of matplotlib over the board: the `profile` of each model, or `curves` over shots and levels.

        None: the profile where tasks name a dimension, else curves. Raises UsageError where there is nothing to plot,
        or matplotlib is not installed.
        """
        board = self.board(suite)
        lines = [line for line in board.lines if line.source is None]
        if plot_of(what, "profile" if board.dimensions else "curves") == "curves":
            return plot_curves([entry.record for entry in board.entries])
        if not board.dimensions:
            raise UsageError("there is nothing to plot: no task of the board names a dimension on its card")
        rows = {name: [as_point(line.dimensions.get(name)) for line in lines] for name in board.dimensions}
        return dots(rows, [line.model for line in lines], board.title)

    def __repr__(self) -> str:
        models = len({record.model for record in self.records})
        bad = f", {len(self.errors):,} not readable" if self.errors else ""
        return f"Results({plain(str(self.path))}: {count(models, 'model')}, {count(len(self.records), 'record')}{bad})"

    def _repr_html_(self) -> str:
        board = self.board()
        rows = [
            [
                "-" if line.rank is None else str(line.rank),
                label(line),
                number(line.overall.value if line.overall else None),
                interval(line.overall.low, line.overall.high) if line.overall else "-",
                f"{sum(cell is not None for cell in line.cells):,}",
            ]
            for line in board.lines
        ]
        header = ["rank", "model", "score", "95 % interval", "tasks"]
        notes = ["score: mean over tasks of (value - chance) / (best - chance)", *map(str, self.errors[:_MOST_NOTES])]
        return notebook(repr(self), header, rows, notes)


_MOST_NOTES = 10


def _only(
    tasks: Sequence[str], columns: Sequence[Column], entrants: Sequence[Entrant]
) -> tuple[list[Column], list[Entrant]]:
    """Return columns and models with these tasks alone."""
    kept = [i for i, column in enumerate(columns) if column.task in tasks]
    return (
        [columns[i] for i in kept],
        [replace(each, cells=tuple(each.cells[i] for i in kept)) for each in entrants],
    )


def _speed(records: Sequence[Record]) -> float | None:
    """Return the items a second that a model itself answered; what the store answered is left out by its share."""
    items = seconds = 0.0
    for record in records:
        if record.asked:
            share = record.asked / (record.asked + record.remembered)
            items += record.items_per_second * record.seconds * share
            seconds += record.seconds
    return items / seconds if seconds else None


def _published_entrants(
    columns: Sequence[Column], records: Sequence[Record], reported: Sequence[Reported]
) -> list[Entrant]:
    """Return published models as if measured, on the scale of the records that stand in the same column."""
    scales = {record.reference: record for record in records}
    found: defaultdict[tuple[str, str], dict[int, Cell]] = defaultdict(dict)
    for each, i, column in _matches(columns, reported):
        like = scales[column.task]
        score = Score(each.metric, each.value, None, None, 0, 1.0, None, like.primary.chance, True)
        found[each.model, each.source][i] = Cell(score, "reported", like.card.best)
    return [
        Entrant(model, tuple(cells.get(i) for i in range(len(columns))), source=source)
        for (model, source), cells in found.items()
    ]


def _matches(columns: Sequence[Column], reported: Sequence[Reported]) -> Iterator[tuple[Reported, int, Column]]:
    for each in reported:
        for i, column in enumerate(columns):
            if each.of(column.task) and each.metric == column.metric:
                yield each, i, column


def load(path: str | Path = "results") -> Results:
    """Return the records of a results folder. Raises DataError when there is no such folder."""
    return Results(path)
