"""What a person sees at the terminal: progress while it runs, tables a newcomer can read."""

import csv
import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as Bar
from rich.table import Table
from rich.text import Text

from mmbench.harness.board import Board, Cell, as_table
from mmbench.harness.plan import Plan
from mmbench.harness.record import Record
from mmbench.harness.run import Problem, Run
from mmbench.harness.store import Holding
from mmbench.harness.task import Task
from mmbench.harness.types import Score

COVERED = 0.9995


class _Rate(ProgressColumn):
    """Inputs a second."""

    def render(self, task: Bar) -> Text:
        return Text(f"{task.speed:,.0f} inputs/s" if task.speed else "", style="progress.data.speed")


class Bars:
    """Shows one bar for each task as it runs, on standard error, and a line for what went wrong."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._bar = self._progress.add_task("", total=None, visible=False)

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, model: str, task: Task, items: int) -> None:
        """Begin a bar. Its length is a first guess: how many texts a task asks is known only as it asks them."""
        self._progress.reset(self._bar, description=f"{escape(model)} · {task.reference}", total=items, visible=True)

    def advanced(self, asked: int, remembered: int) -> None:
        """Move the bar on."""
        bar = self._progress.tasks[0]
        done = bar.completed + asked + remembered
        self._progress.update(self._bar, completed=done, total=max(bar.total or 0, done))

    def finished(self, made: Record | Problem) -> None:
        """Replace the bar by one line."""
        self._progress.update(self._bar, visible=False)
        if isinstance(made, Problem):
            mark, style = ("-", "dim") if made.unsupported else ("failed", "bold red")
            self._console.print(f"[{style}]{mark}[/] {escape(made.model)} · {made.task}: {escape(str(made.error))}")
            return
        remembered = f", {made.remembered:,} remembered" if made.remembered else ""
        self._console.print(
            f"[green]done[/] {escape(made.model)} · {made.reference}: {made.asked:,} asked{remembered}, "
            f"{made.seconds:.1f} s, {made.items_per_second:,.0f} items/s",
            highlight=False,
        )
        if made.truncated_texts:
            self._console.print(
                f"[yellow]warning[/] {made.truncated_texts:,} texts are longer than the model's context and were cut"
            )
        if made.errors:
            self._console.print(
                f"[yellow]warning[/] {made.errors:,} items could not be scored (see the outcomes beside the record)"
            )


def run_table(run: Run) -> Table:
    """Return the scores of a run: a line for each model and metric of each task."""
    table = Table(title="Scores", title_justify="left", header_style="bold")
    for header, right in (
        ("task", 0),
        ("metric", 0),
        ("model", 0),
        ("score", 1),
        ("95 % interval", 1),
        ("chance", 1),
        ("n", 1),
        ("route", 0),
    ):
        table.add_column(header, justify="right" if right else "left", no_wrap=header in ("score", "95 % interval"))
    notes = any(score.coverage < COVERED for record in run.records for score in record.scores)
    if notes:
        table.add_column("scored", justify="right")
    for task in run.tasks:
        mine = [record for record in run.records if record.reference == task.reference]
        refused = [p for p in run.problems if p.task == task.reference and p.unsupported]
        for i, metric in enumerate(task.family.metrics):
            for record in mine:
                score = next(s for s in record.scores if s.metric == metric.name)
                name = task.reference + (f" (first {record.dataset['n']})" if record.partial else "")
                cells = [name, metric.name, record.model, *_score_cells(score), str(score.n), record.route]
                table.add_row(
                    *map(escape, cells), *([f"{score.coverage:.1%}"] if notes else []), style="" if i == 0 else "dim"
                )
            for problem in refused:
                table.add_row(task.reference, metric.name, escape(problem.model), *["-"] * (5 + notes), style="dim")
        table.add_section()
    return table


def _score_cells(score: Score) -> tuple[str, str, str]:
    interval = f"{_number(score.low)} … {_number(score.high)}" if score.low is not None else "-"
    return _number(score.value), interval, _number(score.chance)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:,.1f}"


def plan_table(plans: Sequence[Plan]) -> Table:
    """Return what a run would ask."""
    table = Table(title="Dry run: nothing was asked", title_justify="left", header_style="bold")
    for header in ("model", "task", "items", "inputs", "remembered", "to ask", "time", "download"):
        table.add_column(header, justify="left" if header in ("model", "task") else "right")
    for plan in plans:
        if plan.unsupported:
            table.add_row(escape(plan.model), plan.task, str(plan.items), *["-"] * 5, style="dim")
            continue
        table.add_row(
            escape(plan.model),
            plan.task,
            f"{plan.items:,}",
            f"{plan.inputs:,}",
            f"{plan.remembered:,}",
            f"{plan.inputs - plan.remembered:,}",
            "unknown" if plan.seconds is None else f"{plan.seconds:,.0f} s",
            "unknown" if plan.download is None else f"{plan.download / 1e6:,.0f} MB",
        )
    return table


def board_table(board: Board) -> Table:
    """Return the board: the best model first, a column for each task."""
    table = Table(title=f"Leaderboard: {escape(board.title)}", title_justify="left", header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("model")
    table.add_column("score", justify="right")
    for column in board.columns:
        table.add_column(f"{column.task}\n{column.metric}", justify="right")
    for line in board.lines:
        rank = "-" if line.rank is None else str(line.rank)
        table.add_row(rank, escape(line.model), _number(line.overall), *map(_board_cell, line.cells))
    return table


def _board_cell(cell: Cell | None) -> str:
    if cell is None or cell.score.value is None:
        return "-"
    score = cell.score
    spread = f" ±{(score.high - score.low) / 2:.3f}" if score.high is not None and score.low is not None else ""
    mark = "" if cell.route == "embed" else f" ({cell.route})"
    short = f" [yellow]{score.coverage:.1%} scored[/]" if score.coverage < COVERED else ""
    return f"{_number(score.value)}{spread}{mark}{short}"


def board_notes(board: Board) -> list[str]:
    """Return what a reader of the board should know."""
    notes = []
    if any(line.overall is not None for line in board.lines):
        notes.append("score: mean over tasks of (value - chance) / (best - chance); ±: half the 95 % interval")
    if any(line.rank is None for line in board.lines):
        notes.append("not ranked: a task is missing or less than 99 % of its items were scored")
    for record in board.apart:
        why = "only part of its items" if record.partial else "another protocol or route"
        notes.append(f"apart: {record.model} on {record.reference} ({why})")
    return notes


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def board_markdown(board: Board) -> str:
    """Return the board as Markdown, with its notes."""
    header = ["#", "model", "score", *(f"{column.task} {column.metric}" for column in board.columns)]
    rows = [
        ["-" if line.rank is None else str(line.rank), line.model, _number(line.overall)]
        + [Text.from_markup(_board_cell(cell)).plain for cell in line.cells]
        for line in board.lines
    ]
    return "\n\n".join([markdown(header, rows), *board_notes(board)])


def board_csv(board: Board) -> str:
    """Return the board as CSV, a line for each model."""
    table = as_table(board)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]) if table else ["rank", "model", "score"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().rstrip("\n")


def listing(title: str, rows: Sequence[dict[str, object]]) -> Table:
    """Return a list of things that there are."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for header in rows[0] if rows else ["name"]:
        table.add_column(header)
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row.values()))
    return table


def store_table(path: str, holdings: Sequence[Holding]) -> Table:
    """Return what the store holds."""
    from datetime import datetime

    table = Table(title=f"Store: {escape(path)}", title_justify="left", header_style="bold")
    for header in ("model", "answers", "size", "last used", "fingerprint"):
        table.add_column(header, justify="right" if header in ("answers", "size") else "left")
    for held in holdings:
        used = datetime.fromtimestamp(held.used).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - local time for a person
        table.add_row(
            escape(held.name), f"{held.answers:,}", f"{held.bytes / 1e6:,.1f} MB", used, held.fingerprint[:12]
        )
    return table
