"""Reliability diagrams and risk-coverage curves of a report: how surely each model knows, task by task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.harness.ask.sureness import SURENESS
from mmbench.harness.errors import DataError
from mmbench.harness.metrics.calibration import bin_places
from mmbench.harness.metrics.selective import risk_coverage
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import interval, number
from mmbench.harness.render.html import Html, tag
from mmbench.harness.report.chart import label, line, marker, percent, series_class
from mmbench.harness.report.gather import Asked
from mmbench.harness.statistics.clusters import cluster_codes
from mmbench.harness.statistics.shares import Shares, share_interval

_TOP, _BOTTOM, _HEIGHT = 12, 200, 240
_LEFT, _RIGHT = 0.08, 0.96
_POINTS = 60
"""Of a risk-coverage curve."""
_BINS = 15
_BAR = 0.25
"""Height of a bar that has all answers."""


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """What a record holds of how sure a model was of n answers."""

    confidence: Floats
    """(n,)."""
    right: Floats
    """(n,) 0 to 1; of options that tie the share that is."""
    clusters: npt.NDArray[np.intp]
    """(n,) numbers of pictures."""

    def interval(self, rows: npt.NDArray[np.intp], *, wrong: bool = False) -> tuple[float, float] | None:
        """Return the interval of how often these answers are right, or wrong."""
        values = 1 - self.right[rows] if wrong else self.right[rows]
        return share_interval(Shares(values, np.ones(len(rows))), self.clusters[rows])


def sureness_figures(tasks: Sequence[Asked], models: Sequence[str]) -> list[Html]:
    """Return two figures for each task on which any of these models has probabilities."""
    made = []
    for task in tasks:
        heard = {at: found for at, name in enumerate(models) if (found := _heard(task.entries.get(name))) is not None}
        if heard:
            told = [_temperature(models[at], task.entries[models[at]].record) for at in heard]
            for title, chart in (("reliability", _reliability), ("risk and coverage", _risk)):
                caption = tag("figcaption", None, f"{task.reference}: {title}")
                lines = [tag("p", {"class": "dim"}, line) for line in told if line and chart is _reliability]
                made.append(tag("figure", None, caption, chart(heard, models), *lines))
    return made


def _heard(entry: Entry | None) -> _Heard | None:
    """Return the confidences of a record; None where it has none."""
    if entry is None or not any(score.metric in _TOLD for score in entry.record.scores):
        return None
    try:
        with open_outcomes(entry.path, entry.record.outcomes_digest) as table:
            if table.schema.field("statistics").type.get_field_index(SURENESS) < 0:
                return None
            held = table.columns(["cluster", f"statistics.{SURENESS}"])
            rows = [each and each[SURENESS] for each in held["statistics"].to_pylist()]
            clusters = held["cluster"].to_pylist()
    except DataError:  # the folder's errors name it
        return None
    known = [(row[0], row[1], cluster) for row, cluster in zip(rows, clusters, strict=True) if row]
    if not known:
        return None
    confidence, right, names = zip(*known, strict=True)
    return _Heard(np.array(confidence, float), np.array(right, float), cluster_codes(names)[0])


_TOLD = {"ece@15", "adaptive_ece", "brier", "nll", "aurc", "coverage@risk1", "coverage@risk5"}
"""Without any of these nothing is read."""


def _temperature(name: str, record: Record) -> str | None:
    """Return what a temperature fitted on validation items does to the others, where one was fitted."""
    held = record.details.get("calibration")
    if not isinstance(held, dict) or not isinstance(held.get("temperature"), float):
        return None
    said = f"{name}: temperature {number(held['temperature'])} of {held['validation']} validation items"
    before, after = held.get("before"), held.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        changes = [f"{metric} {number(before[metric])} → {number(after[metric])}" for metric in ("ece@15", "nll")]
        said += f"; of the {held['others']} others {', '.join(changes)}"
    end = " It is an end of the range that is searched: no temperature fits, and it is not to be used."
    return f"{said}.{end if held.get('at_end') else ''}"


def _reliability(heard: Mapping[int, _Heard], names: Sequence[str]) -> Html:
    """Return accuracy by confidence in 15 bins, each with its interval and n; the diagonal is a calibrated model."""
    parts = [*_axes("confidence", "accuracy; bars: answers"), line("grid chance", _x(0), _y(0), _x(1), _y(1))]
    said = []
    for at, each in heard.items():
        place = bin_places(each.confidence, _BINS, "width", each.confidence.dtype)
        marks, told = [], []
        for one in np.unique(place):
            rows = np.flatnonzero(place == one)
            confidence, accuracy = float(each.confidence[rows].mean()), float(each.right[rows].mean())
            n = f"{len(rows):,}"
            marks.append(line("bar", _x(confidence), _y(0), _x(confidence), _y(_BAR * len(rows) / len(place))))
            ends = each.interval(rows)
            if ends is not None:
                marks.append(line("whisker", _x(confidence), _y(ends[0]), _x(confidence), _y(ends[1])))
            figure = f"{number(accuracy)}" + (f" ({interval(*ends)})" if ends is not None else "")
            title = f"{names[at]}: {figure} right at {number(confidence)}, n {n}"
            marks.append(marker(at, _x(confidence), _y(accuracy), title))
            told.append(f"{number(confidence)} {number(accuracy)} of {n}")
        parts.append(tag("g", {"class": series_class(at), "data-series": at}, *marks))
        said.append(f"{names[at]}: " + ", ".join(told))
    return _chart(said, parts)


def _risk(heard: Mapping[int, _Heard], names: Sequence[str]) -> Html:
    """Return the error of the surest items by their share, with its interval at each share alone."""
    parts, said = _axes("coverage", "risk"), []
    for at, each in heard.items():
        curve = risk_coverage(each.confidence, 1 - each.right)
        surest = np.argsort(-each.confidence, kind="stable")
        chosen = np.unique(np.linspace(0, len(curve.risk) - 1, _POINTS).round().astype(int))
        points = [(float(curve.coverage[i]), float(curve.risk[i])) for i in chosen]
        lines = [line("path", _x(a), _y(b), _x(c), _y(d)) for (a, b), (c, d) in zip(points, points[1:], strict=False)]
        for i, (coverage, _) in zip(chosen, points, strict=True):
            ends = each.interval(surest[: i + 1], wrong=True)
            if ends is not None:
                lines.insert(0, line("band", _x(coverage), _y(ends[0]), _x(coverage), _y(ends[1])))
        last = each.interval(surest, wrong=True)
        known = f" ({interval(*last)})" if last is not None else ""
        title = f"{names[at]}: risk {number(points[-1][1])}{known} of all {len(surest):,}"
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
