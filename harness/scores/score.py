"""Scores from outcomes: a model's failures count, a run's do not, and both are shown."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmbench.harness.digest import Json
from mmbench.harness.statistics.bootstrap import affordable, percentiles
from mmbench.harness.statistics.clusters import Clusters, Codes, cluster_codes, equal_clusters, mean_interval
from mmbench.harness.statistics.draws import mean_over_draws_interval
from mmbench.harness.statistics.estimate import At, Ends
from mmbench.harness.statistics.mid_p import proportion_interval
from mmbench.harness.statistics.shares import Shares, share_intervals
from mmbench.harness.statistics.student import student_quantile
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome, Score, Unit

_CONFIDENCE = 0.95


class Scored(NamedTuple):
    """A score, and what its interval is at any confidence."""

    score: Score
    at: At


def score(metrics: Sequence[Metric], outcomes: Sequence[Outcome], chance: float | None = None) -> list[Score]:
    """Return one score for each metric; the first metric is the primary one.

    `chance` overrides the expected value of guessing for the primary metric, where the task's card states it.
    """
    return [each.score for each in scored(metrics, outcomes, chance)]


def scored(metrics: Sequence[Metric], outcomes: Sequence[Outcome], chance: float | None = None) -> list[Scored]:
    """Return the same with intervals at any confidence."""
    items = {unit: _Items.of(unit, outcomes) for unit in dict.fromkeys(metric.unit for metric in metrics)}
    return [
        _score(metric, items[metric.unit], first=i == 0, chance=chance if i == 0 else None)
        for i, metric in enumerate(metrics)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Items:
    """What all metrics of one unit are made from."""

    mine: Sequence[Outcome]
    counted: Sequence[Outcome]
    """Those that are no error."""
    good: int
    """Those with status `ok`."""
    codes: Codes
    """(counted,) 0-based numbers of their clusters."""
    clusters: int
    """As many clusters of equal size as tell as much."""

    @classmethod
    def of(cls, unit: Unit, outcomes: Sequence[Outcome]) -> "_Items":
        mine = [outcome for outcome in outcomes if outcome.unit == unit]
        counted = [outcome for outcome in mine if outcome.status != "error"]
        good = sum(outcome.status == "ok" for outcome in mine)
        codes, count = cluster_codes([outcome.cluster for outcome in counted])
        return cls(mine, counted, good, codes, equal_clusters(codes, count))


def _score(metric: Metric, items: _Items, *, first: bool, chance: float | None) -> Scored:
    coverage = items.good / len(items.mine) if items.mine else 0.0
    if chance is None:
        chance = _chance(metric, items.mine)
    value, at, bounds = _value(metric, items) if _defined(metric, items.counted) else (None, _unknown, None)
    at = cache(partial(_possible, metric, value, at))  # each is asked for by levels, and again where they are compared
    low, high = at(_CONFIDENCE) or (None, None)
    n = len(items.counted)
    return Scored(Score(metric.name, value, low, high, n, coverage, bounds, chance, first, items.clusters), at)


def _unknown(confidence: float) -> Ends:
    """Return the interval of what has none."""
    return None


def _defined(metric: Metric, counted: Sequence[Outcome]) -> bool:
    """Tell whether every answered item has what the metric is made of; a written reply has no ranking, say."""
    if metric.aggregate is None and not metric.draws:
        return bool(counted) and all(metric.name in outcome.values for outcome in counted)
    return bool(counted) and all(metric.name in outcome.statistics for outcome in counted)


def _value(metric: Metric, items: _Items) -> tuple[float | None, At, tuple[float, float] | None]:
    mine, counted, clusters = items.mine, items.counted, items.codes
    if metric.aggregate is not None:
        statistics = np.array([outcome.statistics[metric.name] for outcome in counted], dtype=np.float64)
        value = float(metric.aggregate(statistics, np.ones((1, len(counted))))[0])
        if not np.isfinite(value):
            return None, _unknown, None
        bounds = (value, value) if items.good == len(mine) else None
        return value, corpus_interval(metric, statistics, clusters, value), bounds
    values: npt.NDArray[np.float64] = np.array([outcome.values[metric.name] for outcome in counted])
    value = float(values.sum()) / len(counted)
    if metric.draws:
        table = np.array([outcome.statistics[metric.name] for outcome in counted], dtype=np.float64)
        return value, partial(mean_over_draws_interval, table, clusters), None
    if not metric.proportion:
        return value, partial(mean_interval, values, clusters), None
    right = sum(outcome.values[metric.name] for outcome in counted if outcome.status == "ok")
    unknown = len(mine) - items.good
    at = share_intervals(Shares(values, np.ones_like(values)), clusters)
    return value, at, (right / len(mine), (right + unknown) / len(mine))


def _possible(metric: Metric, value: float | None, at: At, confidence: float) -> Ends:
    """Return an interval cut off where no value can lie: below 0 of an error rate, say."""
    ends = at(confidence)
    if ends is None or value is None:
        return None
    least = metric.best if metric.higher_is_better is False and metric.best is not None else metric.lowest
    best = metric.best if metric.higher_is_better else None
    most = 1.0 if metric.proportion else math.inf if best is None else best
    # Of a value beyond what its metric says is possible nobody knows how far others may be.
    return ends[0] if value < least else max(ends[0], least), ends[1] if value > most else min(ends[1], most)


def corpus_interval(metric: Metric, statistics: npt.NDArray[np.float64], clusters: Clusters, value: float) -> At:
    """Return the interval of a corpus metric of (n, k) statistics.

    Its own where it has one; of a proportion that of shares; of a number whose items' shares are known the jackknife;
    else clusters are resampled, less often where tables are large, since average precision of many classes costs as
    many sums as there are cells.
    """
    if metric.interval is not None:
        return metric.interval(statistics, cluster_codes(clusters)[0])
    if metric.shares is not None:
        return share_intervals(metric.shares(statistics), clusters)
    if metric.varies is not None:
        lost = metric.varies(statistics)
        return _unknown if lost is None else partial(_jackknife, lost, clusters, value)
    aggregate = metric.aggregate
    if aggregate is None:
        return _unknown
    resamples = affordable(statistics.size)
    resampled = percentiles(lambda weights: aggregate(statistics, weights), clusters, resamples=resamples)

    def at(confidence: float) -> Ends:
        made = resampled(confidence)
        if made is None or made[0] < made[1]:
            return made
        # Resamples of what cannot vary have no width, and know nothing; as many coins as there are clusters do.
        count = cluster_codes(clusters)[1]
        known = metric.proportion and 0 <= value <= 1
        return proportion_interval(value * count, count, confidence) if known else None

    return at


def _jackknife(lost: npt.NDArray[np.float64], clusters: Clusters, value: float, confidence: float) -> Ends:
    """Return the interval of a value that falls by (n,) `lost` without each item (Efron and Stein 1981)."""
    codes, count = cluster_codes(clusters)
    if count < 2:
        return None
    moved = np.bincount(codes, lost, minlength=count)
    error = float(np.sqrt((count - 1) / count * ((moved - moved.mean()) ** 2).sum()))
    reach = student_quantile(0.5 + confidence / 2, count - 1) * error
    return (value - reach, value + reach) if error else None


def _chance(metric: Metric, mine: Sequence[Outcome]) -> float | None:
    guesses = [outcome.guesses[metric.name] for outcome in mine if metric.name in outcome.guesses]
    if metric.aggregate is None or not guesses:
        return _mean(outcome.chances[metric.name] for outcome in mine if metric.name in outcome.chances)
    value = float(metric.aggregate(np.array(guesses, dtype=np.float64), np.ones((1, len(guesses))))[0])
    return value if np.isfinite(value) else None


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return sum(held) / len(held) if held else None


def as_json(made: Score) -> Mapping[str, Json]:
    """Return a score as it stands in records and rows."""
    return {
        "metric": made.metric,
        "value": made.value,
        "low": made.low,
        "high": made.high,
        "n": made.n,
        "coverage": made.coverage,
        "bounds": list(made.bounds) if made.bounds else None,
        "chance": made.chance,
        "primary": made.primary,
        "clusters": made.clusters,
    }
