"""Progress bars of a run, and one line for each finished task."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as Bar
from rich.text import Text

from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import count
from mmbench.harness.render.plain import plain
from mmbench.harness.run.progress import Problem
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.terminal.run import under


class _Rate(ProgressColumn):
    """Inputs a second."""

    def render(self, task: Bar) -> Text:
        return Text(f"{task.speed:,.0f} inputs/s" if task.speed else "", style="progress.data.speed")


class Bars:
    """Shows one bar for each task as it runs, on standard error, and a line for what went wrong."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
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

    def started(self, sitting: Sitting, items: int) -> None:
        """Begin a bar as long as the task's items; texts are added as they are known."""
        what = f"{sitting.model} · {under(sitting.task.reference, sitting.control)}"
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
        self._say("", "dim", message, "dim")

    def finished(self, made: Record | Problem) -> None:
        """Replace the bar by one line."""
        self._progress.update(self._bar, visible=False)
        if isinstance(made, Problem):
            mark, style = ("-", "dim") if made.unsupported else ("failed", "bold red")
            self._say(mark, style, f"{made.model} · {under(made.task, made.control)}: {made.error}")
            return
        remembered = f", {made.remembered:,} remembered" if made.remembered else ""
        self._say(
            "done",
            "green",
            f"{made.model} · {under(made.reference, made.control)}: {made.asked:,} asked{remembered}, "
            f"{made.seconds:.1f} s, {made.items_per_second:,.0f} items/s",
        )
        if made.truncated_texts:
            self._warn(f"{count(made.truncated_texts, 'text')} longer than the model's context, and cut")
        if made.errors:
            self._warn(f"{count(made.errors, 'item')} could not be scored; the first: {made.first_error}")
        for note in made.notes if made.control is None else ():
            self._say("note", "dim", note)

    def _warn(self, message: str) -> None:
        self._say("warning", "yellow", message)

    def _say(self, mark: str, style: str, message: str, rest: str = "") -> None:
        line = Text.assemble((f"{mark} " if mark else "", style), (plain(message), rest))
        self._console.print(line, highlight=False, soft_wrap=True)
