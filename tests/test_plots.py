"""Plots through matplotlib, where that is installed; elsewhere one sentence says how to install it."""

import sys
from pathlib import Path
from typing import Any

import pytest

import mmbench
from mmbench.harness.records.curves import level_curves, panels, shots_curve
from mmbench.harness.records.profile import Dimension
from mmbench.harness.run.result import Run
from mmbench.harness.scores.breakdown import Level
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.tasks.card import Card
from mmbench.harness.types import Score
from tests.builders import record


def score(metric: str, value: float | None, primary: bool = True) -> Score:
    ends = (None, None) if value is None else (value - 0.1, value + 0.1)
    return Score(metric, value, *ends, 10, 1.0, None, 0.1, primary)


def levels(*found: Any, fact: str = "level") -> tuple[Level, ...]:
    return tuple(Level(fact, each, score("accuracy", 0.5)) for each in found)


CURVE = {"curve": [{"shots": 1, "accuracy": [0.25, 0.75]}, {"shots": None, "accuracy": [0.875]}]}


def test_levels_are_curves_where_they_are_numbers() -> None:
    held = record(scores=(score("accuracy", 0.5),), breakdown=(*levels(10, 2, 1.5), *levels("a", "b", fact="kind")))
    assert list(level_curves(held)) == ["level"]
    assert list(level_curves(held)["level"]) == ["1.5", "2", "10"]
    for mixed in (levels(1, "a"), levels(True, False), levels(1), levels(None, 1)):
        assert level_curves(record(scores=(score("accuracy", 0.5),), breakdown=mixed)) == {}


def test_panels_are_by_task_with_a_curve_for_each_model() -> None:
    scores = (score("accuracy", 0.5),)
    a = record(model="a", scores=scores, breakdown=levels(1, 2), details=CURVE)
    b = record(model="b", scores=scores, breakdown=levels(1, 3))
    found, chances = panels([a, b])
    level, shots = f"{a.reference}, accuracy by level", f"{a.reference} by examples of each class"
    assert {title: list(models) for title, models in found.items()} == {level: ["a", "b"], shots: ["a"]}
    assert chances == {level: 0.1, shots: 0.1}
    assert shots_curve(a)["all"] == Estimate(0.875, None, None)


def test_without_matplotlib_a_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    profile = mmbench.Profile("a", (Dimension("size", Estimate(0.5, 0.4, 0.6), 10, 1, "partly"),))
    with pytest.raises(
        mmbench.UsageError, match=r"^plots need matplotlib; install it with: pip install 'mmbench\[plot\]'$"
    ):
        profile.plot()


def test_what_cannot_be_plotted_is_told() -> None:
    made = Run((), [record(scores=(score("accuracy", 0.5),))])
    with pytest.raises(mmbench.UsageError, match="there is no plot 'profle'; did you mean 'profile'"):
        made.plot("profle")  # type: ignore[arg-type]
    with pytest.raises(mmbench.UsageError, match="there are no curves to plot"):
        made.plot()
    with pytest.raises(mmbench.UsageError, match="there is nothing to plot: no task"):
        made.plot("profile")


def test_figures_show_each_model_and_its_intervals(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ("size", "$colour$ of a very long name that goes on and on and on")
    points = [Dimension(name, Estimate(0.5, 0.4, 0.6), 10, 1, "partly") for name in names]
    profile = mmbench.Profile("a", (*points, Dimension("none", None, 0, 1, "incomplete")))
    figure = profile.plot()
    figure.savefig(tmp_path / "profile.png")
    assert figure._repr_png_().startswith(b"\x89PNG")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()][0] == "size"
    assert len([line for line in axes.get_lines() if len(line.get_xdata()) == 2]) == 2 + 1 + 1  # ends, zero, the dots

    scores = (score("accuracy", 0.5),)
    of_levels = [record(model=model, scores=scores, breakdown=levels(1, 2, 3)) for model in ("a", "b")]
    figure = Run((), of_levels).plot()
    figure.savefig(tmp_path / "curves.svg")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "3"]

    dimensions = [record(scores=scores, card=Card(dimension=name, best=1.0)) for name in ("size", "shape")]
    assert Run((), dimensions).records
