"""Results as a notebook shows them: a table of a few lines whose colours are those of the page, light or dark."""

from collections.abc import Sequence

from mmbench.harness.render.html import Html, tag
from mmbench.harness.render.plain import plain

MOST_ROWS = 50
_SHORT = 40
"""Letters up to which a cell keeps to one line."""

_TABLE = "border-collapse:collapse;border:0;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 10px 2px 0;border:0;background:none;vertical-align:top;text-align:"


def notebook(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """Return markup of a title, a table and notes below it; of many rows the first, and how many more there are.

    The columns up to the first whose header is `score`, `difference` or `n` are texts, those from it on numbers. Every
    text may come from anyone: none becomes markup.

    >>> notebook("<i>", ["model"], [["a<b"]]).count("<i>")
    0
    """
    texts = next((i for i, name in enumerate(header) if name in ("score", "difference", "n")), len(header))
    more = [f"and {len(rows) - MOST_ROWS:,} more rows, see table()"] if len(rows) > MOST_ROWS else []
    body = [_row("td", row, texts) for row in rows[:MOST_ROWS]]
    parts: list[Html] = [tag("div", {"style": "font-weight:bold"}, plain(title))]
    if rows:
        parts.append(tag("table", {"style": _TABLE}, tag("thead", None, _row("th", header, texts)), *body))
    parts += [tag("div", {"style": "opacity:.75"}, plain(note)) for note in (*more, *notes)]
    return str(tag("div", None, *parts))


def _row(kind: str, cells: Sequence[str], texts: int) -> Html:
    made = []
    for i, cell in enumerate(cells):
        style = f"{_CELL}{'left' if i < texts else 'right'}{';white-space:nowrap' if len(cell) <= _SHORT else ''}"
        made.append(tag(kind, {"style": style}, plain(cell)))
    return tag("tr", None, *made)
