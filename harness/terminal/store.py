"""Store table: remembered answers by model."""

from collections.abc import Sequence

from rich.table import Table

from mmbench.harness.render.figures import some
from mmbench.harness.store.holding import Holding
from mmbench.harness.terminal.tables import empty_table

_FEW_NAMES = 6
"""Former names that are shown."""


def store_table(path: str, holdings: Sequence[Holding]) -> Table:
    """Return what the store holds."""
    from datetime import datetime

    size = sum(held.bytes for held in holdings)
    title = f"Store: {path}, {_bytes(size)} of answers"
    damaged = any(held.damaged for held in holdings)
    numbers = ["answers", *(["damaged"] if damaged else []), "size", "last used"]
    table = empty_table(title, ["model"], numbers, ["fingerprint"])
    for held in holdings:
        used = datetime.fromtimestamp(held.used).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - local time for a person
        counts = [f"{held.answers:,}", *([f"{held.damaged:,}"] if damaged else [])]
        before = [str(label) for label in held.labels if label != held.name]
        name = f"{held.name} (before: {some(before, _FEW_NAMES)})" if before else held.name
        table.add_row(name, *counts, _bytes(held.bytes), used, held.fingerprint[:12])
    return table


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
