"""The look that all tables at the terminal share."""

from collections.abc import Sequence

from rich import box
from rich.table import Table


def empty_table(title: str, *columns: Sequence[str]) -> Table:
    """Return an empty table: columns of names, columns of numbers, columns of names again.

    Names are folded where the terminal is narrow; numbers never are, and nothing is cut off.
    """
    table = Table(
        title=title,
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for i, headers in enumerate(columns):
        for header in headers:
            table.add_column(header, justify="right" if i == 1 else "left", no_wrap=i == 1, overflow="fold")
    return table


def number(value: float | None) -> str:
    """Return a score as tables show it, a dash where there is none.

    >>> number(0.25), number(-0.0001), number(83.2), number(None)
    ('0.250', '0.000', '83.2', '-')
    """
    if value is None:
        return "-"
    return f"{value:z.3f}" if abs(value) <= 1 else f"{value:,.1f}"


def interval(low: float | None, high: float | None) -> str:
    """Return the ends of an interval as tables show them, a dash where there is none.

    >>> interval(0.25, 1.0), interval(None, None)
    ('0.250 … 1.000', '-')
    """
    return "-" if low is None else f"{number(low)} … {number(high)}"
