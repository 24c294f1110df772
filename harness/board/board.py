"""Board: models ranked on tasks with equal protocols, a pure function of the records on disk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mmbench.harness.board.eligible import Apart
from mmbench.harness.board.line import Column, Line
from mmbench.harness.board.shared import Shared
from mmbench.harness.digest import Json
from mmbench.harness.records.by_fact import FactTable, fact_table, facts_of, rows_by
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.reported import Reported
from mmbench.harness.scores.gain import GAINS, GainName
from mmbench.harness.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Board:
    """A ranking over the columns, with every record it was made from."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]
    """The records that stand on the board."""
    apart: tuple[Apart, ...]
    """Records of the same tasks that do not stand in its columns, and why."""
    remarks: tuple[str, ...] = ()
    """Sentences on labels: tasks whose last try gave no scores, and other models that had the label before."""
    reported: tuple[Reported, ...] = ()
    """Published figures, those that stand among the lines included."""
    by: str | None = None
    """Fact by which scores are shown too."""
    shared: Shared | None = None
    """The tasks that all models have, where they are ranked on these alone."""

    @property
    def partial(self) -> bool:
        """True where of a task only the first items were asked."""
        return any(column.partial for column in self.columns)

    @property
    def gains(self) -> tuple[GainName, ...]:
        """The gains that something on the board has, its controls having been run."""
        held = {name for line in self.lines for cell in line.cells if cell for name in cell.gains}
        return tuple(name for name in GAINS if name in held)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What its tasks measure, in their order."""
        return tuple(dict.fromkeys(column.dimension for column in self.columns if column.dimension))

    @property
    def families(self) -> tuple[str, ...]:
        """The families of its tasks, in their order."""
        return tuple(dict.fromkeys(column.family for column in self.columns if column.family))

    @property
    def below(self) -> tuple[Reported, ...]:
        """The published figures that stand in no line."""
        sources = {(line.model, line.source) for line in self.lines if line.source is not None}
        return tuple(
            each
            for each in self.reported
            if (each.model, each.source) not in sources
            or not any(each.of(column.task) and each.metric == column.metric for column in self.columns)
        )

    def missing(self, line: Line) -> list[str]:
        """Return the tasks for which a model is not ranked: it has no score there, or one that enters no mean."""
        return [
            column.task
            for column, cell in zip(self.columns, line.cells, strict=True)
            if cell is None or (cell.best is not None and cell.corrected is None)
        ]

    @property
    def by_fact(self) -> tuple[FactTable, ...]:
        """The scores by that fact, a table for each task that has it."""
        return () if self.by is None else self.fact_tables([self.by])

    def fact_tables(self, facts: Collection[str] | None = None) -> tuple[FactTable, ...]:
        """Return the scores of each task by each of these facts, or by all of its own."""
        held = {(entry.record.reference, entry.record.model): entry.record for entry in self.entries}
        made = []
        for column in self.columns:
            asked = [held[key] for line in self.lines if (key := (column.task, line.model)) in held]
            for fact in dict.fromkeys(fact for record in asked for fact in facts_of(record)):
                if facts is None or fact in facts:
                    named = [(record.model, record) for record in asked]
                    made.append(fact_table(column.task, column.metric, fact, named))
        return tuple(table for table in made if table is not None)

    def rows(self) -> list[dict[str, Json]]:
        """Return a row for each model, task and metric, those that stand apart and published figures included."""
        lines = {(line.model, line.source): (line, self._place_of(line)) for line in self.lines}
        numbers = {column.task: i for i, column in enumerate(self.columns)}
        rows: list[dict[str, Json]] = []
        standing = [(entry, lines.get((entry.record.model, None))) for entry in self.entries]
        for entry, line in (*standing, *((each.entry, None) for each in self.apart)):
            record = entry.record
            more = self._more(line, numbers.get(record.reference))
            gains = {name: more.pop(name) for name in _GAINS}
            cost: dict[str, Json] = {"parameters": record.parameters, "items_per_second": record.items_per_second}
            rows += [
                {**row, **(gains if row["primary"] else dict.fromkeys(_GAINS)), **cost, **more, **_MEASURED}
                for row in self._rows_of(entry)
            ]
        for each in self.reported:
            among = lines.get((each.model, each.source))
            task = next((column.task for column in self.columns if each.of(column.task)), "")
            unknown: dict[str, Json] = {"parameters": None, "items_per_second": None}
            rows.append({**each.row(), **unknown, **self._more(among, numbers.get(task))})
        return rows

    def _rows_of(self, entry: Entry) -> list[dict[str, Json]]:
        record = entry.record
        return record.rows() if self.by is None else rows_by(record, self.by, entry.path.with_suffix(".parquet"))

    def _place_of(self, line: Line) -> dict[str, Json]:
        """Return what all rows of a line say of its place."""
        ranked_on: dict[str, Json] = {} if self.shared is None else {"shared": list(self.shared.tasks)}
        standing = line.standing
        return {
            **ranked_on,
            "rank": line.rank,
            "rank_low": standing.rank_low if standing else None,
            "rank_high": standing.rank_high if standing else None,
            "group": standing.group if standing else None,
            "missing": self.missing(line),
            "score": ends(line.overall),
        }

    def _more(self, placed: tuple[Line, dict[str, Json]] | None, number: int | None) -> dict[str, Json]:
        """Return what a row says of the line it belongs to, and of the column of this number."""
        if placed is None or number is None:
            return {**dict.fromkeys(_GAINS), "standing": None}
        line, place = placed
        cell, column = line.cells[number], self.columns[number]
        return {
            **{
                key: made.as_json() if cell and (made := cell.gains.get(name)) else None for key, name in _GAINS.items()
            },
            "standing": {
                **place,
                "dimension": _mean_json(column.dimension, line.dimensions),
                "family": _mean_json(column.family, line.families),
            },
        }


_GAINS: Mapping[str, GainName] = {f"{name}_gain": name for name in GAINS}
"""Key of a row to the gain that it holds."""
_MEASURED: Mapping[str, Json] = {"reported": False, "source": None, "url": None}


def ends(made: Estimate | None) -> dict[str, Json]:
    """Return a mean with its interval as rows hold it, each of the three null where there is none."""
    return {**made.named("value")} if made else dict.fromkeys(("value", "low", "high"))


def _mean_json(name: str, means: Mapping[str, Estimate | None]) -> Json:
    return {"name": name, **ends(means.get(name))} if name else None
