"""Reliability diagrams and risk-coverage curves of a report: how surely each model knows, task by task."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmbench.harness.ask.sureness import SURENESS
from mmbench.harness.errors import DataError
from mmbench.harness.metrics.calibration import reliability
from mmbench.harness.metrics.selective import risk_coverage
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.render.figures import number
from mmbench.harness.render.html import Html, tag
from mmbench.harness.report.chart import label, line, marker, percent, series_class
from mmbench.harness.report.gather import Asked
from mmbench.harness.statistics.wilson import wilson

_TOP, _BOTTOM, _HEIGHT = 12, 200, 240
_LEFT, _RIGHT = 0.08, 0.96
_POINTS = 60
"""Of a risk-coverage curve."""


def sureness_figures(tasks: Sequence[Asked], models: Sequence[str]) -> list[Html]:
    """Return two figures for each task on which any of these models has probabilities."""
    made = []
    for task in tasks:
        heard = {at: found for at, name in enumerate(models) if (found := _heard(task.entries.get(name))) is not None}
        if heard:
            for title, chart in (("reliability", _reliability), ("risk and coverage", _risk)):
                caption = tag("figcaption", None, f"{task.reference}: {title}")
                made.append(tag("figure", None, caption, chart(heard, models)))
    return made


def _heard(entry: Entry | None) -> Floats | None:
    """Return (n, 2) confidences and right or wrong; None where a record has none."""
    if entry is None or not any(score.metric in _TOLD for score in entry.record.scores):
        return None
    try:
        with open_outcomes(entry.path, entry.record.outcomes_digest) as table:
            if table.schema.field("statistics").type.get_field_index(SURENESS) < 0:
                return None
            rows = [each.statistics[SURENESS][:2] for each in table.scored(SURENESS) if SURENESS in each.statistics]
    except DataError:  # the folder's errors name it
        return None
    return np.array(rows) if rows else None


_TOLD = {"ece@15", "adaptive_ece", "brier", "nll", "aurc", "coverage@risk1", "coverage@risk5"}
"""Without any of these nothing is read."""


def _reliability(heard: Mapping[int, Floats], names: Sequence[str]) -> Html:
    """Return accuracy by confidence in 15 bins, each with its interval and n; the diagonal is a calibrated model."""
    parts = [*_axes("confidence", "accuracy"), line("grid chance", _x(0), _y(0), _x(1), _y(1))]
    said = []
    for at, table in heard.items():
        # Of options that tie a share is right, which no bin holds: here they count as right above one half.
        bins = reliability(table[:, 0], table[:, 1] > 0.5)
        marks = []
        for one in bins:
            low, high = wilson(one.accuracy * one.count, one.count)
            marks.append(line("whisker", _x(one.confidence), _y(low), _x(one.confidence), _y(high)))
            title = f"{names[at]}: {number(one.accuracy)} right at {number(one.confidence)}, n {one.count}"
            marks.append(marker(at, _x(one.confidence), _y(one.accuracy), title))
        parts.append(tag("g", {"class": series_class(at), "data-series": at}, *marks))
        said.append(f"{names[at]}: " + ", ".join(f"{number(b.confidence)} {number(b.accuracy)}" for b in bins))
    return _chart(said, parts)


def _risk(heard: Mapping[int, Floats], names: Sequence[str]) -> Html:
    """Return the error of the surest items by their share."""
    parts, said = _axes("coverage", "risk"), []
    for at, table in heard.items():
        curve = risk_coverage(table[:, 0], 1 - table[:, 1])
        chosen = np.unique(np.linspace(0, len(curve.risk) - 1, _POINTS).round().astype(int))
        points = [(float(curve.coverage[i]), float(curve.risk[i])) for i in chosen]
        lines = [line("path", _x(a), _y(b), _x(c), _y(d)) for (a, b), (c, d) in zip(points, points[1:], strict=False)]
        title = f"{names[at]}: risk {number(points[-1][1])} of all {len(table)}"
        lines.append(marker(at, _x(points[-1][0]), _y(points[-1][1]), title))
        parts.append(tag("g", {"class": series_class(at), "data-series": at}, *lines))
        said.append(title)
    return _chart(said, parts)


def _axes(x: str, y: str) -> list[Html]:
    parts: list[Html] = []
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [line("grid", _x(0), _y(level), _x(1), _y(level))]
        parts += [label(f"{level:g}", percent(_LEFT - 0.012), _y(level) + 4, "end")]
        parts += [label(f"{level:g}", _x(level), _BOTTOM + 18)]
    return [*parts, label(f"{x}; up: {y}", _x(0.5), _BOTTOM + 36)]


def _chart(said: Sequence[str], parts: Sequence[Html]) -> Html:
    told = "; ".join(said)
    return tag("svg", {"class": "chart", "height": _HEIGHT, "role": "img", "aria-label": told}, *parts)


def _x(share: float) -> str:
    return percent(_LEFT + (_RIGHT - _LEFT) * share)


def _y(value: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * min(max(value, 0.0), 1.0)
