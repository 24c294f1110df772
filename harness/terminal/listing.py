"""Listing tables: models, tasks, suites and metrics."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from mmbench.harness.tasks.listing import TERMS
from mmbench.harness.terminal.tables import empty_table


def listing(title: str, rows: Sequence[dict[str, object]]) -> Table:
    """Return a list of things that there are: metrics under their family, a spec below its description."""
    headers = [header for header in rows[0] if header not in TERMS] if rows else ["name"]
    grouped = len({row[headers[0]] for row in rows}) < len(rows)
    names, *others = headers[grouped:]
    shown = [header for header in others if header != "spec"]
    table = empty_table(
        title,
        [f"{headers[0]} and {names}" if grouped else names, *(_HEADINGS.get(h, h) for h in shown)],
        texts=[header for header in shown if header not in _WORDS],
    )
    table.columns[0].no_wrap = True
    for column, header in zip(table.columns[1:], shown, strict=True):
        column.justify = "right" if all(isinstance(row[header], int | None) for row in rows) else "left"
    family: object = None
    for row in rows:
        if grouped and row[headers[0]] != family:
            family = row[headers[0]]
            table.add_section()
            table.add_row(Text(str(family), style="bold"))
        table.add_row(f"{'  ' * grouped}{str(row[names])}", *(_listed(row[header]) for header in shown))
        if "spec" in row:
            table.add_row(*[""] * len(shown), Text(str(row["spec"]), style="dim"))
    return table


_HEADINGS = {"download_mb": "MB"}
_WORDS = ("download_mb", "family", "dimension", "range", "better")
"""Columns of single words and numbers."""


def _listed(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
