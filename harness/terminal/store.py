"""Store table: remembered answers by model."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from mmbench.harness.store.store import Holding
from mmbench.harness.terminal.tables import empty_table


def store_table(path: str, holdings: Sequence[Holding]) -> Table:
    """Return what the store holds."""
    from datetime import datetime

    size = sum(held.bytes for held in holdings)
    title = f"Store: {escape(path)}, {_bytes(size)} of answers"
    table = empty_table(title, ["model"], ["answers", "size", "last used"], ["fingerprint"])
    for held in holdings:
        used = datetime.fromtimestamp(held.used).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - local time for a person
        table.add_row(escape(held.name), f"{held.answers:,}", _bytes(held.bytes), used, escape(held.fingerprint[:12]))
    return table


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
