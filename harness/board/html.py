"""The board as one small page that opens from disk: sorted by any column, nothing loaded, every text escaped."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import View
from mmbench.harness.board.grid import board_notes, cell_text, label, mean, parameters, rank_interval
from mmbench.harness.board.line import Line
from mmbench.harness.render.figures import interval, number
from mmbench.harness.render.html import Html, folding, joined, tag
from mmbench.harness.statistics.corrected import Corrected

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; white-space: normal; }
th.name, td.name { text-align: left; white-space: normal; min-width: 8rem; }
tbody tr:hover { background: var(--soft); }
tr.reported { font-style: italic; }
button { all: unset; cursor: pointer; font-weight: 600; }
button:focus-visible { outline: 2px solid; outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " ▲"; }
th[aria-sort=descending] button::after { content: " ▼"; }
p { max-width: 60rem; margin: .3rem 0; }
"""

_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, i) => head.querySelector("button").addEventListener("click", () => {
    const first = head.dataset.first;
    const order = head.ariaSort ? (head.ariaSort === "ascending" ? "descending" : "ascending") : first;
    const way = order === "ascending" ? 1 : -1;
    const numeric = head.className !== "name";
    const key = (row) => row.cells[i].dataset.value;
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return way * (numeric ? x - y : x.localeCompare(y));
    });
    heads.forEach((other) => { other.ariaSort = null; });
    head.ariaSort = order;
    table.tBodies[0].append(...rows);
  }));
}
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a cell shows, and what it is sorted by; None goes last."""

    text: str
    value: float | str | None


def board_html(board: Board, view: View | None = None) -> Html:
    """Return a page with the ranking, what the view names (None: all of it), and published figures."""
    title = f"Leaderboard: {board.title}"
    heads, rows = _measured(board, view)
    parts = [tag("h1", None, title), _table(heads, rows, [line.source is not None for line in board.lines])]
    parts += [tag("p", None, note) for note in board_notes(board)]
    if board.below:
        parts += [tag("h2", None, "Reported elsewhere, not measured"), _published(board)]
    allowed = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", None, title),
        tag("style", None, Html(_STYLE)),
    )
    body = tag("body", None, *parts, tag("script", None, Html(_SCRIPT)))
    return joined([Html("<!doctype html>\n"), tag("html", {"lang": "en"}, head, body)])


def _measured(board: Board, view: View | None) -> tuple[list[str], list[list[_Entry]]]:
    heads = ["#", "model", "score", "95 % interval", "ranks", "group", "scored", "items/s", "params"]
    if view in (None, "dimensions"):
        heads += board.dimensions
    if view in (None, "families"):
        heads += board.families
    if view in (None, "tasks"):
        heads += [f"{column.task} {column.metric}".strip() for column in board.columns]
    return heads, [_line(line, view) for line in board.lines]


def _line(line: Line, view: View | None) -> list[_Entry]:
    standing = line.standing
    row = [
        _Entry("-" if line.rank is None else str(line.rank), line.rank),
        _Entry(label(line), label(line)),
        _Entry(number(line.overall), line.overall),
        _Entry(interval(line.low, line.high), line.low),
        _Entry(rank_interval(line), standing.rank_low if standing else None),
        _Entry(str(standing.group) if standing else "-", standing.group if standing else None),
        _Entry("-" if line.coverage is None else f"{line.coverage:.1%}", line.coverage),
        _Entry(f"{line.items_per_second:,.0f}" if line.items_per_second else "-", line.items_per_second),
        _Entry("-" if line.parameters is None else parameters(line.parameters), line.parameters),
    ]
    if view in (None, "dimensions"):
        row += map(_mean, line.dimensions.values())
    if view in (None, "families"):
        row += map(_mean, line.families.values())
    if view in (None, "tasks"):
        row += [_Entry(cell_text(cell, routed=True), cell.score.value if cell else None) for cell in line.cells]
    return row


def _mean(made: Corrected | None) -> _Entry:
    return _Entry(mean(made), made.value if made else None)


def _published(board: Board) -> Html:
    rows = [
        [
            _Entry(each.model, each.model),
            _Entry(each.task, each.task),
            _Entry(each.metric, each.metric),
            _Entry(number(each.value), each.value),
            _Entry(
                tag("a", {"href": each.url, "rel": "noreferrer"}, each.source) if each.url else each.source, each.source
            ),
        ]
        for each in board.below
    ]
    return _table(["model", "task", "metric", "value", "source"], rows, [False] * len(rows))


_NAMES = frozenset(("model", "task", "metric", "source"))
_RISING = frozenset(("#", "ranks", "group", *_NAMES))
"""What is sorted upwards first."""


def _table(heads: Sequence[str], rows: Sequence[Sequence[_Entry]], reported: Sequence[bool]) -> Html:
    classes = ["name" if head in _NAMES else None for head in heads]
    top = [
        tag(
            "th",
            {"scope": "col", "class": kind, "data-first": "ascending" if head in _RISING else "descending"},
            tag("button", {"type": "button"}, folding(head)),
        )
        for head, kind in zip(heads, classes, strict=True)
    ]
    body = [
        tag("tr", {"class": "reported" if marked else None}, *map(_td, row, classes))
        for row, marked in zip(rows, reported, strict=True)
    ]
    table = tag("table", None, tag("thead", None, tag("tr", None, *top)), tag("tbody", None, *body))
    return tag("div", {"class": "wide", "tabindex": "0", "role": "region", "aria-label": "table"}, table)


def _td(entry: _Entry, kind: str | None) -> Html:
    return tag("td", {"class": kind, "data-value": entry.value}, entry.text)
