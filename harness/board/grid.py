"""Board grid: the tables of a board as text cells, independent of what prints them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import View
from mmbench.harness.board.eligible import TOLD
from mmbench.harness.board.line import Cell, Column, Line, label
from mmbench.harness.board.missing import why_unranked
from mmbench.harness.records.by_fact import FactTable
from mmbench.harness.render.figures import COVERED, count, gained, interval, number, some
from mmbench.harness.render.plain import plain
from mmbench.harness.scores.gain import SAID, GainName
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.types import FEW_CLUSTERS, Score

MOST_TASKS = 12
"""Largest number of task columns; beyond it dimensions are shown, where there are any."""
_FEW_NAMES = 6
_LONGEST = 80
"""Characters of a value of a fact."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts."""

    title: str
    names: tuple[str, ...]
    """Headers of the first columns."""
    numbers: tuple[str, ...]
    """Headers of those in the middle, which are aligned right and never folded."""
    rows: tuple[tuple[str, ...], ...]
    tail: tuple[str, ...] = ()
    """Headers of the last columns."""


def choose_view(board: Board) -> View:
    """Return the default columns beside the score: tasks, or their dimensions where the tasks are many."""
    return "dimensions" if len(board.columns) > MOST_TASKS and len(board.dimensions) > 1 else "tasks"


def grids(board: Board, view: View | None = None) -> list[Grid]:
    """Return the tables of a board: the ranking, what the view names, the gains, and published figures."""
    view = view or choose_view(board)
    details = [_tasks(board) if view == "tasks" else _means(board, view), *map(fact_grid, board.by_fact)]
    details += [*(_gains(board, name) for name in board.gains), _reported(board)]
    return [ranking(board, view), *(grid for grid in details if grid.rows and grid.numbers)]


def ranking(board: Board, view: View) -> Grid:
    """Return a row for each model: where it stands, how sure that is, and what it cost."""
    columns: dict[str, Callable[[Line], str]] = {
        "score": lambda line: number(line.overall.value if line.overall else None),
        "95 % interval": lambda line: "-" if line.overall is None else interval(line.overall.low, line.overall.high),
        "ranks": rank_interval,
        "group": lambda line: "-" if line.standing is None else str(line.standing.group),
    }
    lines = board.lines
    if any(line.coverage is not None and line.coverage < COVERED for line in lines):
        columns["scored"] = lambda line: "-" if line.coverage is None else f"{line.coverage:.1%}"
    if any(line.items_per_second for line in lines):
        columns["items/s"] = lambda line: "-" if not line.items_per_second else f"{line.items_per_second:,.0f}"
    if any(line.parameters for line in lines):
        columns["params"] = lambda line: "-" if line.parameters is None else parameters(line.parameters)
    routed = view != "tasks" and any(set(line.routes) - {"embed"} for line in lines)
    rows = [
        (
            "-" if line.rank is None else str(line.rank),
            label(line),
            *(shown(line) for shown in columns.values()),
            *(["mixed" if len(line.routes) > 1 else "".join(line.routes) or "-"] if routed else []),
        )
        for line in lines
    ]
    return Grid(f"Leaderboard: {board.title}", ("#", "model"), tuple(columns), tuple(rows), ("route",) * routed)


def rank_interval(line: Line) -> str:
    """Return the ranks that a model may truly have, a dash where that is not known."""
    if line.standing is None:
        return "-"
    low, high = line.standing.rank_low, line.standing.rank_high
    return str(low) if low == high else f"{low}–{high}"


def parameters(count: int) -> str:
    """Return a number of parameters in M or B.

    >>> parameters(151_277_313), parameters(7_000_000_000), parameters(650)
    ('151 M', '7.0 B', '0.0 M')
    """
    return f"{count / 1e9:.1f} B" if count >= 1e9 else f"{count / 1e6:.{0 if count >= 1e8 else 1}f} M"


def mean(made: Estimate | None) -> str:
    """Return a mean over tasks with half its interval."""
    return "-" if made is None else number(made.value) + _spread(made.value, made.low, made.high)


def cell_text(cell: Cell | None, *, routed: bool) -> str:
    """Return a score with half its interval, its route, and the share that was scored where some was not."""
    if cell is None or cell.score.value is None:
        return "-"
    mark = f" ({cell.route})" if routed and cell.route not in ("embed", "reported") else ""
    return _score_text(cell.score, mark)


def _score_text(score: Score | None, mark: str = "") -> str:
    if score is None or score.value is None:
        return "-"
    short = f" {score.coverage:.1%} scored" if score.coverage < COVERED else ""
    return f"{number(score.value)}{_spread(score.value, score.low, score.high)}{mark}{short}"


_LOPSIDED = 1.25
"""From this ratio of its sides on an interval is written by its ends."""
_NEAR = 0.0005
"""What a figure of three decimals cannot show; nearer to 0 or 1 an end is an edge."""


def _spread(value: float | None, low: float | None, high: float | None) -> str:
    """Return half an interval, or both of its ends where one is farther from the value than the other, or is an edge.

    >>> _spread(0.5, 0.4, 0.61), _spread(0.99, 0.9, 1.0), _spread(0.95, 0.9, 1.0)
    (' ±0.105', ' (0.900 … 1.000)', ' (0.900 … 1.000)')
    """
    if value is None or low is None or high is None:
        return ""
    down, up = value - low, high - value
    edge = (value <= 1 and high > 1 - _NEAR) or abs(low) < _NEAR
    if edge or (max(down, up) > _LOPSIDED * min(down, up) and max(down, up) - min(down, up) > _NEAR):
        return f" ({number(low)} … {number(high)})"
    return f" ±{(high - low) / 2:.3f}"


def _means(board: Board, view: View) -> Grid:
    one = "dimension" if view == "dimensions" else "family"
    names = board.dimensions if view == "dimensions" else board.families

    def held(line: Line) -> Mapping[str, Estimate | None]:
        return line.dimensions if view == "dimensions" else line.families

    among = [column.dimension if view == "dimensions" else column.family for column in board.columns].count
    rows = [(name, str(among(name)), *(mean(held(line)[name]) for line in board.lines)) for name in names]
    title = f"Score by {one}"
    return Grid(title, (one, "tasks"), tuple(map(label, board.lines)), tuple(rows))


def _tasks(board: Board) -> Grid:
    rows = []
    for i, column in enumerate(board.columns):
        cells = [line.cells[i] for line in board.lines]
        routes = {cell.route for cell in cells if cell}
        alike = f" ({', '.join(routes)})" if len(routes) == 1 and routes != {"embed"} else ""
        rows.append((_name(column) + alike, *(cell_text(cell, routed=not alike) for cell in cells)))
    return Grid("Value by task", ("task and metric",), tuple(map(label, board.lines)), tuple(rows))


def fact_grid(table: FactTable) -> Grid:
    """Return the scores of a task by a fact, and below them those of all items."""
    rows = [
        (plain(level, _LONGEST), _items(scores), *(_score_text(score) for score in scores))
        for level, scores in table.shown
    ]
    rows += [(name, _items(scores), *(_score_text(score) for score in scores)) for name, scores in table.apart]
    rows.append(("all", _items(table.whole), *(_score_text(score) for score in table.whole)))
    return Grid(f"{table.task} {table.metric} by {table.fact}", (table.fact, "items"), table.names, tuple(rows))


def _items(scores: Sequence[Score | None]) -> str:
    return f"{max((score.n for score in scores if score), default=0):,}"


def _gains(board: Board, name: GainName) -> Grid:
    rows = []
    for i, column in enumerate(board.columns):
        held = [cell.gains.get(name) if (cell := line.cells[i]) else None for line in board.lines]
        if any(held):
            rows.append(
                (_name(column), *("-" if each is None else gained(each.value, each.low, each.high) for each in held))
            )
    return Grid(f"{name.capitalize()} gain", ("task and metric",), tuple(map(label, board.lines)), tuple(rows))


def _reported(board: Board) -> Grid:
    figures = sorted(board.below, key=lambda each: (each.task, each.metric, -each.value))
    rows = [(each.model, each.task, each.metric, number(each.value), each.source) for each in figures]
    return Grid("Reported elsewhere, not measured", ("model", "task", "metric"), ("value",), tuple(rows), ("source",))


def _name(column: Column) -> str:
    return f"{column.task} {column.metric}".strip()


def board_notes(board: Board) -> list[str]:
    """Return what a reader of the board should know."""
    notes = [board.shared.note()] if board.shared is not None else []
    if any(line.overall is not None for line in board.lines):
        notes.append("score: mean over tasks of (value - chance) / (best - chance); ±: half the 95 % interval")
        notes.append("in brackets: the ends of an interval whose sides are unlike, or that ends at 0 or 1")
    if sum(line.standing is not None for line in board.lines) > 1:
        notes.append("ranks: below the models that are surely better, above those surely worse; one group: a tie")
    alone = sum(line.standing.alone for line in board.lines if line.standing) // 2
    if alone:
        ranked = sum(line.standing is not None for line in board.lines)
        notes.append(
            f"{count(alone, 'pair')} of models differ when tested alone (as mmbench compare does), "
            f"but not by the stricter test that holds for all {ranked * (ranked - 1) // 2:,} pairs at once"
        )
    notes += [f"not ranked: {each}" for each in why_unranked(board)]
    if any(line.rank is not None and line.standing is None and line.source is None for line in board.lines):
        notes.append("rank without interval: the outcomes of a task cannot be read")
    if any(line.source is not None for line in board.lines):
        notes.append("(reported): published figures, set among the measured ones on request; they may not compare")
    notes += [
        f"{name} gain: how far the score is beyond the best of its controls ({SAID[name]}), with its 95 % interval"
        for name in board.gains
    ]
    few = dict.fromkeys(entry.record.reference for entry in board.entries if entry.record.primary.few_clusters)
    if few:
        notes.append(f"few clusters (under {FEW_CLUSTERS}; intervals may be too narrow): {some(list(few), _FEW_NAMES)}")
    return notes + _prompts(board) + by_notes(board) + _apart(board)


def _prompts(board: Board) -> list[str]:
    """Return the columns of tasks that were asked by a variant of their prompt."""
    asked = [entry.record for entry in board.entries if entry.record.card.prompt]
    pairs = [*dict.fromkeys(f"{record.reference} with {record.official}" for record in asked)]
    return [f"not comparable, as the prompt is not the benchmark's own: {some(pairs, _FEW_NAMES)}"] if pairs else []


def by_notes(board: Board) -> list[str]:
    """Return what the intervals by the fact of the board hold for, and the tasks that it divides not."""
    there = {table.task for table in board.by_fact}
    without = [column.task for column in board.columns if column.task not in there]
    notes = [*dict.fromkeys(table.note for table in board.by_fact)]
    if board.by is None or not without:
        return notes
    return [*notes, f"no scores by {board.by}: {some(without, _FEW_NAMES)}, of whose items it is not known"]


def _apart(board: Board) -> list[str]:
    found: dict[tuple[str, str], list[str]] = {}
    for each in board.apart:
        if each.why not in TOLD:
            found.setdefault((each.entry.record.reference, each.why), []).append(each.entry.record.model)
    apart = [f"apart: {some(models, _FEW_NAMES)} on {task} ({why})" for (task, why), models in found.items()]
    return apart + [*board.remarks]
