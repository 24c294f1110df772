"""Published figures by others, listed below the board, apart from the measured ones."""

from collections.abc import Sequence

from mmbench.harness.records.reported import Reported
from mmbench.harness.render.figures import number
from mmbench.harness.render.html import Html, link, name_tag, tag


def published(figures: Sequence[Reported]) -> Html:
    """Return the table of these figures."""
    names = ("model", "task", "metric", "value", "source")
    head = tag("tr", None, *(tag("th", {"scope": "col"}, name) for name in names))
    rows = [
        tag(
            "tr",
            None,
            tag("th", {"scope": "row"}, name_tag(each.model)),
            tag("td", None, each.task),
            tag("td", None, each.metric),
            tag("td", {"class": "figure"}, number(each.value)),
            tag("td", None, each.source, *([" ", link(each.url)] if each.url else [])),
        )
        for each in figures
    ]
    caption = tag("caption", None, "Published figures, not measured here and not ranked")
    return tag("table", {"class": "published"}, caption, tag("thead", None, head), tag("tbody", None, *rows))
