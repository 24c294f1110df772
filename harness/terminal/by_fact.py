"""Scores by a fact at the terminal: under each task its values, under each value the models."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mmbench.harness.records.by_fact import FactTable, fact_table
from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import COVERED
from mmbench.harness.render.plain import plain
from mmbench.harness.run.sitting import under
from mmbench.harness.terminal.run import score_cells
from mmbench.harness.terminal.tables import empty_table
from mmbench.harness.types import Score

_LONGEST = 80
"""Characters of a value of a fact."""


def by_fact_tables(records: Sequence[Record], fact: str) -> Group:
    """Return a table of each task that has the fact, of its primary metric, and a line on the other tasks."""
    parts: list[RenderableType] = []
    without = []
    for name in dict.fromkeys(record.reference for record in records):
        asked = [(under(record.model, record.control), record) for record in records if record.reference == name]
        made = fact_table(name, asked[0][1].primary.metric, fact, asked)
        if made is None:
            without.append(name)
        else:
            parts += [_table(made), Text(made.note, style="dim")]
    if without:
        parts.append(Text(f"no scores by {fact}: {', '.join(without)}, of whose items it is not known", style="dim"))
    return Group(*parts)


def _table(made: FactTable) -> Table:
    shown = [score for _, scores in (*made.rows, ("all", made.whole)) for score in scores if score]
    covered = any(score.coverage < COVERED for score in shown)
    numbers = ["score", "95 % interval", "chance", "n", *(["scored"] if covered else [])]
    alone = len(made.names) == 1
    title = f"{made.task} {made.metric} by {made.fact}" + (f": {made.names[0]}" if alone else "")
    table = empty_table(title, [made.fact] if alone else [made.fact, "model"], numbers)
    whole = ("all", made.whole)
    for level, scores in (*made.shown, *made.apart, whole):
        if scores is made.whole or scores in [figures for _, figures in made.apart[:1]]:
            table.add_section()
        for i, (name, score) in enumerate(zip(made.names, scores, strict=True)):
            names = [plain(level, _LONGEST) if i == 0 else "", *([] if alone else [name])]
            table.add_row(*names, *_cells(score, covered=covered))
    return table


def _cells(score: Score | None, *, covered: bool) -> list[str]:
    if score is None:
        return ["-"] * (5 if covered else 4)
    return [*score_cells(score), f"{score.n:,}", *([f"{score.coverage:.1%}"] if covered else [])]
