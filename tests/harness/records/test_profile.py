"""A profile is a mean of what was asked in full, corrected for chance, and drawn so that its interval is seen."""

import io
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest
from rich.console import Console

import mmbench
from mmbench.harness.cli.app import main
from mmbench.harness.errors import Unsupported
from mmbench.harness.records.profile import Dimension, profile
from mmbench.harness.records.record import Record
from mmbench.harness.run.progress import Problem
from mmbench.harness.run.result import Run
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.scores.corrected import corrected
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.wilson import wilson
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.task import Opened, Task
from mmbench.harness.terminal.console import PlainConsole
from mmbench.harness.terminal.profile import ASCII, BLOCKS, bar, profile_table, profiles
from mmbench.harness.types import Score
from tests.builders import record


def task(name: str, dimension: str) -> Task:
    opened = Opened(SimpleNamespace(), ("embed",), 100)
    return Task(name, 1, "yes-no", Card(dimension=dimension), lambda: opened)


def scored(
    name: str, value: float | None, ends: tuple[float, float] | None = None, /, chance: float | None = 0.5, **more: Any
) -> Record:
    low, high = ends or (None, None)
    first = Score("accuracy", value, low, high, 100, more.pop("coverage", 1.0), None, chance, True)
    return record(task=name, scores=(first, replace(first, metric="map", value=0.1, primary=False)), **more)


def one(*records: Record) -> Dimension:
    """The dimension of the tasks `t0`, `t1`, … as many as there are records."""
    (made,) = profile([task(f"t{i}", "shape") for i in range(len(records))], records)
    return made


def ends_of(made: Dimension) -> tuple[float | None, ...]:
    return (made.score.value, made.score.low, made.score.high) if made.score else (None, None, None)


# the figures


def test_a_task_alone_keeps_its_interval() -> None:
    made = one(scored("t0", 0.75, (0.7, 0.8)))
    assert (made.name, made.n, made.tasks, made.verdict) == ("shape", 100, 1, "partly")
    assert ends_of(made) == pytest.approx((0.5, 0.4, 0.6))


def test_guessing_seldom_seems_more_in_any_dimension() -> None:
    """Of 20 dimensions, of what the suite `perception` asks, one alone would do so in every second profile."""
    rng = np.random.default_rng(0)
    sizes, chances = [120, 160, 240, 480, 1000] * 4, [0.5, 0.25, 0.1, 0.1] * 5
    tasks = [task(f"t{i}", f"d{i}") for i in range(20)]
    more = alone = 0
    for _ in range(600):
        records = []
        for i, (n, chance) in enumerate(zip(sizes, chances, strict=True)):
            right = int(rng.binomial(n, chance))
            records.append(scored(f"t{i}", right / n, wilson(right, n), chance=chance))
        made = profile(tasks, records)
        more += any(each.verdict != "at chance" for each in made)
        alone += any(each.score.low > 0 or each.score.high < 0 for each in made if each.score)
    assert more / 600 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 600)
    assert alone / 600 > 0.4


def test_a_mean_over_unlike_chances() -> None:
    made = one(scored("t0", 0.75, (0.7, 0.8)), scored("t1", 1.0, (0.91, 1.0), chance=0.1))
    assert (made.n, made.tasks, made.verdict) == (200, 2, "mostly")
    assert ends_of(made) == pytest.approx((0.75, 0.65, 0.8))


def test_the_interval_holds_where_tasks_share_every_picture() -> None:
    """Simulated: both tasks hang on one difficulty of each picture, and their errors do not cancel."""
    rng = np.random.default_rng(0)
    seen, runs, n = 0, 400, 200
    for _ in range(runs):
        right = (rng.random(n) < 0.7).mean()
        half = 1.96 * math.sqrt(right * (1 - right) / n)
        made = one(*(scored(name, right, (right - half, right + half), chance=0.0) for name in ("t0", "t1")))
        _, low, high = ends_of(made)
        assert low is not None and high is not None
        seen += low <= 0.7 <= high
    assert seen / runs > 0.92


@pytest.mark.parametrize(
    ("value", "ends", "verdict"),
    [
        (0.96, (0.94, 0.98), "learned"),
        (0.94, (0.92, 0.96), "mostly"),
        (0.79, (0.75, 0.83), "partly"),
        (0.53, (0.51, 0.55), "partly"),
        (0.53, (0.5, 0.56), "at chance"),
        (0.48, (0.45, 0.5), "at chance"),
        (0.4, (0.35, 0.45), "below chance"),
        (0.96, None, "no interval"),
    ],
)
def test_verdicts(value: float, ends: tuple[float, float] | None, verdict: str) -> None:
    made = one(scored("t0", value, ends))
    assert made.verdict == verdict
    mean, low, high = ends_of(made)
    assert mean == pytest.approx(2 * value - 1)
    assert (low is None) == (high is None) == (ends is None)


def test_one_task_without_interval_leaves_none() -> None:
    made = one(scored("t0", 0.9, (0.8, 1.0)), scored("t1", 0.7))
    assert ends_of(made) == (pytest.approx(0.6), None, None)
    assert made.verdict == "no interval"


GOOD = scored("t0", 1.0, (0.96, 1.0))


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (scored("gone", 1.0), "incomplete"),
        (scored("t1", None), "incomplete"),
        (scored("t1", 1.0, coverage=0.98), "incomplete"),
        (scored("t1", 1.0, control="blind"), "incomplete"),
        (scored("t1", 1.0, chance=None), "no scale"),
        (scored("t1", 1.0, chance=1.0), "no scale"),
    ],
)
def test_never_a_mean_of_the_rest(other: Record, verdict: str) -> None:
    made = one(GOOD, other)
    assert (made.score, made.tasks, made.verdict) == (None, 2, verdict)


def test_metrics_without_a_best_value_do_not_enter() -> None:
    cider = scored("t1", 1.3, card=Card(best=None))
    assert one(GOOD, cider) == one(GOOD)
    alone = profile([task("t1", "captions")], [cider])
    assert alone == [Dimension("captions", None, 0, 0, "no scale")]


def test_order_controls_and_tasks_without_a_dimension() -> None:
    tasks = [task("t0", "shape"), task("t1", "colour"), task("t2", ""), task("t3", "shape")]
    records = [scored(f"t{i}", 0.75, (0.7, 0.8)) for i in (3, 2, 1, 0)]
    made = profile(tasks, [*records, *(replace(each, control="blind", scores=()) for each in records)])
    assert [(each.name, each.tasks) for each in made] == [("shape", 2), ("colour", 1)]
    assert [each.score.value for each in made if each.score] == pytest.approx([0.5, 0.5])
    assert profile(tasks[2:3], records) == []


def test_where_lower_is_better_the_ends_change_places() -> None:
    made = corrected(Score("rank", 2.0, 1.0, 3.0, 9, 1.0, None, 5.0, True), 1.0)
    assert made is not None
    assert made == Estimate(0.75, 0.5, 1.0)


# the bar


@pytest.mark.parametrize(
    ("value", "low", "high", "drawn"),
    [
        (0.0, None, None, "··········"),
        (1.0, None, None, "██████████"),
        (0.5, None, None, "█████·····"),
        (1.0, 1.0, 1.0, "██████████"),
        (0.0, -0.1, 0.15, "▒▒········"),
        (0.99, 0.97, 1.0, "█████████▒"),
        (0.5, 0.31, 0.69, "███▒▒▒▒···"),
        (0.55, 0.54, 0.56, "█████▒····"),
        (-0.01, -0.1, 0.2, "··········"),
        (-0.5, None, None, "··········"),
        (1.2, 1.1, 1.3, "██████████"),
    ],
)
def test_bar(value: float, low: float | None, high: float | None, drawn: str) -> None:
    assert bar(Estimate(value, low, high), 10) == drawn
    plain = drawn.translate(str.maketrans(dict(zip(BLOCKS, ASCII, strict=True))))
    assert bar(Estimate(value, low, high), 10, ASCII) == plain
    assert plain.isascii()


SHOWN = [
    Dimension("colour", Estimate(0.996, 0.99, 0.999), 1000, 1, "learned"),
    Dimension("compositionality", Estimate(0.884, 0.86, 0.906), 12_000, 2, "mostly"),
    Dimension("texture", Estimate(0.539, 0.49, 0.58), 1000, 1, "partly"),
    Dimension("[location]", Estimate(-0.0001, -0.03, 0.03), 1000, 1, "at chance"),
    Dimension("larger", Estimate(-0.12, -0.15, -0.09), 1000, 1, "below chance"),
    Dimension("captions", None, 0, 1, "incomplete"),
    Dimension("existence", Estimate(0.4, None, None), 500, 1, "no interval"),
]


def draw(width: int, encoding: str = "utf-8") -> list[str]:
    """The lines of the table on a console of some width and encoding."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
    PlainConsole(out, width).print(profile_table("Perception profile: a", SHOWN))
    out.flush()
    return raw.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize(("width", "least"), [(80, 6), (100, 24), (140, 24)])
def test_the_table_fits_and_cuts_nothing(width: int, least: int) -> None:
    lines = draw(width)
    assert max(map(len, lines)) <= width
    rows = {line.split()[0]: line for line in lines if line.strip()}
    for made in SHOWN:
        assert rows[made.name].rstrip().endswith(made.verdict), "one line each"
    assert rows["colour"].count("█") + rows["colour"].count("▒") >= least
    assert rows["compositionality"].split()[2:] == ["0.884", "0.860", "…", "0.906", "12,000", "2", "mostly"]
    assert rows["[location]"].split()[2:] == ["0.000", "-0.030", "…", "0.030", "1,000", "1", "at", "chance"]
    assert rows["captions"].split()[1:] == ["-", "-", "0", "1", "incomplete"]
    assert ("chance" in rows["dimension"] and "best" in rows["dimension"]) == (width > 80), "where there is room"
    assert "▒" not in rows["larger"] + rows["existence"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_old_terminals(encoding: str) -> None:
    text = "\n".join(draw(80, encoding))
    assert "#=" in text
    assert not set(text) & set(BLOCKS)
    assert max(map(len, text.splitlines())) <= 80


def shown(run: Run) -> str:
    out = io.StringIO()
    made = profiles(run)
    if made is not None:
        Console(file=out, width=80).print(made)
    return out.getvalue()


def test_shown_for_two_dimensions_only() -> None:
    tasks = (task("t0", "shape"), task("t1", "colour"), task("t2", ""))
    run = Run(tasks, [scored(f"t{i}", 0.9, (0.8, 1.0)) for i in range(3)])
    assert "Perception profile: a\n" in "\n".join(map(str.rstrip, shown(run).splitlines()))
    assert shown(replace(run, tasks=(tasks[0], tasks[2]))) == ""
    lost = [Problem(Sitting("a", each), Unsupported("cannot")) for each in tasks]
    assert shown(Run(tasks, [], lost)) == "", "of a model that answered nothing"
    half = shown(Run(tasks, [replace(run.records[0], dataset={"partial": True})], lost[1:]))
    assert "Perception profile: a (first items only)" in half
    assert "incomplete: a task is missing" in half
    assert "no scale" not in half


# from end to end


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A suite of two dimensions over pictures that are lit from above or below, in a working folder of its own."""
    for i, label in enumerate(["above", "below"] * 6):
        file = tmp_path / "photos" / label / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = PIL.Image.new("RGB", (8, 8), (i, i, i))
        picture.paste((250 - i, 250, 250), (0, 4 * (i % 2), 8, 4 * (i % 2) + 4))
        picture.save(file)
    source = "source: {kind: folder, path: photos}\n"
    (tmp_path / "named.yaml").write_text(
        f"name: named\nfamily: zero-shot-classification\n{source}card: {{dimension: naming}}\n"
    )
    (tmp_path / "seen.yaml").write_text(
        f"name: seen\nfamily: probe\nmethod: knn\nshots: []\n{source}card: {{dimension: separation}}\n"
    )
    (tmp_path / "suite.yaml").write_text("name: two\ntasks: [seen.yaml, named.yaml]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return "suite.yaml"


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Standard output of a run that ended well."""
    monkeypatch.setattr(sys, "argv", ["mmbench", "run", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 0
    return capsys.readouterr().out


def test_command(suite: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--suite", suite, "--model", "pixels", "--model", "chance", "--controls", "blind")
    out = call(monkeypatch, capsys, *arguments)
    assert max(map(len, out.splitlines())) <= 80
    _, pixels, chance = out.split("Perception profile: ")
    assert pixels.startswith("pixels")
    assert chance.startswith("chance")
    rows = [line.split() for line in pixels.splitlines() if line.split()[:1] in (["separation"], ["naming"])]
    assert rows[0][0] == "separation", "as in the suite"
    assert rows[0][2] == "1.000"
    assert rows[1] == ["naming", "-", "-", "0", "1", "incomplete"], "pixels read no text"
    assert "incomplete: a task is missing" in chance
    assert '"dimension"' not in call(monkeypatch, capsys, *arguments, "--format", "json")


def test_command_on_an_old_terminal(suite: str) -> None:
    command = [sys.executable, "-m", "mmbench", "run", "--suite", suite, "--model", "chance"]
    surroundings = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Perception profile: chance" in done.stdout
    assert done.stdout.isascii()


def test_one_dimension_has_no_profile(
    suite: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = call(monkeypatch, capsys, "--suite", "digits", "--model", "chance", "--limit", "50")
    assert "digits-parity@1" in out
    assert "Perception profile" not in out


def test_python(suite: str) -> None:
    run = mmbench.run(["chance", "pixels"], suite=suite, controls=["blind"])
    frame = run.profile()
    named = ["model", "dimension", "value", "low", "high", "n", "tasks", "verdict"]
    assert list(frame.columns) == [*named, "temporal_gain", "temporal_gain_low", "temporal_gain_high"]
    assert list(zip(frame["model"], frame["dimension"], strict=True)) == [
        ("chance", "separation"),
        ("chance", "naming"),
        ("pixels", "separation"),
        ("pixels", "naming"),
    ]
    assert frame["value"].tolist()[2] == 1.0
    assert run.profiles()["pixels"][1].verdict == "incomplete"
