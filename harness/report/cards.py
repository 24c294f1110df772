"""Task cards: what a reader should know before trusting a score, one card a task."""

from collections.abc import Iterator

from mmbench.harness.render.figures import number
from mmbench.harness.render.html import Html, link, tag
from mmbench.harness.report.gather import Asked
from mmbench.harness.tasks.card import VERIFIED


def task_card(asked: Asked) -> Html:
    """Return the card of a task, folded."""
    title = asked.card.title or asked.card.dimension
    summary = tag("summary", None, tag("b", None, asked.reference), " ", tag("span", {"class": "dim"}, title))
    facts = [part for name, value in _facts(asked) for part in (tag("dt", None, name), tag("dd", None, value))]
    return tag("details", {"class": "card"}, summary, tag("dl", None, *facts))


def _facts(asked: Asked) -> Iterator[tuple[str, str]]:
    card, record = asked.card, asked.entry.record
    routes = sorted({entry.record.route for entry in asked.entries.values()})
    yield "family", asked.family
    yield "measures", card.dimension or "–"
    yield "primary metric", f"{asked.metric.name}. {asked.metric.description}"
    yield "chance", number(record.primary.chance)
    yield "majority", number(card.majority)
    yield "human", number(card.human)
    yield "best", number(card.best)
    yield "asked by", ", ".join(routes)
    yield "items", f"{record.primary.n:,}"
    yield "protocol", tag("code", None, record.protocol)
    yield "data", tag("code", None, str(record.dataset["digest"]))
    for name, text in (
        ("made by", card.citation),
        ("licence", card.licence),
        ("gate", card.gate),
        ("download", f"{card.bytes / 1e9:.1f} GB" if card.bytes is not None else ""),
        ("whole set", f"{card.items:,} items" if card.items is not None else ""),
        ("checked", VERIFIED[card.verified] if card.verified else ""),
        ("prompt", card.prompt_source),
        ("facts from", ", ".join(card.sources)),
        ("notes", card.notes),
    ):
        if text:
            yield name, text
    if card.url:
        yield "from", link(card.url)
