"""Gains: what a score owes to the pictures, or to the order of frames, with the interval that their number allows."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mmbench.harness.digest import Json
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.bootstrap import percentile_interval
from mmbench.harness.statistics.clusters import cluster_codes
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.paired import paired, paired_changes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome


@dataclass(frozen=True, slots=True)
class Gain(Estimate):
    """How much better a score is than the best of its controls."""

    control: str
    """The control that scored best."""

    def as_json(self) -> dict[str, Json]:
        """Return the gain as rows hold it."""
        return {**self.named("value"), "control": self.control}


GainName = Literal["visual", "temporal"]
"""`visual`: over controls without the right picture; `temporal`: over controls without the order of the frames."""
GAINS: tuple[GainName, ...] = get_args(GainName)

_OVER: Mapping[GainName, tuple[str, ...]] = {
    "visual": ("blind", "shuffled"),
    "temporal": ("shuffled-frames", "single-frame"),
}

SAID: Mapping[GainName, str] = {name: ", ".join(controls) for name, controls in _OVER.items()}
"""The controls that each gain is over, as people read them."""


def controls_of(name: GainName, asked: Sequence[str]) -> tuple[str, ...]:
    """Return those of the controls that were asked which a gain is over; none where it is not defined.

    The visual gain is over whichever was asked. The temporal one needs both: unordered frames may show what no single
    one does, and to a model that many frames confuse the middle one may show more.

    >>> controls_of("visual", ["reversed", "blind:none"]), controls_of("temporal", ["reversed", "single-frame"])
    (('blind:none',), ())
    """
    held = tuple(control for control in asked if control.partition(":")[0] in _OVER[name])
    return held if name == "visual" or len(held) == len(_OVER[name]) else ()


_FOLDS = 10


def gain_over(metric: Metric, own: Sequence[Outcome], controls: Mapping[str, Sequence[Outcome]]) -> Gain | None:
    """Return a score less the larger control, over the items that all of them answered or failed to; paired.

    Where lower is better it is the lesser control less the score: a gain is above 0 where the pictures help. The
    larger of two estimates is too large on average, by as much as they vary. So which control is the larger is found
    without each tenth of the pictures, and that tenth is held against it (cross-validated maximum, van Hasselt 2013).
    The interval ends at the lesser of the ends of the paired intervals beside each control: it is above 0 where
    the score exceeds every control, an intersection-union test (Berger 1982). None where a score is not defined, or
    neither direction of the metric is better.
    """
    asked = [_by_id(metric, outcomes) for outcomes in (own, *controls.values())]
    shared = [name for name in asked[0] if all(name in each for each in asked)]
    if not shared or not controls or metric.higher_is_better is None:
        return None
    upward = 1.0 if metric.higher_is_better else -1.0
    tables = [np.array([each[name][1] for name in shared], dtype=np.float64) for each in asked]
    clusters = [asked[0][name][0] for name in shared]
    whole = np.array([upward * _score(metric, table, np.ones((1, len(shared))))[0] for table in tables])
    if not np.isfinite(whole).all():
        return None
    largest = list(controls)[int(np.argmax(whole[1:]))]
    # Of a corpus metric, what each item adds to it.
    added = [_added(metric, table, upward, score) for table, score in zip(tables, whole, strict=True)]
    if any(each is None for each in added):
        ends = percentile_interval(lambda weights: _less_the_larger(metric, tables, upward, weights), clusters)
        low, high = ends or (None, None)
        return Gain(float(whole[0] - whole[1:].max()), low, high, largest)
    mine, *others = np.stack([each for each in added if each is not None])
    folds = np.array([zlib.crc32(name.encode(errors="replace")) % _FOLDS for name in clusters])
    control = np.stack(others)[_larger(np.stack(others), folds), np.arange(len(folds))]
    codes = cluster_codes(clusters)[0]
    value = float((mine - control).mean())
    lows, highs = zip(*(_ends(metric, mine, each, codes) for each in others), strict=True)
    low, high = (None if None in side else min(side) for side in (lows, highs))
    if low is not None and high is not None:
        value = min(max(value, low), high)
    return Gain(value, low, high, largest)


def _ends(
    metric: Metric, mine: Floats, control: Floats, codes: npt.NDArray[np.intp]
) -> tuple[float | None, float | None]:
    """Return the interval of the gain over one control, of what (n,) items add to either score."""
    if metric.proportion and metric.aggregate is None:
        made = paired(control, mine, codes, bounded=True)
    else:
        made = paired_changes(mine - control, codes, reach=1.0 if metric.proportion else None)
    return made.low, made.high


def _larger(controls: Floats, folds: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return (n,) which of the (controls, n) has the larger mean outside the fold of each item."""
    chosen = np.argmax(controls.mean(axis=1)) * np.ones(len(folds), np.intp)
    for fold in range(_FOLDS):
        rest = folds != fold
        if 0 < rest.sum() < len(folds):
            chosen[~rest] = int(np.argmax(controls[:, rest].mean(axis=1)))
    return chosen


def _added(metric: Metric, table: Floats, upward: float, score: float) -> Floats | None:
    """Return (n,) values whose mean is the score, upward where that is better; None where it is no mean of them."""
    if metric.aggregate is None:
        return upward * table[:, 0]
    if metric.shares is None:
        return None
    shares = metric.shares(table)
    moved = shares.hits - shares.share * shares.weights
    return np.asarray(score + upward * len(table) * shares.slope * moved / shares.weights.sum())


def _less_the_larger(metric: Metric, tables: Sequence[Floats], upward: float, weights: Floats) -> Floats:
    scores = np.stack([upward * _score(metric, table, weights) for table in tables])
    return np.asarray(scores[0] - scores[1:].max(axis=0))


def _score(metric: Metric, table: Floats, weights: Floats) -> Floats:
    if metric.aggregate is not None:
        return metric.aggregate(table, weights)
    return np.asarray(weights @ table[:, 0] / weights.sum(axis=1))


def _by_id(metric: Metric, outcomes: Sequence[Outcome]) -> dict[str, tuple[str, tuple[float, ...]]]:
    """Return for each scored item its cluster and what the metric is made of."""
    found = {}
    for outcome in outcomes:
        values = outcome.statistics if metric.aggregate else outcome.values
        if outcome.unit == metric.unit and outcome.status != "error" and metric.name in values:
            held = values[metric.name]
            found[outcome.id] = (outcome.cluster, held if isinstance(held, tuple) else (held,))
    return found
