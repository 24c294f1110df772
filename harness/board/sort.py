"""Sorting of board lines by any column."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from mmbench.harness.board.board import Board
from mmbench.harness.board.line import Cell, Line
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.statistics.estimate import Estimate

Key: TypeAlias = Callable[[Line], float | None]


def sort_lines(board: Board, by: str) -> Board:
    """Return the board with its lines in the order of a column, the best first and those without a value last.

    `by`: rank, model, score, coverage, speed, parameters, a dimension, a family, or a task (`digits`, `digits@1`).
    Raises UsageError that names the nearest.
    """
    if by == "model":
        return replace(board, lines=tuple(sorted(board.lines, key=lambda line: line.model)))
    keys = _keys(board)
    if by not in keys:
        raise UsageError(f"sort column '{by}' does not exist{nearest(by, keys)} (there are: {', '.join(keys)})")
    found = [(keys[by](line), line) for line in board.lines]
    ordered = sorted(found, key=lambda each: (each[0] is None, -(each[0] or 0.0)))
    return replace(board, lines=tuple(line for _, line in ordered))


def _keys(board: Board) -> dict[str, Key]:
    keys: dict[str, Key] = {
        "rank": lambda line: None if line.rank is None else -line.rank,
        "model": lambda line: None,
        "score": lambda line: line.overall.value if line.overall else None,
        "coverage": lambda line: line.coverage,
        "speed": lambda line: line.items_per_second,
        "parameters": lambda line: line.parameters,
    }
    tasks = {column.task: _of_task(i) for i, column in enumerate(board.columns)}
    short = {task.partition("@")[0]: key for task, key in tasks.items()}
    # A name of several things is that of the first kind here.
    for more in (_means(board.dimensions, "dimensions"), _means(board.families, "families"), tasks, short):
        keys = {**more, **keys}
    return keys


def _means(names: tuple[str, ...], part: str) -> dict[str, Key]:
    def of(name: str) -> Key:
        def value(line: Line) -> float | None:
            made: Estimate | None = getattr(line, part)[name]
            return made.value if made else None

        return value

    return {name: of(name) for name in names}


def _of_task(i: int) -> Key:
    def value(line: Line) -> float | None:
        cell: Cell | None = line.cells[i]
        if cell is None:
            return None
        # A metric may be best where it is lowest; corrected for chance it never is.
        return cell.score.value if cell.corrected is None else cell.corrected

    return value
