"""Missing tasks of a board: why a model that is not ranked is not, with every task that it is about."""

from collections.abc import Iterator, Sequence

from mmbench.harness.board.board import Board
from mmbench.harness.board.line import Cell, Line, label
from mmbench.harness.scores.corrected import COVERAGE_BUDGET


def why_unranked(board: Board) -> list[str]:
    """Return the models that are not ranked, each reason in brackets; models that lack the same stand together."""
    found: dict[str, list[str]] = {}
    for line in board.lines:
        for reason in _reasons(board, line) if line.rank is None else ():
            found.setdefault(reason, []).append(label(line))
    return [f"{', '.join(models)} ({reason})" for reason, models in found.items()]


def _reasons(board: Board, line: Line) -> Iterator[str]:
    missing = board.missing(line)
    cells = dict(zip((column.task for column in board.columns), line.cells, strict=True))
    absent = [task for task in missing if not _has_value(cells[task])]
    there = [task for task in cells if task not in absent]
    if absent:
        yield _absent(absent, there)
    thin = [task for task in missing if task not in absent and _is_thin(cells[task])]
    if thin:
        yield f"less than {100 * COVERAGE_BUDGET:.0f} % of its items scored on {', '.join(thin)}"
    if unscaled := [task for task in missing if task not in (*absent, *thin)]:
        yield f"no chance level apart from the best value on {', '.join(unscaled)}"


def _absent(absent: Sequence[str], there: Sequence[str]) -> str:
    """Name all tasks that have no score, by those that have where these are fewer."""
    if there and len(there) < len(absent):
        return f"no score on {len(absent)} tasks, all but {', '.join(there)}"
    return f"no score on {', '.join(absent)}"


def _has_value(cell: Cell | None) -> bool:
    return cell is not None and cell.score.value is not None


def _is_thin(cell: Cell | None) -> bool:
    return cell is not None and cell.score.coverage < COVERAGE_BUDGET
