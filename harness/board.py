"""The board: models ranked on tasks that were asked alike, a pure function of the records on disk."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmbench.harness import registry
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.gain import Gain, visual_gain
from mmbench.harness.record import Record, find, newest, read_outcomes
from mmbench.harness.score import corrected
from mmbench.harness.suite import task_references
from mmbench.harness.task import Family, Metric
from mmbench.harness.types import Outcome, Route, Score

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Cell:
    """A model's primary score on one task."""

    score: Score
    route: Route | Literal["recorded"]
    best: float | None
    """What chance correction takes as perfect."""
    gain: Gain | None = None
    """What the score owes to the pictures, where controls were run."""

    @property
    def corrected(self) -> float | None:
        """(value - chance) / (best - chance), or None where it is not defined or too little was scored."""
        made = corrected(self.score, self.best)
        return made.value if made else None


@dataclass(frozen=True, slots=True)
class Line:
    """One model on the board."""

    rank: int | None
    """None where a task is missing or not covered: never a mean of the rest."""
    model: str
    overall: float | None
    """Mean over the tasks of the chance-corrected primary score."""
    cells: tuple[Cell | None, ...]
    """One for each column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A task under one protocol; rows of unlike protocols never share a column."""

    task: str
    metric: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Board:
    """A ranking over the columns, with every record it was made from."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    records: tuple[Record, ...]
    """What stands on the board."""
    apart: tuple[Record, ...]
    """Records of the same tasks that were asked under another protocol, or only in part."""

    @property
    def gains(self) -> bool:
        """True when controls were run for something on the board."""
        return any(cell and cell.gain for line in self.lines for cell in line.cells)

    def rows(self) -> list[dict[str, Json]]:
        """Return a row for each model, task and metric, those that stand apart included."""
        gains = {
            (line.model, column.task): cell.gain
            for line in self.lines
            for column, cell in zip(self.columns, line.cells, strict=True)
            if cell and cell.gain
        }
        stands = {id(record): gains.get((record.model, record.reference)) for record in self.records}
        return [
            {**row, "visual_gain": gain.as_json() if gain and row["primary"] else None}
            for record in (*self.records, *self.apart)
            for gain in (stands.get(id(record)),)
            for row in record.rows()
        ]


class Results:
    """The records of a results folder."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise DataError(f"there is no results folder {self.path}; make one with: mmbench run --output {self.path}")
        self.records, self.errors = find(self.path)

    def board(self, suite: str | None = None, *, same_route: bool = False) -> Board:
        """Return the board over the tasks of a suite, or over every task that was run.

        With `same_route` only records of the route that most models were asked by stay, task by task.
        """
        tasks = task_references(suite) if suite else None
        latest = [r for r in newest(self.records) if tasks is None or r.reference in tasks]
        mine = [record for record in latest if record.control is None]
        controls: defaultdict[tuple[Json, ...], list[Record]] = defaultdict(list)
        for record in latest:
            if record.control:
                controls[_asked(record)].append(record)
        order = tasks or sorted({record.reference for record in mine})
        stands: list[Record] = []
        columns: list[Column] = []
        for task in order:
            held = _alike([record for record in mine if record.reference == task], same_route=same_route)
            stands += held
            if held:
                columns.append(Column(task, held[0].primary.metric, held[0].protocol))
            else:
                columns.append(Column(task, "", ""))
        chosen = set(map(id, stands))
        apart = [record for record in mine if id(record) not in chosen]
        title = suite or "all tasks"
        lines = _lines(columns, [(record, self._gain(record, controls.get(_asked(record), ()))) for record in stands])
        return Board(title, tuple(columns), lines, tuple(stands), tuple(apart))

    def _gain(self, record: Record, controls: Sequence[Record]) -> Gain | None:
        """Return what a record's primary score owes to the pictures, from the outcomes beside it and its controls'."""
        if not controls:
            return None
        name = record.primary.metric
        family: type[Family] = registry.find(registry.FAMILIES, record.family, "family")
        # A name of a family of names (`accuracy@3`) is not among the known, and is the mean of its values.
        metric = next((known for known in family.known_metrics if known.name == name), Metric(name, ""))
        try:
            outcomes = {str(other.control): self._outcomes(other) for other in controls}
            return visual_gain(metric, self._outcomes(record), outcomes)
        except DataError as error:
            self.errors.append(error)
            return None

    def _outcomes(self, record: Record) -> list[Outcome]:
        return read_outcomes(self.path / "runs" / record.model / record.file_name)

    def leaderboard(self, suite: str | None = None, *, same_route: bool = False) -> "pd.DataFrame":
        """Return the board as a pandas frame: a line for each model, a column for each task, the best first."""
        import pandas as pd

        return pd.DataFrame(as_table(self.board(suite, same_route=same_route)))


def _asked(record: Record) -> tuple[Json, ...]:
    """Return what a record shares with its controls."""
    return (record.model, record.reference, record.protocol, record.route, record.partial)


def _alike(records: Sequence[Record], *, same_route: bool) -> list[Record]:
    """Return the records that may share a column: whole, of one protocol, one for each model.

    Of several protocols the one of the record made last stands; of several routes of a model, likewise.
    """
    whole = [record for record in records if not record.partial]
    if not whole:
        return []
    current = max(whole, key=lambda record: record.created).protocol
    held = [record for record in whole if record.protocol == current]
    if same_route:
        routes = [record.route for record in held]
        commonest = max(sorted(set(routes)), key=routes.count)
        held = [record for record in held if record.route == commonest]
    latest = {record.model: record for record in sorted(held, key=lambda record: record.created)}
    return list(latest.values())


def _lines(columns: Sequence[Column], records: Iterable[tuple[Record, Gain | None]]) -> tuple[Line, ...]:
    found = {(record.model, record.reference): (record, gain) for record, gain in records}
    unranked = []
    for model in dict.fromkeys(model for model, _ in found):
        cells = [_cell(found.get((model, column.task))) for column in columns]
        # A metric without a best value (CIDEr) has no place in a mean; a task that is missing leaves none.
        corrected = [cell.corrected if cell else None for cell in cells if cell is None or cell.best is not None]
        whole = [value for value in corrected if value is not None]
        overall = sum(whole) / len(whole) if whole and len(whole) == len(corrected) else None
        unranked.append((model, overall, tuple(cells)))
    unranked.sort(key=lambda line: (line[1] is None, -(line[1] or 0.0), line[0]))
    totals = [overall for _, overall, _ in unranked if overall is not None]
    return tuple(
        Line(None if overall is None else 1 + sum(other > overall for other in totals), model, overall, cells)
        for model, overall, cells in unranked
    )


def _cell(found: tuple[Record, Gain | None] | None) -> Cell | None:
    if found is None:
        return None
    record, gain = found
    return Cell(record.primary, record.route, record.card.best, gain)


def as_table(board: Board) -> list[dict[str, Json]]:
    """Return one flat mapping for each line, for frames, CSV and Markdown."""
    table = []
    for line in board.lines:
        flat: dict[str, Json] = {"rank": line.rank, "model": line.model, "score": line.overall}
        for column, cell in zip(board.columns, line.cells, strict=True):
            name = f"{column.task} {column.metric}".strip()
            flat[name] = cell.score.value if cell else None
            flat[f"{name} low"] = cell.score.low if cell else None
            flat[f"{name} high"] = cell.score.high if cell else None
            flat[f"{name} route"] = cell.route if cell else None
            if board.gains:
                flat[f"{name} visual gain"] = cell.gain.value if cell and cell.gain else None
                flat[f"{name} visual gain low"] = cell.gain.low if cell and cell.gain else None
                flat[f"{name} visual gain high"] = cell.gain.high if cell and cell.gain else None
        table.append(flat)
    return table


def load(path: str | Path = "results") -> Results:
    """Return the records of a results folder. Raises DataError when there is no such folder."""
    return Results(path)
