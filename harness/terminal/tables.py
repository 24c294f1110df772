"""Common table style of the terminal."""

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
