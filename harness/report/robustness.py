"""Scores under corruptions in a report: a table for each task and model, severities as columns."""

from collections.abc import Sequence

from mmbench.harness.records.robustness import Robustness
from mmbench.harness.render.figures import number
from mmbench.harness.render.html import Html, name_tag, tag


def robustness_tables(made: Sequence[Robustness]) -> list[Html]:
    """Return the tables, each below a line that opens it."""
    return [
        tag(
            "details",
            {"class": "by-fact"},
            tag("summary", None, tag("b", None, each.record.reference), f" {each.about}: {each.record.model}"),
            tag("div", {"class": "scroll", "tabindex": 0, "role": "region", "aria-label": _name(each)}, _table(each)),
        )
        for each in made
    ]


def _name(each: Robustness) -> str:
    return f"{each.record.reference} under corruptions: {each.record.model}"


def _table(each: Robustness) -> Html:
    severities = sorted(each.severities)
    names = ("corruption", *map(str, severities), "mean", "retained")
    rows = [
        tag(
            "tr",
            None,
            tag("th", {"scope": "row"}, name_tag(name)),
            *(tag("td", {"class": "figure"}, number(value)) for value in values),
        )
        for name, values in each.lines(severities)
    ]
    head = tag("thead", None, tag("tr", None, *(tag("th", {"scope": "col"}, name) for name in names)))
    return tag("table", {"class": "published"}, head, tag("tbody", None, *rows))
