"""Report sections, each left out where the records have nothing for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import View
from mmbench.harness.compare.rows import Comparison
from mmbench.harness.records.curves import Curve, shots_curve
from mmbench.harness.records.robustness import HOW
from mmbench.harness.render.html import Html, tag
from mmbench.harness.report.board_table import board_notes, board_table
from mmbench.harness.report.by_fact import by_fact_tables
from mmbench.harness.report.cards import task_card
from mmbench.harness.report.chart import legend
from mmbench.harness.report.contents import Contents
from mmbench.harness.report.dot_plot import dot_plot
from mmbench.harness.report.gather import MOST_MODELS
from mmbench.harness.report.headline import headline
from mmbench.harness.report.pair_matrix import pair_matrix
from mmbench.harness.report.picks import MOST
from mmbench.harness.report.published import published
from mmbench.harness.report.robustness import robustness_tables
from mmbench.harness.report.shots import shots_chart
from mmbench.harness.report.since import since_notes, since_table
from mmbench.harness.report.sureness import sureness_figures
from mmbench.harness.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    name: str
    """Its id."""
    link: str
    """Title in the navigation."""
    markup: Html


def sections(contents: Contents) -> list[Section]:
    """Return the sections that have something to show, in their order."""
    made = [
        Section("headline", "Headline", _headline(contents)),
        _board(contents),
        Section("since", "Since the baseline", _since(contents.since)),
        Section("profile", "Profile", _profile(contents)),
        Section("shots", "Learning", _shots(contents)),
        Section("sureness", "Sureness", _sureness(contents)),
        Section("facts", "By fact", _facts(contents.board)),
        Section("corruptions", "Corruptions", _corruptions(contents)),
        Section("pairs", "Pairs", _pairs(contents)),
        Section("confusion", "Confusions", _confusion(contents)),
        Section("items", "Items", _explorer()),
        Section("tasks", "Tasks", _cards(contents)),
    ]
    return [section for section in made if section.markup]


def _section(name: str, title: str, note: str, *parts: Html) -> Html:
    lead = [tag("p", {"class": "note"}, note)] if note else []
    heading = tag("h2", {"id": f"{name}-title"}, title)
    return tag("section", {"id": name, "aria-labelledby": f"{name}-title"}, heading, *lead, *parts)


def _headline(contents: Contents) -> Html:
    said = [tag("p", None, sentence) for sentence in headline(contents.board, contents.since)]
    return tag("section", {"id": "headline", "aria-label": "Headline"}, *said) if said else Html()


def _since(since: Comparison | None) -> Html:
    if since is None:
        return Html()
    note = (
        f"Paired comparison of every model with {since.models[0]}, as mmbench compare makes it: tasks that are better "
        "or worse at 5 %, p and interval Holm-adjusted over the tasks of the model."
    )
    notes = tag("ul", {"class": "notes"}, *(tag("li", None, each) for each in since_notes(since)))
    changed = any(row.verdict != "tied" for row in since.rows)
    tables = [_scrolled("since", since_table(since))] if changed else []
    return _section("since", "Since the baseline", note, *tables, notes)


def _board(contents: Contents) -> Section:
    more = []
    if len(contents.models) < len(contents.board.lines):
        more = [f"The sections below show the first {MOST_MODELS} models."]
    return board_section(contents.board, "tasks", *more)


def board_section(board: Board, view: View | None, *more: str) -> Section:
    """Return the board with its filters, notes and published figures."""
    filters = tag(
        "div",
        {"class": "filters"},
        tag("label", None, "models", tag("input", {"type": "search", "id": "board-models", "autocomplete": "off"})),
        tag("label", None, "tasks", tag("input", {"type": "search", "id": "board-tasks", "autocomplete": "off"})),
        tag("output", {"id": "board-count"}),
    )
    notes = tag("ul", {"class": "notes"}, *(tag("li", None, note) for note in (*board_notes(board), *more)))
    parts = [filters, _scrolled("board", board_table(board, view)), notes]
    parts += by_fact_tables(board.by_fact, opened=True)
    if board.reported:
        parts.append(_scrolled("board", published(board.reported)))
    return Section("board", "Board", _section("board", "Board", "", *parts))


def _scrolled(name: str, table: Html) -> Html:
    """Return a table that scrolls within the page, by keyboard too."""
    return tag("div", {"class": "scroll", "tabindex": 0, "role": "region", "aria-labelledby": f"{name}-title"}, table)


def _profile(contents: Contents) -> Html:
    lines = contents.board.lines[: len(contents.models)]
    rows = {name: [line.dimensions.get(name) for line in lines] for name in contents.board.dimensions}
    rows = dict(sorted(((name, points) for name, points in rows.items() if any(points)), key=_strength))
    if not rows:
        return Html()
    note = "Where each model stands between chance and best in every dimension, with 95 % intervals. "
    note += f"The strongest dimensions of {contents.models[0]} come first; ‹ marks what lies further left than drawn."
    plot = tag("div", {"class": "plot"}, legend(contents.models), dot_plot(rows, contents.models))
    return _section("profile", "Perception profile", note, plot)


def _strength(row: tuple[str, Sequence[Estimate | None]]) -> tuple[bool, float]:
    """Return the place of a dimension: by the first model that has it, the highest first."""
    points = row[1]
    return points[0] is None, -next(point.value for point in points if point is not None)


def _shots(contents: Contents) -> Html:
    figures = []
    for task in contents.tasks:
        curves: list[Curve] = [
            shots_curve(task.entries[model].record) if model in task.entries else {} for model in contents.models
        ]
        if any(curves):
            chart = shots_chart(curves, contents.models, task.entry.record.primary.chance)
            figures.append(tag("figure", None, tag("figcaption", None, task.reference), chart))
    if not figures:
        return Html()
    note = "Accuracy of a head fitted on few examples: mean over the draws, with 95 % intervals; dashed: chance."
    plot = tag("div", {"class": "plot"}, legend(contents.models), tag("div", {"class": "figures"}, *figures))
    return _section("shots", "Learning curves", note, plot)


def _sureness(contents: Contents) -> Html:
    figures = sureness_figures(contents.tasks, contents.models)
    if not figures:
        return Html()
    note = (
        "How often answers of a confidence are right, in 15 bins with 95 % intervals of each alone (dashed: as often "
        "as said; bars: how many answers), and how many of the surest answers are wrong, with the 95 % interval at "
        "each coverage alone. An ECE is raised by chance: see its interval."
    )
    plot = tag("div", {"class": "plot"}, legend(contents.models), tag("div", {"class": "figures"}, *figures))
    return _section("sureness", "How surely they know", note, plot)


def _facts(board: Board) -> Html:
    tables = board.fact_tables()
    if not tables:
        return Html()
    note = "The primary metric over the items that share a value of a fact, with 95 % intervals."
    return _section("facts", "Scores by fact", note, *by_fact_tables(tables, opened=False))


def _corruptions(contents: Contents) -> Html:
    tables = robustness_tables(contents.robustness)
    if not tables:
        return Html()
    note = f"The primary metric beside corrupted pictures, by severity. {HOW[:1].upper()}{HOW[1:]}."
    return _section("corruptions", "Under corruptions", note, *tables)


def _pairs(contents: Contents) -> Html:
    if not contents.pairs:
        return Html()
    note = (
        "On how many tasks the model of the row is better (▲), worse (▼) or tied (=) with that of the column: paired "
        "tests on the items both were scored on, as mmbench compare makes them, with p and interval Holm-adjusted over "
        "the tasks of the pair, at 5 %. A cell lists them, and each of them opens the items on which the two differ."
    )
    matrix = pair_matrix(contents.pairs, contents.models)
    return _section("pairs", "Model against model", note, _scrolled("pairs", matrix))


def _confusion(contents: Contents) -> Html:
    if not any(contents.confusions):
        return Html()
    note = (
        "Rows are what was right, columns what was answered; the commonest classes of each task. "
        "A cell opens its items."
    )
    controls = tag("div", {"class": "filters"}, _choice("confusion-task", "task"), _choice("confusion-model", "model"))
    table = tag("div", {"id": "confusion-table"})
    return _section("confusion", "Confusions", note, controls, _scrolled("confusion", table))


def _explorer() -> Html:
    choices = [
        ("task", "task"),
        ("dimension", "dimension"),
        ("model", "model"),
        ("status", "status"),
        ("other", "differs from"),
    ]
    controls = [_choice(f"items-{name}", said) for name, said in choices]
    search = tag("input", {"type": "search", "id": "items-text", "autocomplete": "off"})
    controls += [tag("label", None, "text", search), tag("output", {"id": "items-count"})]
    controls.append(tag("button", {"type": "button", "id": "items-cell", "class": "chip", "hidden": True}))
    more = tag("button", {"type": "button", "id": "items-more", "hidden": True}, "more")
    note = (
        f"A draw of at most {MOST} items of each task: those that models got wrong or differ on first. "
        "Pictures whose source is not there are left grey."
    )
    wall = tag("ul", {"id": "items-wall"})
    return _section("items", "Items", note, tag("div", {"class": "filters"}, *controls), wall, more)


def _choice(name: str, said: str) -> Html:
    return tag("label", None, said, tag("select", {"id": name}))


def _cards(contents: Contents) -> Html:
    cards = tag("div", {"class": "cards"}, *(task_card(task) for task in contents.tasks))
    return _section("tasks", "Tasks", "How each task asks and scores, and what to hold its scores against.", cards)
