"""Flat rows of a board for other programs: one mapping a model, for data frames and CSV."""

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from mmbench.harness.board.board import Board
from mmbench.harness.board.line import Line
from mmbench.harness.digest import Json
from mmbench.harness.records.by_fact import FactTable
from mmbench.harness.render.csv_text import csv_text
from mmbench.harness.render.plain import plain
from mmbench.harness.statistics.estimate import Estimate

View: TypeAlias = Literal["tasks", "dimensions", "families"]
"""Columns beside the score of a model."""


def flat_lines(board: Board, view: View | None = None) -> list[dict[str, Json]]:
    """Return one flat mapping for each line: its place, what the view names (None: all of it), what it cost."""
    table = []
    by_fact = board.by_fact
    for line in board.lines:
        standing = line.standing
        flat: dict[str, Json] = {
            "rank": line.rank,
            "model": line.model,
            **_ends("score", line.overall),
            "rank low": standing.rank_low if standing else None,
            "rank high": standing.rank_high if standing else None,
            "group": standing.group if standing else None,
            "missing": ", ".join(board.missing(line)),
            "coverage": line.coverage,
            "items_per_second": line.items_per_second,
            "parameters": line.parameters,
        }
        if board.shared is not None:
            flat["shared tasks"] = ", ".join(board.shared.tasks)
            flat["left out"] = ", ".join(task for task, _ in board.shared.left)
        if view in (None, "dimensions"):
            flat.update(_means("dimension", line.dimensions))
        if view in (None, "families"):
            flat.update(_means("family", line.families))
        if view in (None, "tasks"):
            flat.update(_cells(board, line))
        for made in by_fact:
            flat.update(_levels(made, line))
        if board.reported:
            flat.update({"reported": line.source is not None, "source": line.source, "url": None})
        table.append(flat)
    return table


def _ends(name: str, made: Estimate | None) -> dict[str, Json]:
    value, low, high = (made.value, made.low, made.high) if made else (None, None, None)
    return {name: value, f"{name} low": low, f"{name} high": high}


def _means(kind: str, means: Mapping[str, Estimate | None]) -> dict[str, Json]:
    return {key: end for name, made in means.items() for key, end in _ends(f"{kind} {name}", made).items()}


def _cells(board: Board, line: Line) -> Iterator[tuple[str, Json]]:
    for column, cell in zip(board.columns, line.cells, strict=True):
        name = f"{column.task} {column.metric}".strip()
        yield name, cell.score.value if cell else None
        yield f"{name} low", cell.score.low if cell else None
        yield f"{name} high", cell.score.high if cell else None
        yield f"{name} route", cell.route if cell else None
        for gain in board.gains:
            yield from _ends(f"{name} {gain} gain", cell.gains.get(gain) if cell else None).items()


def _levels(table: FactTable, line: Line) -> Iterator[tuple[str, Json]]:
    """Return the scores by a fact of one model, each named by the value: `task metric [fact=value]`."""
    place = table.names.index(line.model) if line.source is None and line.model in table.names else None
    for level, scores in table.shown:
        score = None if place is None else scores[place]
        made: dict[str, Json] = {"": None, " low": None, " high": None, " n": None}
        if score is not None:
            made = {"": score.value, " low": score.low, " high": score.high, " n": score.n}
        for end, cell in made.items():
            yield f"{table.task} {table.metric} [{table.fact}={level}]{end}", cell
    for name, figures in table.apart:
        figure = None if place is None else figures[place]
        made = {"": None, " low": None, " high": None}
        if figure is not None:
            made = {"": figure.value, " low": figure.low, " high": figure.high}
        for end, cell in made.items():
            yield f"{table.task} {table.metric} [{name} by {table.fact}]{end}", cell


def board_csv(board: Board, view: View | None = None) -> str:
    """Return the board as CSV, a line for each model, and below them one for each model and source of other figures."""
    table = flat_lines(board, view)
    below: dict[tuple[str, str], dict[str, Json]] = {}
    for each in board.below:
        line = below.setdefault(
            (each.model, each.source), {"model": each.model, "reported": True, "source": each.source}
        )
        task = next((column.task for column in board.columns if each.of(column.task)), each.task)
        line[f"{task} {each.metric}"] = each.value
        line["url"] = each.url or line.get("url")
    lines = [*table, *below.values()]
    lines = [{plain(name): cell for name, cell in line.items()} for line in lines]
    names = dict.fromkeys(("rank", "model", "score", *(name for line in lines for name in line)))
    return csv_text(list(names), lines)
