"""What is to be fetched and what is here, as tables."""

from collections.abc import Sequence

from rich.text import Text

from mmbench.harness.fetch.here import Here
from mmbench.harness.fetch.pieces import Piece
from mmbench.harness.fetch.pins import Pin
from mmbench.harness.render.plain import plain
from mmbench.harness.terminal.tables import NameTable, empty_table

_COMMIT = 12
"""Digits of a commit that are shown."""


def megabytes(size: int | None) -> str:
    """Return a size in megabytes, or in kilobytes where that says more.

    >>> megabytes(None), megabytes(0), megabytes(1234), megabytes(2_345_678_901)
    ('unknown', '0 MB', '1.2 kB', '2,346 MB')
    """
    if size is None:
        return "unknown"
    return f"{size / 1e3:,.1f} kB" if 0 < size < 100_000 else f"{size / 1e6:,.0f} MB"


def pieces_table(pieces: Sequence[Piece]) -> NameTable:
    """Return a table of what each task and model needs."""
    table = empty_table(
        "Of the hub",
        ["task or model", "from"],
        ["commit", "size", "missing"],
        ["licence", "gate"],
        texts=["licence", "gate"],
    )
    for piece in pieces:
        size, missing = (megabytes(each) for each in (piece.bytes, piece.missing))
        cells = (piece.name, piece.source or "-", piece.commit[:_COMMIT] or "-", size, missing)
        table.add_row(*map(_text, (*cells, piece.licence or "not stated", piece.gate or "-")))
    return table


def here_table(found: Sequence[Here]) -> NameTable:
    """Return a table of what is in the cache."""
    table = empty_table("On this machine", ["kind", "name"], ["commit", "files", "size"], ["notes"], texts=["notes"])
    for each in found:
        commits = ", ".join(commit[:_COMMIT] for commit in each.commits) or "-"
        notes = [f"locked to {each.locked[:_COMMIT]}"] if each.locked else []
        notes += [f"{each.begun} files begun"] if each.begun else []
        cells = (each.what, each.name, commits, f"{each.files:,}", megabytes(each.bytes), "; ".join(notes) or "-")
        table.add_row(*map(_text, cells))
    return table


def pins_table(pins: Sequence[Pin]) -> NameTable:
    """Return a table of the commits by which tasks go."""
    table = empty_table("Pinned", ["task", "data set"], ["commit", "files"], ["pinned by"], texts=["pinned by"])
    for pin in pins:
        cells = (pin.task, pin.source or "-", pin.commit[:_COMMIT] or "-", f"{pin.files:,}", pin.by or "-")
        table.add_row(*map(_text, cells))
    return table


def _text(cell: str) -> Text:
    return Text(plain(cell, 500))
