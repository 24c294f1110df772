"""Perception profile at the terminal, as bars that are read before the numbers."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from rich.console import Console, ConsoleOptions, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mmbench.harness.records.profile import Dimension, Verdict
from mmbench.harness.render.figures import gained, interval, number
from mmbench.harness.run.result import Run
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.terminal.tables import empty_table

WIDEST = 24
"""Characters of a bar where the terminal has room."""

Marks: TypeAlias = tuple[str, str, str]

BLOCKS: Marks = ("█", "▒", "·")
ASCII: Marks = ("#", "=", ".")
"""Characters of a bar: below the interval, within it, above it."""

# The colours of the terminal's own theme, which reads them on a light and on a dark ground.
_COLOURS: Mapping[Verdict, str] = {"learned": "green", "mostly": "cyan", "partly": "yellow", "below chance": "red"}


def bar(made: Estimate, width: int, marks: Marks = BLOCKS) -> str:
    """Return a bar from chance to best: solid as far as the interval leaves no doubt, shaded as far as it reaches.

    Without an interval it is solid as far as the score; a negative score has an empty bar.

    >>> bar(Estimate(0.5, 0.25, 0.75), 8), bar(Estimate(0.5, None, None), 8, ASCII), bar(Estimate(-0.1, -0.3, 0.1), 8)
    ('██▒▒▒▒··', '####....', '········')
    """
    sure, shaded, left = marks
    if made.value < 0:
        return left * width
    low, high = made.low, made.high
    if low is None or high is None:
        low = high = round(made.value * width) / width
    # A cell that the interval only touches is shaded: none is ever so narrow that it cannot be seen.
    start = min(width, max(0, math.floor(low * width)))
    end = min(width, math.ceil(high * width))
    return sure * start + shaded * (end - start) + left * (width - end)


@dataclass(frozen=True, slots=True)
class _Stretched:
    """What is drawn as wide as the table leaves it room, in characters that the terminal's encoding has."""

    draw: Callable[[int, Marks], Text]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, WIDEST)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield self.draw(min(WIDEST, options.max_width), ASCII if options.ascii_only else BLOCKS)


def _axis(width: int, marks: Marks) -> Text:
    """Return what stands above the bars."""
    return Text("chance" + "best".rjust(width - len("chance")) if width > len("chance best") else "")


def _coloured_bar(made: Dimension, width: int, marks: Marks) -> Text:
    if made.score is None:
        return Text()
    drawn = bar(made.score, width, marks)
    filled = drawn.rstrip(marks[-1])
    return Text.assemble((filled, _COLOURS.get(made.verdict, "")), (drawn[len(filled) :], "dim"))


def profiles(run: Run) -> Group | None:
    """Return the profile of each model, or None where the tasks of the run name fewer than two dimensions."""
    made = run.profiles()
    if len({task.card.dimension for task in run.tasks} - {""}) < 2 or not made:
        return None
    tables = [profile_table(_title(run, model), dimensions) for model, dimensions in made.items()]
    verdicts = {dimension.verdict for dimensions in made.values() for dimension in dimensions}
    timed = any(dimension.temporal for dimensions in made.values() for dimension in dimensions)
    return Group(*tables, *(Text(note, style="dim") for note in _notes(verdicts, timed=timed)))


def _title(run: Run, model: str) -> str:
    cut = any(record.partial for record in run.records if record.model == model)
    return f"Perception profile: {model}" + (" (first items only)" if cut else "")


def profile_table(title: str, dimensions: Sequence[Dimension]) -> Table:
    """Return one model's profile: a line for each dimension."""
    table = empty_table(title, ["dimension", ""], ["score", "95 % interval", "n", "tasks"], ["verdict"])
    table.columns[1].header = _Stretched(_axis)
    table.columns[-1].no_wrap = True
    timed = any(made.temporal for made in dimensions)
    if timed:
        table.add_column("temporal gain", justify="right")
    for made in dimensions:
        known = made.verdict in ("learned", "mostly", "partly", "below chance")
        table.add_row(
            made.name,
            _Stretched(partial(_coloured_bar, made)),
            number(made.score.value if made.score else None),
            interval(made.score.low, made.score.high) if made.score else "-",
            f"{made.n:,}",
            str(made.tasks),
            made.verdict,
            *([_gained(made.temporal)] if timed else []),
            style="" if known else "dim",
        )
    return table


def _gained(made: Estimate | None) -> str:
    return "-" if made is None else gained(made.value, made.low, made.high)


def _notes(verdicts: set[Verdict], *, timed: bool) -> list[str]:
    """Return what a reader of the profiles should know, a line for each."""
    said: dict[Verdict, str] = {
        "no interval": "no interval: a task's metric has none, so chance cannot be told from skill",
        "no scale": "no scale: a task's metric has no known chance or no best value",
        "incomplete": "incomplete: a task is missing or less than 99 % of its items were scored",
    }
    notes = [
        "score: mean over tasks of (value - chance) / (best - chance)",
        "verdict: told from chance by a test that holds for all dimensions at once (Holm, 5 %)",
        "bar: solid as far as is sure, shaded as far as the 95 % interval reaches",
        *(
            ["temporal gain: how far the score is beyond the better of single-frame and shuffled-frames"]
            if timed
            else []
        ),
    ]
    return notes + [note for verdict, note in said.items() if verdict in verdicts]
