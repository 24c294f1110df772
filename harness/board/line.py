"""Board lines: each model's score on every task, its mean over tasks, and its rank."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.replicates import REPLICATES, Replicates
from mmbench.harness.scores.corrected import corrected
from mmbench.harness.scores.gain import Gain, GainName
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.means_of_tasks import correlation, macro_average
from mmbench.harness.statistics.standing import Standing, standings
from mmbench.harness.types import Route, Score


@dataclass(frozen=True, slots=True)
class Column:
    """Board column: a task under one protocol; differing protocols never share a column."""

    task: str
    metric: str
    protocol: str
    family: str = ""
    dimension: str = ""
    """Dimension that its card names."""
    partial: bool = False
    """True where only the first items were asked; then nobody is ranked."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Board cell: a model's primary score on one task."""

    score: Score
    route: Route | Literal["recorded", "reported"]
    best: float | None
    """Best value, the perfect one in chance correction."""
    gains: Mapping[GainName, Gain] = field(default_factory=dict)
    """What the score has over its controls, where they were run."""
    replicates: Replicates | None = field(default=None, compare=False, repr=False)
    """(REPLICATES,) of the score, paired with those of every other cell; None where its outcomes cannot be read."""

    @property
    def corrected(self) -> float | None:
        """(value - chance) / (best - chance), or None where it is not defined or too little was scored."""
        made = self.normalised
        return made.value if made else None

    @property
    def normalised(self) -> Estimate | None:
        """The same with its interval, which is that of the replicates where the score has none of its own."""
        score, drawn = self.score, self.replicates
        if (score.low is None or score.high is None) and drawn is not None and np.isfinite(drawn).mean() > 0.5:
            low, high = np.nanquantile(drawn, [0.025, 0.975])
            if low < high:  # draws of one picture alone do not vary, and tell nothing
                score = replace(score, low=float(low), high=float(high))
        return corrected(score, self.best)


@dataclass(frozen=True, slots=True)
class Entrant:
    """Entrant: a model before it is ranked."""

    model: str
    cells: tuple[Cell | None, ...]
    """One for each column."""
    items_per_second: float | None = None
    """Items that the model was asked in a second; those that the store answered do not count."""
    parameters: int | None = None
    """Its number of weights."""
    source: str | None = None
    """Who published its figures, which were not measured here; None for a measured one."""


@dataclass(frozen=True, slots=True)
class Line:
    """Board line: one model."""

    rank: int | None
    """None where a task is missing or not covered: never a mean of the rest."""
    model: str
    overall: Estimate | None
    """Mean over the tasks of the chance-corrected primary score; None where one is missing or not covered."""
    cells: tuple[Cell | None, ...]
    """One for each column."""
    standing: Standing | None = None
    """Rank with its interval; None where the model is not ranked, or its outcomes cannot be read."""
    dimensions: Mapping[str, Estimate | None] = field(default_factory=dict)
    """Mean over the tasks of each dimension; None as for `overall`."""
    families: Mapping[str, Estimate | None] = field(default_factory=dict)
    """Mean over the tasks of each family."""
    items_per_second: float | None = None
    """As of `Entrant`, with the two below."""
    parameters: int | None = None
    source: str | None = None

    @property
    def coverage(self) -> float | None:
        """The least share of scored items among its tasks; None for figures that were not measured."""
        return min((cell.score.coverage for cell in self.cells if cell and cell.route != "reported"), default=None)

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes that it was asked by."""
        return tuple(dict.fromkeys(cell.route for cell in self.cells if cell))


def label(line: Line) -> str:
    """Return a model's name, marked where its figures were not measured."""
    return line.model if line.source is None else f"{line.model} (reported)"


def groups(columns: Sequence[Column], by: Callable[[Column], str]) -> dict[str, list[int]]:
    """Return the numbers of the columns of each group, in the order of the columns; those of no group are left out."""
    found: dict[str, list[int]] = {}
    for i, column in enumerate(columns):
        if by(column):
            found.setdefault(by(column), []).append(i)
    return found


PairTests: TypeAlias = Callable[[Sequence[str]], Floats | None]
"""Labels of models to the (models, models) p of their pairs; None where outcomes cannot be read."""


def make_lines(columns: Sequence[Column], entrants: Sequence[Entrant], tests: PairTests) -> tuple[Line, ...]:
    """Return the lines, the best first, and last those that cannot be ranked."""
    dimensions = groups(columns, lambda column: column.dimension)
    families = groups(columns, lambda column: column.family)
    lines = []
    for entrant in entrants:
        together = _together(entrant.cells)
        line = Line(
            None,
            entrant.model,
            _mean(entrant.cells, together),
            entrant.cells,
            dimensions={name: _mean(entrant.cells, together, held) for name, held in dimensions.items()},
            families={name: _mean(entrant.cells, together, held) for name, held in families.items()},
            items_per_second=entrant.items_per_second,
            parameters=entrant.parameters,
            source=entrant.source,
        )
        lines.append(line)
    lines.sort(key=lambda line: (line.overall is None, -line.overall.value if line.overall else 0.0, line.model))
    placed = _placed(lines, tests)
    totals = [line.overall.value for line in lines if line.overall]
    return tuple(
        replace(line, rank=1 + sum(total > line.overall.value for total in totals), standing=placed.get(i))
        if line.overall
        else line
        for i, line in enumerate(lines)
    )


def _together(cells: Sequence[Cell | None]) -> Floats:
    """Return the (columns, columns) correlations of a model's scores."""
    rows = [_normalised(cell) if cell else np.full(REPLICATES, np.nan) for cell in cells]
    return correlation(np.stack(rows, axis=1), unknown=1.0) if rows else np.zeros((0, 0))


def _mean(cells: Sequence[Cell | None], together: Floats, of: Sequence[int] | None = None) -> Estimate | None:
    # A metric without a best value (CIDEr) has no place in a mean; a task that is missing leaves none.
    chosen = range(len(cells)) if of is None else of
    mine = [i for i in chosen if (cell := cells[i]) is None or cell.best is not None]
    scores = [score for i in mine if (cell := cells[i]) and (score := cell.normalised)]
    if not scores or len(scores) < len(mine):
        return None
    return macro_average(scores, together[np.ix_(mine, mine)])


def _normalised(cell: Cell) -> Floats:
    """Return (REPLICATES,) chance-corrected replicates, NaN where there are none."""
    chance, best = cell.score.chance, cell.best
    if cell.replicates is None or chance is None or best is None or chance == best:
        return np.full(REPLICATES, np.nan)
    return np.asarray((cell.replicates.astype(np.float64) - chance) / (best - chance))


def _placed(lines: Sequence[Line], tests: PairTests) -> dict[int, Standing]:
    """Return the rank interval of each line, by its number, where its outcomes can be read."""
    known: list[int] = []
    scores: list[float] = []
    for i, line in enumerate(lines):
        cells = [cell for cell in line.cells if cell and cell.best is not None]
        if line.overall is not None and all(cell.replicates is not None for cell in cells):
            known.append(i)
            scores.append(line.overall.value)
    if not known:
        return {}
    ps = tests([lines[i].model for i in known])
    if ps is None:
        return {}
    made = standings(np.array(scores), ps)
    fixed = [line.overall.value for i, line in enumerate(lines) if line.overall and i not in known]
    return {
        i: _below(each, sum(other > score for other in fixed))
        for i, each, score in zip(known, made, scores, strict=True)
    }


def _below(standing: Standing, more: int) -> Standing:
    """Return a standing among more models, given only the number of better ones."""
    return replace(
        standing,
        rank=standing.rank + more,
        rank_low=standing.rank_low + more,
        rank_high=standing.rank_high + more,
    )
