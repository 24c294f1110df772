"""Board table at the terminal and in Markdown: best model first, and no wider than the page."""

from collections.abc import Iterable, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import View
from mmbench.harness.board.grid import Grid, board_notes, grids
from mmbench.harness.render.plain import clean, markdown_text
from mmbench.harness.terminal.tables import empty_table

_EDGE = 2
"""Columns of a table that are blank at its sides."""
_TEXTS = ("task and metric", "source")
"""Columns of several words, which fold."""
_SOURCE = 20
"""Least width of these."""


def board_table(board: Board, width: int, view: View | None = None) -> Group:
    """Return the tables of a board; one that is too wide is cut between its numbers."""
    return Group(*(table for grid in grids(board, view) for table in _tables(grid, width)))


def _tables(grid: Grid, width: int) -> list[Table]:
    start, end = len(grid.names), len(grid.names) + len(grid.numbers)
    columns: list[tuple[str, ...]] = list(zip(*grid.rows, strict=True)) or [()] * (end + len(grid.tail))
    heads = (*grid.names, *grid.numbers, *grid.tail)
    widths = [max(map(len, (head, *column))) for head, column in zip(heads, columns, strict=True)]
    numbers = widths[start:end]
    names = [_least(head, column, each) for head, column, each in zip(grid.names, columns, widths, strict=False)]
    tail = [_SOURCE if head == "source" else each for head, each in zip(grid.tail, widths[end:], strict=True)]
    # Cut beside its names, or with its names above its numbers, in lines of their own, where that takes fewer lines.
    beside = _blocks(numbers, width - _EDGE - sum(each + 2 for each in (*names, *tail)))
    stacked = _blocks(numbers, width - _EDGE - sum(each + 2 for each in tail))
    room = width - _EDGE - sum(each + 2 for each in (*names, *tail))
    if max(numbers, default=0) > room or 2 * len(stacked) < len(beside):
        beside = stacked
    tables: list[Table] = []
    for block in beside:
        title = grid.title if not tables else ""
        table = empty_table(title, grid.names, [grid.numbers[i] for i in block], grid.tail, texts=_TEXTS)
        for row in grid.rows:
            table.add_row(*map(Text, (*row[:start], *(row[start + i] for i in block), *row[end:])))
        tables.append(table)
    return tables


def _least(head: str, column: Sequence[str], width: int) -> int:
    """Return the least width of a column of names; of several words it is the longest."""
    if head not in _TEXTS:
        return width
    return max(_SOURCE, *(len(word) for cell in column for word in cell.split()))


def _blocks(widths: Sequence[int], room: int) -> list[list[int]]:
    """Return the columns in groups that fit the room, two more for the gap before each; at least one a group."""
    blocks: list[list[int]] = [[]]
    used = 0
    for i, width in enumerate(widths):
        if blocks[-1] and used + width + 2 > room:
            blocks.append([])
            used = 0
        blocks[-1].append(i)
        used += width + 2
    return blocks


def board_markdown(board: Board, view: View | None = None) -> str:
    """Return the board as Markdown, with its notes."""
    parts: list[str] = []
    for i, grid in enumerate(grids(board, view)):
        rows: Iterable[Sequence[str]] = grid.rows
        if grid.tail == ("source",):
            links = {each.source: each.url for each in board.below if each.url}
            rows = [(*map(markdown_text, row[:-1]), _link(row[-1], links.get(row[-1], ""))) for row in rows]
        else:
            rows = [tuple(map(markdown_text, row)) for row in rows]
        header = [*map(markdown_text, grid.names), *map(markdown_text, grid.numbers), *map(markdown_text, grid.tail)]
        align = [*["---"] * len(grid.names), *["---:"] * len(grid.numbers), *["---"] * len(grid.tail)]
        lines = "\n".join("| " + " | ".join(cells) + " |" for cells in (header, align, *rows))
        parts.append(lines if i == 0 else f"**{markdown_text(grid.title)}**\n\n{lines}")
    return "\n\n".join([*parts, *map(markdown_text, board_notes(board))])


def _link(text: str, url: str) -> str:
    safe = (
        clean(url).replace("|", "%7C").replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")
    )
    return f"[{markdown_text(text)}]({safe})" if url else markdown_text(text)
