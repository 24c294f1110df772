"""Robustness at the terminal: under each task and model a line for each corruption, with its severities beside it."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from mmbench.harness.records.robustness import HOW, Robustness
from mmbench.harness.render.figures import number
from mmbench.harness.terminal.tables import empty_table


def robustness_table(made: Sequence[Robustness]) -> Group | None:
    """Return a table of scores under corruptions, and a line on how to read it; None where there are none."""
    if not made:
        return None
    severities = sorted(frozenset[int]().union(*(each.severities for each in made)))
    table = empty_table("Corruptions", ["task and corruption", "model"], [*map(str, severities), "mean", "retained"])
    for each in made:
        record = each.record
        table.add_row(Text(f"{record.reference} {each.about}", style="bold"))
        for place, (name, values) in enumerate(each.lines(severities)):
            table.add_row(f"  {name}", "" if place else record.model, *map(number, values))
        table.add_section()
    return Group(table, Text(HOW, style="dim"))
