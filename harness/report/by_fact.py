"""Scores by fact in a report: a table for each task and fact, models as columns."""

from collections.abc import Sequence

from mmbench.harness.records.by_fact import FactTable
from mmbench.harness.render.figures import COVERED, interval, number
from mmbench.harness.render.html import Html, name_tag, tag
from mmbench.harness.render.plain import plain
from mmbench.harness.types import Score

_LONGEST = 80
"""Characters of a value of a fact."""


def by_fact_tables(tables: Sequence[FactTable], *, opened: bool) -> list[Html]:
    """Return the tables, each below a line that opens it; notes on those of a board stand below the board."""
    return [
        tag(
            "details",
            {"class": "by-fact", "open": opened},
            tag("summary", None, tag("b", None, table.task), f" {table.metric} by {table.fact}"),
            *([] if opened else [tag("p", {"class": "note"}, f"{table.note[:1].upper()}{table.note[1:]}.")]),
            tag("div", {"class": "scroll", "tabindex": 0, "role": "region", "aria-label": _name(table)}, _table(table)),
        )
        for table in tables
    ]


def _name(table: FactTable) -> str:
    return f"{table.task} by {table.fact}"


def _table(table: FactTable) -> Html:
    heads = [tag("th", {"scope": "col"}, name_tag(name)) for name in (table.fact, "items", *table.names)]
    rows = [_row(plain(level, _LONGEST), scores) for level, scores in table.shown]
    apart = [_row(name, scores) for name, scores in table.apart]
    body = tag("tbody", None, *rows, *apart, _row("all", table.whole))
    return tag("table", {"class": "published"}, tag("thead", None, tag("tr", None, *heads)), body)


def _row(name: str, scores: Sequence[Score | None]) -> Html:
    items = max((score.n for score in scores if score), default=0)
    cells = [tag("td", {"class": "figure", **_figures(score)}, *_cell(score)) for score in scores]
    return tag(
        "tr", None, tag("th", {"scope": "row"}, name_tag(name)), tag("td", {"class": "figure"}, f"{items:,}"), *cells
    )


def _figures(score: Score | None) -> dict[str, float | None]:
    return {} if score is None else {"data-value": score.value, "data-low": score.low, "data-high": score.high}


def _cell(score: Score | None) -> list[str]:
    if score is None or score.value is None:
        return ["-"]
    parts: list[str] = [number(score.value)]
    if score.low is not None:
        parts.append(tag("small", None, interval(score.low, score.high)))
    if score.few_clusters:
        parts.append(tag("small", {"class": "warn"}, "few clusters"))
    if score.coverage < COVERED:
        parts.append(tag("small", {"class": "warn"}, f"{score.coverage:.1%} answered"))
    return parts
