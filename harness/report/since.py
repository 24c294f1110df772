"""What changed since the baseline, as a table: every task that is better or worse, the worst first."""

from mmbench.harness.compare.rows import CompareRow, Comparison
from mmbench.harness.render.figures import number, probability, signed, span
from mmbench.harness.render.html import Html, name_tag, tag

_HEADS = ("model", "task", "verdict", "baseline", "now", "difference", "adjusted interval", "adjusted p", "items")
_ORDER = {"worse": 0, "better": 1, "tied": 2}


def since_table(since: Comparison) -> Html:
    """Return a row for each task that is not tied; the sentences above it count the others."""
    changed = [row for row in since.rows if row.verdict != "tied"]
    changed.sort(key=lambda row: (_ORDER[row.verdict], -abs(row.difference.value)))
    head = tag("tr", None, *(tag("th", {"scope": "col"}, name) for name in _HEADS))
    return tag("table", {"class": "published"}, tag("thead", None, head), tag("tbody", None, *map(_row, changed)))


def since_notes(since: Comparison) -> list[str]:
    """Return how each model stands against the baseline, and what could not be compared."""
    left = [f"{each.model}, {each.task} is not comparable: {each.reason}" for each in since.incomparable]
    notes = [*map(since.conclusion, since.models[1:]), *left, *since.errors]
    return [note if note.endswith(".") else f"{note}." for note in notes]


def _row(row: CompareRow) -> Html:
    changed = {"data-value": row.difference.value, "data-low": row.difference.low, "data-high": row.difference.high}
    more = (span(row.low_adjusted, row.high_adjusted), probability(row.p_adjusted), f"{row.n:,}")
    return tag(
        "tr",
        None,
        tag("th", {"scope": "row", "data-model": row.model}, name_tag(row.model)),
        tag("td", {"data-items": row.reference}, name_tag(row.reference)),
        tag("td", {"class": row.verdict}, row.verdict),
        tag("td", {"class": "figure", "data-value": row.a}, number(row.a)),
        tag("td", {"class": "figure", "data-value": row.b}, number(row.b)),
        tag("td", {"class": "figure", **changed}, signed(row.difference.value)),
        *(tag("td", {"class": "figure"}, text) for text in more),
    )
