"""Run output at the terminal: progress bars while it runs, then result tables."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import COVERED, interval, number, some
from mmbench.harness.run.ending import Ending
from mmbench.harness.run.result import Run
from mmbench.harness.run.sitting import under
from mmbench.harness.terminal.tables import empty_table
from mmbench.harness.types import Score

_FEW_NAMES = 6
"""Tasks that a line on what has no scores names."""


def run_table(run: Run) -> Table:
    """Return the scores of a run: under each task a line for each metric and model."""
    routes = sorted({record.route for record in run.records})
    # Said once where it is the same for all, which leaves narrow terminals room for the names.
    title = "Scores" + (f", route {routes[0]}" if len(routes) == 1 else "")
    covered = any(score.coverage < COVERED for record in run.records for score in record.scores)
    more = ["scored"] if covered else []
    table = empty_table(title, ["task and metric", "model"], ["score", "95 % interval", "chance", "n", *more])
    if len(routes) > 1:
        table.add_column("route")
    for task in run.tasks:
        mine = [record for record in run.records if record.reference == task.reference]
        refused = [p for p in run.problems if p.task == task.reference and p.unsupported]
        if not mine and not refused:
            continue  # the data of a task that failed may not even open
        table.add_row(Text(task.reference, style="bold"))
        for i, metric in enumerate(task.family.metrics):
            shown = mine if i == 0 else [record for record in mine if record.control is None]
            lines = [_score_line(record, metric.name, covered=covered, routed=len(routes) > 1) for record in shown]
            if i == 0:
                lines += [[under(p.model, p.control), *["-"] * (len(table.columns) - 2)] for p in refused]
            for j, line in enumerate(lines):
                # Said once for all models.
                name = "" if j else f"  {metric.name}"
                table.add_row(name, *line, style="" if i == 0 else "dim")
        table.add_section()
    return table


def ending_table(ends: Sequence[Ending]) -> Table:
    """Return what failed, could not be asked or left items out, with the reason and the next step."""
    table = empty_table("Without scores", ["model", "task"], [], ["reason", "next step"])
    for each in ends:
        table.add_row(each.model, some(each.tasks, _FEW_NAMES), each.reason, each.step)
    return table


def _score_line(record: Record, metric: str, *, covered: bool, routed: bool) -> list[str]:
    score = next(score for score in record.scores if score.metric == metric)
    model = under(record.model, record.control)
    which = "sample of" if "sample" in record.dataset else "first"
    model += f" ({which} {record.dataset['n']:,} items)" if record.partial else ""
    share = [f"{score.coverage:.1%}"] if covered else []
    return [model, *score_cells(score), f"{score.n:,}", *share, *([record.route] if routed else [])]


def score_cells(score: Score) -> tuple[str, str, str]:
    """Return value, interval and chance of a score as tables show them."""
    ends = interval(score.low, score.high) + (" few clusters" if score.few_clusters else "")
    return number(score.value), ends, number(score.chance)
