"""How long a task and a run will take, and the lines of a log without a terminal."""

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest

from mmbench.harness.run.sitting import Place, Sitting, placed
from mmbench.harness.terminal import progress
from mmbench.harness.terminal.console import PlainConsole
from mmbench.harness.terminal.pace import Pace, duration


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def sitting(name: str) -> Sitting:
    return Sitting("m", SimpleNamespace(reference=f"{name}@1"))  # type: ignore[arg-type]


def test_sittings_know_their_place() -> None:
    made = placed([sitting("a"), sitting("b"), sitting("c")], [10, 0, 30])
    assert [each.place for each in made] == [Place(1, 3, 0, 10, 40), Place(2, 3, 10, 0, 40), Place(3, 3, 10, 30, 40)]
    assert placed([sitting("a")], [0])[0].place.total == 0


def test_time_runs_from_the_first_answer_on() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.started(Place(1, 2, 0, 100, 200), 100)
    pace.expected(20)
    clock.now = 50.0  # the model was loaded meanwhile
    pace.advanced(12)
    assert (pace.rate, pace.run_left) == (None, None)
    clock.now = 60.0
    pace.advanced(48)
    assert pace.rate == pytest.approx(4.8)
    # A quarter of the run's items is done, four fifths of it within these ten seconds.
    assert pace.run_left == pytest.approx(10 / 0.2 * 0.75)
    assert str(pace) == "60 of 120 inputs, 4.8 inputs/s, 12 s left"
    pace.advanced(100)  # more than was told
    assert (pace.done, pace.total) == (160, 160)


@pytest.mark.parametrize(("seconds", "said"), [(0, "1 s"), (99, "99 s"), (100, "2 min"), (3700, "1 h 02 min")])
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_without_a_terminal_a_line_is_printed_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=clock))
    stream = io.StringIO()
    with progress.Bars(PlainConsole(stream, 140)) as bars:
        pace: Any = Pace(clock)
        bars._pace = pace
        for each in placed([sitting("a"), sitting("b")], [100, 100]):
            bars.started(each, 100)
            for _ in range(100):
                clock.now += 0.1
                bars.advanced(1, 0)
    lines = stream.getvalue().splitlines()
    assert 3 <= len(lines) <= 4
    assert lines[0].startswith("task 1 of 2 · m · a@1: 51 of 100 inputs, 10 inputs/s, 5 s left, run: 15 s left")
    assert lines[-1].startswith("task 2 of 2 · m · b@1")
    assert bars.kept == "stopped in task 2 of 2 · m · b@1; kept: 0 records, and 100 answers of this task in the store"


@pytest.mark.parametrize("width", [40, 56, 80, 120])
def test_a_terminal_of_any_width_has_one_line_and_nothing_cut_but_the_name(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    clock = Clock()
    monkeypatch.setenv("TERM", "xterm")
    console = PlainConsole(Terminal(), width)
    bars = progress.Bars(console)
    bars._pace = Pace(clock)
    (each,) = placed([sitting("a-task-of-a-very-long-name" * 4)], [1_000])
    bars.started(each, 1_000)
    for _ in range(3):
        clock.now += 1.0
        bars.advanced(40, 0)
    with console.capture() as shown:
        console.print(bars._progress)
    (line,) = [text for text in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.get()).splitlines() if text.strip()]
    assert len(line) <= width
    assert "  120/1000" in line
    assert ("run: 22 s left" in line, "run:" in line) == (width >= 56, width >= 56)
