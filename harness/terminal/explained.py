"""Table of explained items at the terminal: what was chosen, by which score, and how well its map stands the trial."""

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mmbench.harness.explain.chosen import Chosen
from mmbench.harness.explain.explain import Explained
from mmbench.harness.render.figures import number, percent
from mmbench.harness.render.plain import plain
from mmbench.harness.terminal.tables import empty_table

_LONGEST = 60
"""Characters of an option."""


def explained_table(chosen: Chosen, made: Sequence[Explained], method: str) -> Group:
    """Return the explained items as a table, and what its columns are."""
    boxed = any(each.item.boxes for each in made)
    figures = ["score", "nothing left", "deletion", "random", "insertion", "random"]
    located = ["in box", "its area", "peak"] if boxed else []
    record = chosen.record
    title = f"{record.model} · {record.reference} · {method}"
    table = empty_table(title, ["id", "chosen", "target", "right"], [*figures, *located], texts=("chosen", "target"))
    for each in made:
        _add(table, each, boxed=boxed)
    return Group(table, *(Text(note, style="dim") for note in _notes(made, boxed=boxed)))


def _add(table: Table, each: Explained, *, boxed: bool) -> None:
    item, found, place = each.item, each.figures, each.figures.box
    located = ["-", "-", "-"]
    if place is not None:
        inside = "-" if place.share is None else percent(round(place.share, 3))
        located = [inside, percent(round(place.area, 3)), {None: "-", True: "hit", False: "miss"}[place.hit]]
    table.add_row(
        item.outcome.id,
        Text(plain(item.outcome.prediction or "", _LONGEST), style="" if item.correct else "yellow"),
        plain(item.outcome.target or "-", _LONGEST),
        "yes" if item.correct else "no",
        number(found.score),
        number(found.without),
        number(found.own.deletion),
        number(found.random.deletion),
        number(found.own.insertion),
        number(found.random.insertion),
        *(located if boxed else []),
    )


def _notes(made: Sequence[Explained], *, boxed: bool) -> list[str]:
    notes = [f"score: {unit}" for unit in dict.fromkeys(each.unit for each in made)]
    notes.append(
        "deletion, insertion: areas under the score while pixels are hidden (lower is better) and come back from a "
        "blur (higher is better), the most salient first, each beside a random map's"
    )
    if boxed:
        notes.append("in box: share of the positive map; a map that knows nothing has the box's share of the area")
    return [*notes, *remarks(made)]


def remarks(made: Sequence[Explained]) -> list[str]:
    """Return what a reader should know of single items."""
    return [
        f"item {each.item.outcome.id}: asked again, the model prefers '{plain(each.prefers, _LONGEST)}'; the map is of "
        "what the run chose"
        for each in made
        if each.prefers is not None
    ]
