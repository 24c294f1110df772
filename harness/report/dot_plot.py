"""Dot plot of the perception profile: a row per dimension, a mark with its interval per model."""

from collections.abc import Mapping, Sequence

from mmbench.harness.render.figures import interval, number
from mmbench.harness.render.html import Html, tag
from mmbench.harness.report.chart import label, line, marker, percent, series_class
from mmbench.harness.statistics.estimate import Estimate

_STEP = 13
"""Pixels from one series to the next within a row."""

_EDGE = 9
_LEAST = -0.3
"""Far below chance lie only the intervals of a few items; what is cut off there says nothing."""

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def dot_plot(rows: Mapping[str, Sequence[Estimate | None]], names: Sequence[str]) -> Html:
    """Return a row for each entry: one point for each of the named series, 0 at chance and 1 at best."""
    ends = [end for points in rows.values() for each in points if each for end in (each.value, each.low)]
    left = max(_LEAST, min([-0.08, *(end - 0.02 for end in ends if end is not None)]))
    right = 1.04
    made = [
        tag("div", {"class": "dots-row"}, tag("span", {"class": "dots-name"}, name), _row(points, names, left, right))
        for name, points in rows.items()
    ]
    axis = tag("svg", {"class": "chart", "height": 34, "aria-hidden": "true"}, *_axis(left, right))
    return tag("div", {"class": "dots"}, *made, tag("div", {"class": "dots-row axis-row"}, tag("span"), axis))


def _row(points: Sequence[Estimate | None], names: Sequence[str], left: float, right: float) -> Html:
    height = 2 * _EDGE + _STEP * max(len(points) - 1, 0)
    ticks = [(_at(tick, left, right), "grid" if tick else "grid zero") for tick in _TICKS]
    grid = [line(kind, x, 0, x, height) for x, kind in ticks]
    series = [
        _series(number, names[number], each, _EDGE + _STEP * number, left, right)
        for number, each in enumerate(points)
        if each is not None
    ]
    said = ", ".join(f"{names[i]} {number(each.value) if each else '-'}" for i, each in enumerate(points))
    return tag("svg", {"class": "chart", "height": height, "role": "img", "aria-label": said}, *grid, *series)


def _series(at: int, name: str, point: Estimate, y: float, left: float, right: float) -> Html:
    x = _at(point.value, left, right)
    title = f"{name}: {number(point.value)} ({interval(point.low, point.high)})"
    parts = [marker(at, x, y, title)]
    if point.low is not None and point.high is not None:
        parts.insert(0, line("whisker", _at(point.low, left, right), y, _at(point.high, left, right), y))
    if min(point.value, point.low if point.low is not None else point.value) < left:
        # Where the value itself is cut off, what is drawn at the edge is not it; so the figure stands there.
        cut = f"‹ {number(point.value)}" if point.value < left else "‹"
        parts.append(label(cut, _at(left, left, right), y + 4, "start" if point.value < left else "end"))
    return tag("g", {"class": series_class(at), "data-series": at}, *parts)


def _axis(left: float, right: float) -> list[Html]:
    ticks = [label(f"{tick:g}", _at(tick, left, right), 13) for tick in _TICKS]
    return [*ticks, label("chance", _at(0, left, right), 28), label("best", _at(1, left, right), 28)]


def _at(value: float, left: float, right: float) -> str:
    return percent((min(max(value, left), right) - left) / (right - left))
