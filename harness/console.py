"""What a person sees at the terminal: progress while it runs, tables a newcomer can read."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as Bar
from rich.table import Table
from rich.text import Text

from mmbench.harness.controls import ControlName
from mmbench.harness.plan import Plan
from mmbench.harness.record import Record
from mmbench.harness.run import Problem, Run
from mmbench.harness.scoring import Scored
from mmbench.harness.store import Holding
from mmbench.harness.tables import empty_table, interval, number
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
            disable=not console.is_terminal,  # a log wants lines, no bars
        )
        self._bar = self._progress.add_task("", total=None, visible=False)

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, model: str, task: Task, items: int, control: ControlName | None) -> None:
        """Begin a bar as long as the task's items; texts are added as they are known."""
        what = f"{escape(model)} · {_under(task.reference, control)}"
        self._progress.reset(self._bar, description=what, total=items, visible=True)

    def expected(self, inputs: int) -> None:
        """Make the bar longer."""
        self._progress.update(self._bar, total=(self._progress.tasks[0].total or 0) + inputs)

    def advanced(self, asked: int, remembered: int) -> None:
        """Move the bar on."""
        bar = self._progress.tasks[0]
        done = bar.completed + asked + remembered
        self._progress.update(self._bar, completed=done, total=max(bar.total or 0, done))

    def told(self, message: str) -> None:
        """Print a line."""
        self._console.print(f"[dim]{escape(message)}[/]", highlight=False, soft_wrap=True)

    def finished(self, made: Record | Problem) -> None:
        """Replace the bar by one line."""
        self._progress.update(self._bar, visible=False)
        if isinstance(made, Problem):
            mark, style = ("-", "dim") if made.unsupported else ("failed", "bold red")
            what = f"{escape(made.model)} · {_under(made.task, made.control)}"
            self._console.print(
                f"[{style}]{mark}[/] {what}: {escape(str(made.error))}",
                highlight=False,
                soft_wrap=True,
            )
            return
        remembered = f", {made.remembered:,} remembered" if made.remembered else ""
        what = f"{escape(made.model)} · {_under(made.reference, made.control)}"
        self._console.print(
            f"[green]done[/] {what}: {made.asked:,} asked{remembered}, "
            f"{made.seconds:.1f} s, {made.items_per_second:,.0f} items/s",
            highlight=False,
            soft_wrap=True,
        )
        if made.truncated_texts:
            self._warn(f"{_many(made.truncated_texts, 'text')} longer than the model's context, and cut")
        if made.errors:
            self._warn(f"{_many(made.errors, 'item')} could not be scored; the first: {made.first_error}")
        for note in made.notes if made.control is None else ():
            self._console.print(f"[dim]note[/] {escape(note)}", highlight=False, soft_wrap=True)

    def _warn(self, message: str) -> None:
        self._console.print(f"[yellow]warning[/] {message}", highlight=False, soft_wrap=True)


def _under(task: str, control: str | None) -> str:
    return f"{task} ({control})" if control else task


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def run_table(run: Run) -> Table:
    """Return the scores of a run: under each task a line for each metric and model."""
    routes = sorted({record.route for record in run.records})
    # Said once where it is the same for all, which leaves narrow terminals room for the names.
    title = "Scores" + (f", route {routes[0]}" if len(routes) == 1 else "")
    covered = any(score.coverage < COVERED for record in run.records for score in record.scores)
    more = ["scored"] if covered else []
    table = empty_table(title, ["task and metric", "model"], ["score", "95 % interval", "chance", "n", *more])
    if len(routes) > 1:
        table.add_column("route")
    for task in run.tasks:
        mine = [record for record in run.records if record.reference == task.reference]
        refused = [p for p in run.problems if p.task == task.reference and p.unsupported]
        if mine or refused:
            table.add_row(Text(task.reference, style="bold"))
        for i, metric in enumerate(task.family.metrics):
            shown = mine if i == 0 else [record for record in mine if record.control is None]
            lines = [_score_line(record, metric.name, covered=covered, routed=len(routes) > 1) for record in shown]
            if i == 0:
                lines += [[_under(p.model, p.control), *["-"] * (len(table.columns) - 2)] for p in refused]
            for j, line in enumerate(lines):
                # Said once for all models.
                name = "" if j else f"  {metric.name}"
                table.add_row(name, *map(escape, line), style="" if i == 0 else "dim")
        table.add_section()
    return table


def scored_table(made: Scored) -> Table:
    """Return the scores of recorded predictions."""
    record = made.record
    covered = any(score.coverage < COVERED for score in record.scores)
    more = ["scored", "bounds"] if covered else []
    table = empty_table(
        f"{record.reference}: {record.model}", ["metric"], ["score", "95 % interval", "chance", "n", *more]
    )
    for i, score in enumerate(record.scores):
        bounds = interval(*score.bounds or (None, None))
        rest = [f"{score.coverage:.1%}", bounds] if covered else []
        table.add_row(score.metric, *_score_cells(score), f"{score.n:,}", *rest, style="dim" if i else "")
    return table


def scored_notes(made: Scored) -> list[str]:
    """Return what is wrong with the predictions, by name."""
    notes = [
        f"{_many(len(ids), 'id')} {what}: {_some(ids)}"
        for ids, what in (
            (made.missing, "of the task without a prediction"),
            (made.extra, "in the file that the task does not have, passed over"),
            (made.repeated, "given more than once"),
        )
        if ids
    ]
    if made.record.errors > len(made.missing):
        notes.append(f"{_many(made.record.errors, 'item')} could not be scored; the first: {made.record.first_error}")
    return [*notes, *made.record.notes]


def _some(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _score_line(record: Record, metric: str, *, covered: bool, routed: bool) -> list[str]:
    score = next(score for score in record.scores if score.metric == metric)
    model = _under(record.model, record.control)
    model += f" (first {record.dataset['n']:,} items)" if record.partial else ""
    share = [f"{score.coverage:.1%}"] if covered else []
    return [model, *_score_cells(score), f"{score.n:,}", *share, *([record.route] if routed else [])]


def _score_cells(score: Score) -> tuple[str, str, str]:
    ends = interval(score.low, score.high) + (" few clusters" if score.few_clusters else "")
    return number(score.value), ends, number(score.chance)


def plan_table(plans: Sequence[Plan]) -> Table:
    """Return what a run would ask."""
    numbers = ["items", "inputs", "remembered", "to ask", "time", "download"]
    table = empty_table("Dry run: nothing was asked", ["model and task"], numbers)
    for before, plan in zip((None, *plans), plans, strict=False):
        if before is None or before.model != plan.model:
            table.add_section()
            table.add_row(Text(plan.model, style="bold"))
        if plan.unsupported:
            table.add_row(f"  {_under(plan.task, plan.control)}", f"{plan.items:,}", *["-"] * 5, style="dim")
            continue
        table.add_row(
            f"  {_under(plan.task, plan.control)}",
            f"{plan.items:,}",
            f"{plan.inputs:,}",
            f"{plan.remembered:,}",
            f"{plan.inputs - plan.remembered:,}",
            "unknown" if plan.seconds is None else f"{plan.seconds:,.0f} s",
            "unknown" if plan.download is None else f"{plan.download / 1e6:,.0f} MB",
        )
    return table


def plan_notes(plans: Sequence[Plan]) -> list[str]:
    """Return what a reader of the plan should know."""
    notes = ["inputs: distinct pictures, texts and prompts; remembered: answered by the store or an earlier task"]
    if any(plan.seconds is None and not plan.unsupported for plan in plans):
        notes.append("time unknown: it is estimated once the model has answered something")
    return notes + [
        f"- {plan.model} · {_under(plan.task, plan.control)}: {plan.unsupported}" for plan in plans if plan.unsupported
    ]


def listing(title: str, rows: Sequence[dict[str, object]]) -> Table:
    """Return a list of things that there are: metrics under their family, a spec below its description."""
    headers = list(rows[0]) if rows else ["name"]
    grouped = len({row[headers[0]] for row in rows}) < len(rows)
    names, *others = headers[grouped:]
    shown = [header for header in others if header != "spec"]
    table = empty_table(
        title, [f"{headers[0]} and {names}" if grouped else names, *(_HEADINGS.get(h, h) for h in shown)]
    )
    table.columns[0].no_wrap = True
    for column, header in zip(table.columns[1:], shown, strict=True):
        column.justify = "right" if all(isinstance(row[header], int | None) for row in rows) else "left"
    family: object = None
    for row in rows:
        if grouped and row[headers[0]] != family:
            family = row[headers[0]]
            table.add_section()
            table.add_row(Text(str(family), style="bold"))
        table.add_row(f"{'  ' * grouped}{escape(str(row[names]))}", *(_listed(row[header]) for header in shown))
        if "spec" in row:
            table.add_row(*[""] * len(shown), Text(str(row["spec"]), style="dim"))
    return table


_HEADINGS = {"download_mb": "MB"}


def _listed(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else escape(str(cell))


def store_table(path: str, holdings: Sequence[Holding]) -> Table:
    """Return what the store holds."""
    from datetime import datetime

    size = sum(held.bytes for held in holdings)
    title = f"Store: {escape(path)}, {_bytes(size)} of answers"
    table = empty_table(title, ["model"], ["answers", "size", "last used"], ["fingerprint"])
    for held in holdings:
        used = datetime.fromtimestamp(held.used).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - local time for a person
        table.add_row(escape(held.name), f"{held.answers:,}", _bytes(held.bytes), used, escape(held.fingerprint[:12]))
    return table


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
