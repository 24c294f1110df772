"""Score table of recorded predictions, with the problems of their file."""

from rich.table import Table

from mmbench.harness.render.figures import COVERED, count, interval, some
from mmbench.harness.run.predictions import Scored
from mmbench.harness.terminal.run import score_cells
from mmbench.harness.terminal.tables import empty_table

_MOST_NAMES = 10
"""Ids that a note names."""


def scored_table(made: Scored) -> Table:
    """Return the scores of recorded predictions."""
    record = made.record
    covered = any(score.coverage < COVERED for score in record.scores)
    more = ["scored", "bounds"] if covered else []
    table = empty_table(
        f"{record.reference}: {record.model}", ["metric"], ["score", "95 % interval", "chance", "n", *more]
    )
    for i, score in enumerate(record.scores):
        bounds = interval(*score.bounds or (None, None))
        rest = [f"{score.coverage:.1%}", bounds] if covered else []
        table.add_row(score.metric, *score_cells(score), f"{score.n:,}", *rest, style="dim" if i else "")
    return table


def scored_notes(made: Scored) -> list[str]:
    """Return what is wrong with the predictions, by name."""
    notes = [
        f"{count(len(ids), 'id')} {what}: {some(ids, _MOST_NAMES)}"
        for ids, what in (
            (made.missing, "of the task without a prediction"),
            (made.extra, "in the file that the task does not have, passed over"),
            (made.repeated, "given more than once"),
        )
        if ids
    ]
    if made.record.errors > len(made.missing):
        notes.append(f"{count(made.record.errors, 'item')} could not be scored; the first: {made.record.first_error}")
    return [*notes, *made.record.notes]
