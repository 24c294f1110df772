"""Progress of a run: a bar at a terminal, a line every few seconds in a log, and one line for each finished task."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as Bar
from rich.table import Column
from rich.text import Text

from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import count
from mmbench.harness.render.plain import plain
from mmbench.harness.run.progress import Problem
from mmbench.harness.run.sitting import Sitting, under
from mmbench.harness.terminal.pace import Pace, duration

_EVERY = 5.0
"""Seconds between two lines where there is no terminal to show a bar."""


_WIDE = 100
"""Columns from which on there is room for a bar."""
_NARROW = 56
"""Columns below which there is none for the time that the run has left."""


def _whole(width: int) -> Column:
    """Return a column that is never folded, nor narrower than this."""
    return Column(no_wrap=True, min_width=width)


class _Rate(ProgressColumn):
    """Inputs a second."""

    def render(self, task: Bar) -> Text:
        return Text(f"{task.speed:,.0f} inputs/s" if task.speed else "", style="progress.data.speed")


class Bars:
    """Shows on standard error how far a task and the run are, and a line for what went wrong."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # One line at any width: what does not fit of the name is cut, and a narrow terminal does without the bar.
        bar = (BarColumn(bar_width=20), _Rate(table_column=_whole(14))) if console.width >= _WIDE else ()
        left = [TextColumn("{task.fields[run]}", markup=False, table_column=_whole(18))][: console.width >= _NARROW]
        room = max(10, console.width - (75 if bar else 38 if left else 19))
        name = Column(no_wrap=True, overflow="ellipsis", max_width=room)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=name),
            *bar,
            MofNCompleteColumn(table_column=_whole(9)),
            TimeRemainingColumn(table_column=_whole(7)),
            *left,
            console=console,
            transient=True,
            disable=not console.is_terminal,  # a log wants lines, no bars
        )
        self._bar = self._progress.add_task("", total=None, visible=False, run="")
        self._pace = Pace()
        self._sitting: Sitting | None = None
        self._records = 0
        self._asked = 0
        """Inputs that the model answered of the task in progress."""
        self._said = time.monotonic()

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, sitting: Sitting, items: int) -> None:
        """Begin a bar as long as the task's items; texts are added as they are known."""
        self._sitting, self._asked = sitting, 0
        self._pace.started(sitting.place, items)
        self._progress.reset(self._bar, description=_named(sitting), total=items, visible=True, run="")

    def expected(self, inputs: int) -> None:
        """Make the bar longer."""
        self._pace.expected(inputs)
        self._progress.update(self._bar, total=self._pace.total)

    def advanced(self, asked: int, remembered: int) -> None:
        """Move the bar on."""
        self._asked += asked
        self._pace.advanced(asked + remembered)
        shown = self._console.is_terminal
        if not shown and (time.monotonic() - self._said < _EVERY or self._sitting is None):
            return
        left = self._pace.run_left
        run = "" if left is None else f"run: {duration(left)} left"
        if shown:
            self._progress.update(self._bar, completed=self._pace.done, total=self._pace.total, run=run)
        elif self._sitting is not None:
            self._say("", "dim", ", ".join([f"{_named(self._sitting)}: {self._pace}", *filter(None, [run])]), "dim")

    def told(self, message: str) -> None:
        """Print a line."""
        self._say("", "dim", message, "dim")

    def finished(self, made: Record | Problem) -> None:
        """Replace the bar by one line."""
        self._progress.update(self._bar, visible=False)
        self._sitting = None
        if isinstance(made, Problem):
            mark, style = ("-", "dim") if made.unsupported else ("failed", "bold red")
            self._say(mark, style, f"{made.model} · {under(made.task, made.control)}: {made.error}")
            return
        self._records += 1
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

    @property
    def kept(self) -> str:
        """What stays of a run that is stopped now."""
        kept = f"kept: {count(self._records, 'record')}"
        if self._sitting is not None:
            kept = f"stopped in {_named(self._sitting)}; {kept}"
            kept += f", and {count(self._asked, 'answer')} of this task in the store" if self._asked else ""
        return kept

    def _warn(self, message: str) -> None:
        self._say("warning", "yellow", message)

    def _say(self, mark: str, style: str, message: str, rest: str = "") -> None:
        self._said = time.monotonic()
        line = Text.assemble((f"{mark} " if mark else "", style), (plain(message), rest))
        self._console.print(line, highlight=False, soft_wrap=True)


def _named(sitting: Sitting) -> str:
    place = sitting.place
    return f"task {place.number:,} of {place.of:,} · {sitting.model} · {under(sitting.task.reference, sitting.control)}"
