"""Headline of a report: who leads, what broke since the baseline, and the weakest dimensions, with intervals."""

from collections.abc import Sequence

from mmbench.harness.board.board import Board
from mmbench.harness.board.line import Line
from mmbench.harness.compare.rows import CompareRow, Comparison
from mmbench.harness.render.figures import count, interval, number, signed, some, span
from mmbench.harness.statistics.estimate import Estimate

_WEAKEST = 3
_MOST_MODELS = 3
_NAMES = 3


def headline(board: Board, since: Comparison | None = None) -> list[str]:
    """Return the sentences, at most three: the leader, what `since`, a comparison with the baseline, found, and the
    weakest dimensions of the leader. One is left out where the records have nothing to say it of.
    """
    measured = [(line, line.overall) for line in board.lines if line.source is None and line.overall is not None]
    if not measured:
        told = ["No model has a score on every task, so that none leads."] if board.lines else []
        return told + ([_since(since)] if since else [])
    leader = measured[0][0]
    weakest = _weakest(leader, board)
    return [_leads(measured, board), *([_since(since)] if since else []), *([weakest] if weakest else [])]


def _figure(made: Estimate, what: str = "") -> str:
    ends = "" if made.low is None else f" ({what}{interval(made.low, made.high)})"
    return number(made.value) + ends


def _leads(measured: Sequence[tuple[Line, Estimate]], board: Board) -> str:
    (leader, score), rest = measured[0], measured[1:]
    tasks = count(len(board.columns), "task")
    scored = f"{_figure(score, '95 % interval ')} over {tasks}, where 0 is chance and 1 the best"
    if board.partial:
        return f"{leader.model} has the highest score on the items that were asked, {scored}; a part ranks nobody."
    if not rest:
        return f"{leader.model} scores {scored}."
    group = leader.standing.group if leader.standing else None
    ties = [line.model for line, _ in rest if line.standing and line.standing.group == group]
    if ties:
        return f"{leader.model} leads with {scored}, but cannot be told from {some(ties, _NAMES)}."
    second, next_score = rest[0]
    return f"{leader.model} leads with {scored}; {second.model} follows with {_figure(next_score)}."


def _since(since: Comparison) -> str:
    baseline, others = since.models[0], since.models[1:]
    judged = [model for model in others if since.of(model)]
    if not judged:
        return f"Nothing can be compared with the baseline {baseline}."
    broken = [model for model in judged if _worse(since, model)]
    sound = [model for model in judged if model not in broken]
    said = [_broke(since, model) for model in broken[:_MOST_MODELS]]
    if len(broken) > _MOST_MODELS:
        said.append(f"{count(len(broken) - _MOST_MODELS, 'more model')} with tasks that are worse")
    if sound:
        said.append(f"nothing is found worse in {some(sound, _NAMES)}")
    left = len(others) - len(judged)
    if left:
        said.append(f"{count(left, 'model')} not comparable")
    return f"Since the baseline {baseline}: {'; '.join(said)}."


def _worse(since: Comparison, model: str) -> list[CompareRow]:
    """Return the tasks on which a model is worse, those that lost most first."""
    return sorted(
        (row for row in since.of(model) if row.verdict == "worse"), key=lambda row: -abs(row.difference.value)
    )


def _broke(since: Comparison, model: str) -> str:
    rows = _worse(since, model)
    first = rows[0]
    whole = f"{len(rows):,} of {count(len(since.of(model)), 'task')}"
    most = f"{first.reference}, {signed(first.difference.value)} ({span(first.low_adjusted, first.high_adjusted)})"
    return f"{model} is worse on {whole}, {'most on ' if len(rows) > 1 else ''}{most}"


def _weakest(leader: Line, board: Board) -> str:
    """Return the weakest dimensions; where tasks name less than two, the weakest tasks."""
    held = {name: made for name, made in leader.dimensions.items() if made is not None}
    kind = "dimensions"
    if len(held) < 2:
        kind = "tasks"
        pairs = zip(board.columns, leader.cells, strict=True)
        held = {column.task: cell.normalised for column, cell in pairs if cell and cell.normalised}
    if len(held) < 2:
        return ""
    ordered = sorted(held.items(), key=lambda pair: pair[1].value)[: min(_WEAKEST, len(held) - 1)]
    named = ", ".join(f"{name} {_figure(made)}" for name, made in ordered)
    if len(ordered) == 1:
        return f"The weakest of the {kind} of {leader.model} is {named}."
    return f"The weakest {kind} of {leader.model} are {named}."
