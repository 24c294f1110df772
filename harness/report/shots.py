"""Learning curves of probes: score by number of training examples."""

from collections.abc import Mapping, Sequence

from mmbench.harness.records.curves import ALL, Curve
from mmbench.harness.render.figures import interval, number
from mmbench.harness.render.html import Html, tag
from mmbench.harness.report.chart import label, line, marker, percent, series_class

_TOP, _BOTTOM, _HEIGHT = 12, 200, 240
_LEFT, _RIGHT = 0.06, 0.96


def shots_chart(curves: Sequence[Curve], names: Sequence[str], chance: float | None) -> Html:
    """Return the curves of one task, a series for each of the named models; an empty curve is left out."""
    ticks = sorted({tick for each in curves for tick in each}, key=lambda tick: (tick == ALL, _shots(tick)))
    x = {tick: _LEFT + (_RIGHT - _LEFT) * i / max(len(ticks) - 1, 1) for i, tick in enumerate(ticks)}
    parts: list[Html] = []
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [line("grid", percent(_LEFT), _y(level), percent(_RIGHT), _y(level))]
        parts += [label(f"{level:g}", percent(_LEFT - 0.012), _y(level) + 4, "end")]
    if chance is not None:
        parts += [line("grid chance", percent(_LEFT), _y(chance), percent(_RIGHT), _y(chance))]
    parts += [label(tick, percent(x[tick]), _BOTTOM + 18) for tick in ticks]
    parts += [label("examples of each class", percent((_LEFT + _RIGHT) / 2), _BOTTOM + 36)]
    parts += [_series(i, names[i], each, x) for i, each in enumerate(curves) if each]
    said = "; ".join(_said(name, each) for name, each in zip(names, curves, strict=True) if each)
    return tag("svg", {"class": "chart", "height": _HEIGHT, "role": "img", "aria-label": said}, *parts)


def _shots(tick: str) -> int:
    return int(tick) if tick.isdigit() else 0


def _y(value: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * min(max(value, 0.0), 1.0)


def _series(at: int, name: str, points: Curve, x: Mapping[str, float]) -> Html:
    ordered = [(tick, points[tick]) for tick in x if tick in points]
    parts = []
    for (one, a), (other, b) in zip(ordered, ordered[1:], strict=False):
        kind = "path apart" if other == ALL else "path"
        parts.append(line(kind, percent(x[one]), _y(a.value), percent(x[other]), _y(b.value)))
    for tick, each in ordered:
        if each.low is not None and each.high is not None:
            parts.append(line("whisker", percent(x[tick]), _y(each.low), percent(x[tick]), _y(each.high)))
        title = f"{name}, {tick} shots: {number(each.value)} ({interval(each.low, each.high)})"
        parts.append(marker(at, percent(x[tick]), _y(each.value), title))
    return tag("g", {"class": series_class(at), "data-series": at}, *parts)


def _said(name: str, points: Curve) -> str:
    return f"{name}: " + ", ".join(f"{tick} {number(each.value)}" for tick, each in points.items())
