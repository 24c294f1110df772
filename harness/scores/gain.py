"""Visual gain: what a score owes to the pictures, with the interval that their number allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.harness.digest import Json
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.bootstrap import percentile_interval
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome


@dataclass(frozen=True, slots=True)
class Gain(Estimate):
    """A score less the larger of its controls."""

    control: str
    """The control that scored more."""

    def as_json(self) -> dict[str, Json]:
        """Return the gain as rows hold it."""
        return {**self.named("value"), "control": self.control}


def visual_gain(metric: Metric, own: Sequence[Outcome], controls: Mapping[str, Sequence[Outcome]]) -> Gain | None:
    """Return a score less the larger control, over the items that all of them answered or failed to; paired.

    Resamples draw pictures, and in each the larger control is found again. None where a score is not defined.
    """
    asked = [_by_id(metric, outcomes) for outcomes in (own, *controls.values())]
    shared = [name for name in asked[0] if all(name in each for each in asked)]
    if not shared or not controls:
        return None
    tables = [np.array([each[name][1] for name in shared], dtype=np.float64) for each in asked]
    clusters = [asked[0][name][0] for name in shared]

    def scores(weights: Floats) -> Floats:
        return np.stack([_score(metric, table, weights) for table in tables])

    mine, *others = scores(np.ones((1, len(shared))))[:, 0]
    if not np.isfinite([mine, *others]).all():
        return None
    ends = percentile_interval(lambda weights: _less_the_larger(scores(weights)), clusters)
    low, high = ends or (None, None)
    return Gain(float(mine - max(others)), low, high, list(controls)[int(np.argmax(others))])


def _less_the_larger(scores: Floats) -> Floats:
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
