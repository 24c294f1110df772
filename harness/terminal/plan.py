"""Dry-run table: inputs to ask, inputs remembered, and the time needed."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from mmbench.harness.run.plan import Plan
from mmbench.harness.run.sitting import under
from mmbench.harness.terminal.tables import empty_table


def plan_table(plans: Sequence[Plan]) -> Table:
    """Return what a run would ask."""
    numbers = ["items", "inputs", "remembered", "to ask", "time", "download"]
    table = empty_table("Dry run: nothing was asked", ["model and task"], numbers)
    for before, plan in zip((None, *plans), plans, strict=False):
        if before is None or before.model != plan.model:
            table.add_section()
            table.add_row(Text(plan.model, style="bold"))
        if plan.unsupported:
            table.add_row(f"  {under(plan.task, plan.control)}", f"{plan.items:,}", *["-"] * 5, style="dim")
            continue
        table.add_row(
            f"  {under(plan.task, plan.control)}",
            f"{plan.items:,}",
            f"{plan.inputs:,}",
            f"{plan.remembered:,}",
            f"{plan.inputs - plan.remembered:,}",
            "unknown" if plan.seconds is None else f"{plan.seconds:,.0f} s",
            "unknown" if plan.download is None else f"{plan.download / 1e6:,.0f} MB",
        )
    return table


def plan_notes(plans: Sequence[Plan]) -> list[str]:
    """Return what a reader of the plan should know."""
    notes = ["inputs: distinct pictures, texts and prompts; remembered: answered by the store or an earlier task"]
    if any(plan.seconds is None and not plan.unsupported for plan in plans):
        notes.append("time unknown: it is estimated once the model has answered something")
    return notes + [
        f"- {plan.model} · {under(plan.task, plan.control)}: {plan.unsupported}" for plan in plans if plan.unsupported
    ]
