"""Plots by matplotlib, which is optional: dot plots with intervals, and curves over shots or levels."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import plain

Point: TypeAlias = tuple[float, float | None, float | None]
"""A value with the ends of its interval, None where it has none."""

Curve: TypeAlias = Mapping[str, Point]
"""What stands on the x axis, in its order, to the value there."""

_MARKS = "osD^vPX*"
_LONGEST = 40


def dots(rows: Mapping[str, Sequence[Point | None]], names: Sequence[str], title: str = "") -> Any:
    """Return a figure of matplotlib with a row for each entry, a dot with its interval for each of the named series.

    0 is chance and 1 the best possible. Raises UsageError where matplotlib is not installed.
    """
    figure = _figure(7, 1.2 + len(rows) * (0.22 + 0.1 * len(names)))
    axes = figure.subplots()
    axes.axvline(0, color="grey", linewidth=1)
    for number, name in enumerate(names):
        offset = (number - (len(names) - 1) / 2) * 0.8 / max(len(names), 1)
        drawn = [(at + offset, points[number]) for at, points in enumerate(rows.values()) if points[number]]
        _series(axes, number, name, [(point, at) for at, point in drawn if point], along="x")
    axes.set_yticks(range(len(rows)), [_shown(name) for name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("0 chance … 1 best, 95 % interval")
    axes.set_title(_shown(title), loc="left")
    _legend(axes, names)
    return figure


def curves(panels: Mapping[str, Mapping[str, Curve]], chances: Mapping[str, float | None]) -> Any:
    """Return a figure with a panel for each entry, and in it the curve of each series; `chances` is by panel.

    Raises UsageError where matplotlib is not installed.
    """
    figure = _figure(6, 3 * len(panels))
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    for axes, (title, panel) in zip(figure.subplots(len(panels), squeeze=False)[:, 0], panels.items(), strict=True):
        ticks = list(dict.fromkeys(tick for curve in panel.values() for tick in curve))
        for name, curve in panel.items():
            points = [(curve[tick], at) for at, tick in enumerate(ticks) if tick in curve]
            _series(axes, names.index(name), name, points, along="y")
        chance = chances.get(title)
        if chance is not None:
            axes.axhline(chance, color="grey", linewidth=1, linestyle="--")
        axes.set_xticks(range(len(ticks)), [_shown(tick) for tick in ticks])
        axes.set_title(_shown(title), loc="left")
        _legend(axes, list(panel))
    return figure


def _series(axes: Any, number: int, name: str, points: Sequence[tuple[Point, float]], *, along: str) -> None:
    """Draw one series: values along one axis, places along the other."""
    colour, mark = f"C{number % 10}", _MARKS[number % len(_MARKS)]
    places = [at for _, at in points]
    values = [point[0] for point, _ in points]
    for (_, low, high), at in points:
        if low is not None and high is not None:
            ends = ([low, high], [at, at])
            axes.plot(*(ends if along == "x" else ends[::-1]), color=colour, linewidth=1.5)
    both = (values, places) if along == "x" else (places, values)
    line = "none" if along == "x" else "-"
    axes.plot(*both, color=colour, marker=mark, linestyle=line, markersize=5, label=_shown(name))


def _legend(axes: Any, names: Sequence[str]) -> None:
    if len(names) > 1:
        axes.legend(frameon=False, fontsize="small")


def _shown(text: str) -> str:
    # A dollar would begin a formula, and a formula that is none is an exception.
    return plain(text, _LONGEST).replace("$", r"\$")


def _figure(width: float, height: float) -> Any:
    """Return an empty figure that no window and no global state knows, and that notebooks show."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("plots need matplotlib; install it with: pip install 'mmbench[plot]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")

    def png() -> bytes:
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=110)
        return held.getvalue()

    figure._repr_png_ = png
    return figure
