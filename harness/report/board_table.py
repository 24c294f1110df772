"""Board table that a reader sorts and filters."""

from collections.abc import Mapping

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import View
from mmbench.harness.board.eligible import TOLD
from mmbench.harness.board.grid import by_notes
from mmbench.harness.board.line import Cell, Column, Line, label
from mmbench.harness.board.missing import why_unranked
from mmbench.harness.render.figures import COVERED, interval, number, some
from mmbench.harness.render.html import Html, folding, name_tag, tag
from mmbench.harness.scores.gain import GainName
from mmbench.harness.statistics.estimate import Estimate

_SHADES = 10
_NAMES = 6
"""Tasks that a note names."""
_GAINS: Mapping[GainName, tuple[str, str]] = {
    "visual": ("gain", "its controls, which ask without the pictures"),
    "temporal": ("gain of time", "what the frames give without their order, and the middle one alone"),
}
"""How a gain is called, and what it is over."""


def board_table(board: Board, view: View | None = "tasks") -> Html:
    """Return the table: a row for each model, and columns for what the view names (None: all of it).

    A shade tells the chance-corrected score of a task.
    """
    heads = [
        tag("th", {"scope": "col", "class": "rank", "aria-sort": "ascending"}, _sorter("#", "rank")),
        tag("th", {"scope": "col", "class": "model"}, _sorter("model", "model")),
        tag("th", {"scope": "col"}, _sorter("score", "overall score")),
        *(tag("th", {"scope": "col"}, _sorter(name, name)) for name in _costs(board)),
        *(tag("th", {"scope": "col"}, _sorter(name, name)) for name in _mean_names(board, view)),
        *(_head(column) for column in board.columns if view in (None, "tasks")),
    ]
    rows = [_row(line, board, view) for line in board.lines]
    caption = tag("caption", {"class": "unseen"}, "Models by score; the buttons in the first row sort")
    body = tag("tbody", None, *rows)
    return tag("table", {"id": "board-table"}, caption, tag("thead", None, tag("tr", None, *heads)), body)


def board_notes(board: Board) -> list[str]:
    """Return what a reader of the board should know."""
    notes = [
        "Score: mean over the tasks of (value − chance) / (best − chance) of the primary metric; "
        "small figures are 95 % intervals, a darker shade is further above chance."
    ]
    if board.partial:
        parts = [column.task for column in board.columns if column.partial]
        notes.append(f"Partial: of {some(parts, _NAMES)} only the first items were asked, so that nobody is ranked.")
    if any(line.standing for line in board.lines):
        notes.append(
            "Below a rank: those that it may truly be, where not one. Models of a group cannot be told from its best."
        )
    notes += [
        f"{_GAINS[name][0].capitalize()}: how much better the score is than the better of {_GAINS[name][1]}."
        for name in board.gains
    ]
    if board.shared is not None:
        notes.append(f"S{board.shared.note()[1:]}.")
    notes += [f"{note[:1].upper()}{note[1:]}." for note in by_notes(board)]
    notes += [f"Not ranked (-): {each}." for each in why_unranked(board)]
    notes += [
        f"Apart: {each.entry.record.model} on {each.entry.record.reference} ({each.why})."
        for each in board.apart
        if each.why not in TOLD
    ]
    return notes + [f"{remark[:1].upper()}{remark[1:]}." for remark in board.remarks]


def _sorter(name: str, said: str, *below: Html) -> Html:
    arrow = tag("span", {"class": "arrow", "aria-hidden": "true"})
    attributes = {"type": "button", "class": "sort", "title": f"sort by {said}"}
    return tag("button", attributes, tag("span", {"class": "name"}, folding(name), arrow), *below)


def _head(column: Column) -> Html:
    attributes = {"scope": "col", "class": "task", "data-task": column.task.lower()}
    below = [tag("small", None, folding(column.metric))]
    if column.partial:
        below.append(tag("small", {"class": "warn"}, "partial"))
    return tag("th", attributes, _sorter(column.task, f"{column.task} {column.metric}", *below))


def _row(line: Line, board: Board, view: View | None) -> Html:
    attributes = {"scope": "row", "class": "model", "data-value": label(line)}
    name = tag("th", attributes, name_tag(label(line)))
    cells = [_mean("overall", line.overall), *_cost_cells(line, board)]
    if view in (None, "dimensions"):
        cells += [_mean(None, made) for made in line.dimensions.values()]
    if view in (None, "families"):
        cells += [_mean(None, made) for made in line.families.values()]
    if view in (None, "tasks"):
        cells += [_cell(cell, column) for cell, column in zip(line.cells, board.columns, strict=True)]
    return tag("tr", {"data-model": line.model.lower()}, _rank(line), name, *cells)


def _mean_names(board: Board, view: View | None) -> list[str]:
    dimensions = board.dimensions if view in (None, "dimensions") else ()
    return [*dimensions, *(board.families if view in (None, "families") else ())]


def _mean(kind: str | None, made: Estimate | None) -> Html:
    if made is None:
        return tag("td", {"class": kind}, "-")
    figures = {"data-value": made.value, "data-low": made.low, "data-high": made.high}
    return tag("td", {"class": kind, **figures}, number(made.value), *_ends(made.low, made.high))


def _costs(board: Board) -> list[str]:
    """Return what is known of what the models cost."""
    speed = any(line.items_per_second for line in board.lines)
    weights = any(line.parameters for line in board.lines)
    return [name for name, known in (("items/s", speed), ("weights", weights)) if known]


def _cost_cells(line: Line, board: Board) -> list[Html]:
    held: Mapping[str, float | None] = {"items/s": line.items_per_second, "weights": line.parameters}
    return [tag("td", {"data-value": held[name]}, _count(held[name])) for name in _costs(board)]


def _count(value: float | None) -> str:
    """Return a count as a person reads it.

    >>> _count(151_277_313), _count(512.3), _count(None)
    ('151 M', '512', '-')
    """
    if value is None:
        return "-"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def _rank(line: Line) -> Html:
    standing = line.standing
    parts = []
    if standing is not None:
        if standing.rank_low < standing.rank_high:
            parts.append(tag("small", None, f"{standing.rank_low} … {standing.rank_high}"))
        parts.append(tag("small", {"title": "models of a group tie with its best"}, f"group {standing.group}"))
    return tag("td", {"class": "rank", "data-value": line.rank}, "-" if line.rank is None else str(line.rank), *parts)


def _ends(low: float | None, high: float | None) -> list[Html]:
    return [] if low is None or high is None else [tag("small", None, interval(low, high))]


def _cell(cell: Cell | None, column: Column) -> Html:
    attributes: dict[str, str | float | None] = {"class": "task", "data-task": column.task.lower()}
    if cell is None or cell.score.value is None:
        return tag("td", attributes, "-")
    score = cell.score
    shade = cell.corrected
    attributes |= {"data-value": score.value, "data-low": score.low, "data-high": score.high}
    if shade is not None:
        attributes["class"] = f"task shade{round(_SHADES * min(max(shade, 0.0), 1.0))}"
    attributes["title"] = f"{column.task} {column.metric}, {cell.route}, n {score.n:,}, chance {number(score.chance)}"
    parts = [tag("span", None, number(score.value)), *_ends(score.low, score.high)]
    if score.few_clusters:
        parts.append(tag("small", {"class": "warn"}, "few clusters"))
    if score.coverage < COVERED:
        parts.append(tag("small", {"class": "warn"}, f"{score.coverage:.1%} answered"))
    for name, gain in cell.gains.items():
        said = f"{_GAINS[name][0]} {gain.value:+.3f}"
        parts.append(tag("small", {"title": f"beside the better control, {gain.control}"}, said))
    if cell.route != "embed":
        parts.append(tag("small", {"class": "route"}, cell.route))
    return tag("td", attributes, *parts)
