"""The visual gain is a paired difference, and its interval covers the truth as often as it says."""

from dataclasses import replace

import numpy as np
import pytest

from mmbench.harness.scores.gain import gain_over
from mmbench.harness.statistics.bootstrap import cluster_weights, percentile_interval
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome
from tests.builders import outcome, outcomes

ACCURACY = Metric("accuracy", "")


def test_it_is_the_score_less_the_larger_control() -> None:
    gain = gain_over(
        ACCURACY,
        outcomes(np.tile([1, 1, 1, 0], 20)),
        {"blind": outcomes(np.tile([0, 0, 1, 0], 20)), "shuffled": outcomes(np.tile([1, 0, 1, 0], 20))},
    )
    assert gain is not None
    assert (gain.value, gain.control) == (0.25, "shuffled")
    assert gain.low is not None and gain.high is not None and gain.low <= 0.25 <= gain.high


@pytest.mark.parametrize("aggregate", [None, lambda table, weights: weights @ table[:, 0] / weights.sum(axis=1)])
def test_where_lower_is_better_it_is_the_lesser_control_less_the_score(aggregate) -> None:
    metric = Metric("mae", "", higher_is_better=False, best=0.0, proportion=False, aggregate=aggregate)
    rng = np.random.default_rng(0)
    own, blind, shuffled = (
        [
            outcome(i, value, metric="mae", statistics={"mae": (float(value),)})
            for i, value in enumerate(rng.poisson(mean, 200))
        ]
        for mean in (0.5, 3, 5)
    )
    gain = gain_over(metric, own, {"blind": blind, "shuffled": shuffled})
    assert gain is not None and gain.low is not None and gain.high is not None
    assert gain.control == "blind" and 0 < gain.low < gain.value < gain.high
    assert gain.value == pytest.approx(
        np.mean([b.values["mae"] - a.values["mae"] for a, b in zip(own, blind, strict=True)])
    )
    assert gain_over(replace(metric, higher_is_better=None), own, {"blind": blind}) is None


def test_its_interval_is_that_of_the_larger_control() -> None:
    own, none = outcomes(np.tile([1, 1, 1, 0], 20)), outcomes(np.zeros(80))
    blind = outcomes(np.tile([0, 1, 0, 0], 20))
    alone, both = gain_over(ACCURACY, own, {"blind": blind}), gain_over(ACCURACY, own, {"blind": blind, "no": none})
    assert alone is not None and both == alone


def test_only_items_that_all_were_scored_on_count() -> None:
    own, blind = outcomes(np.array([1.0, 0.0, 1.0])), outcomes(np.array([0.0, 0.0, 0.0]))
    blind[1] = outcome(1, status="error")
    gain = gain_over(ACCURACY, own, {"blind": blind})
    assert gain is not None and gain.value == 1.0
    assert gain_over(ACCURACY, own, {"blind": blind[1:2]}) is None
    assert gain_over(ACCURACY, own, {}) is None


def test_a_model_that_does_not_look_gains_nothing() -> None:
    values = np.random.default_rng(0).integers(0, 2, 100)
    gain = gain_over(ACCURACY, outcomes(values), {"blind": outcomes(values)})
    assert gain is not None and gain.low is not None
    assert (gain.value, gain.high) == (0.0, -gain.low) and 0.03 < -gain.low < 0.04


def test_its_interval_has_the_lesser_ends_of_both_comparisons() -> None:
    rng = np.random.default_rng(0)
    own, *both = (outcomes(rng.random(60) < share) for share in (0.7, 0.5, 0.5))
    first, second = (gain_over(ACCURACY, own, {"one": each}) for each in both)
    gain = gain_over(ACCURACY, own, {"blind": both[0], "shuffled": both[1]})
    assert gain is not None and first is not None and second is not None
    assert (gain.low, gain.high) == (min(first.low, second.low), min(first.high, second.high))
    assert gain.low <= gain.value <= gain.high


@pytest.mark.parametrize(("other", "bias"), [(0.5, 0.009), (0.45, 0.02), (0.3, 0.009)])
def test_it_covers_and_is_hardly_biased_however_near_the_controls_are(other: float, bias: float) -> None:
    rng = np.random.default_rng(0)
    found, covered = [], 0
    for _ in range(400):
        own, *both = (outcomes(rng.random(100) < share) for share in (0.7, 0.5, other))
        gain = gain_over(ACCURACY, own, {"blind": both[0], "shuffled": both[1]})
        assert gain is not None and gain.low is not None and gain.high is not None
        found.append(gain.value)
        covered += gain.low <= 0.2 <= gain.high
    assert np.mean(found) == pytest.approx(0.2, abs=bias)
    assert covered / 400 == pytest.approx(0.95, abs=0.02 + 2 * np.sqrt(0.95 * 0.05 / 400))


def test_corpus_metrics_are_aggregated_again() -> None:
    ratio = Metric("ratio", "", aggregate=lambda table, weights: (weights @ table[:, 0]) / (weights @ table[:, 1]))

    def made(tops: list[float]) -> list[Outcome]:
        return [
            Outcome(str(i), "ok", None, None, {}, statistics={"ratio": (top, 2.0)}, cluster=str(i))
            for i, top in enumerate(tops)
        ]

    gain = gain_over(ratio, made([2, 1, 2, 1]), {"blind": made([1, 1, 1, 1])})
    assert gain is not None and gain.value == 0.25


@pytest.mark.slow
def test_the_interval_covers_the_true_gain() -> None:
    rng = np.random.default_rng(0)
    n, own, control = 200, 0.7, 0.4
    covered = 0
    for _ in range(200):
        gain = gain_over(ACCURACY, outcomes(rng.random(n) < own), {"blind": outcomes(rng.random(n) < control)})
        assert gain is not None and gain.low is not None and gain.high is not None
        covered += gain.low <= own - control <= gain.high
    assert covered >= 180  # 95 % of 200, less three standard errors


def test_items_of_a_cluster_are_drawn_together() -> None:
    for block in cluster_weights(["a", "b", "a", "c"], 50, seed=1):
        assert np.array_equal(block[:, 0], block[:, 2])
        assert np.array_equal(block[:, 0] + block[:, 1] + block[:, 3], np.full(50, 3.0))
    wide = percentile_interval(lambda w: w @ np.arange(40.0) / w.sum(axis=1), [str(i % 4) for i in range(40)])
    narrow = percentile_interval(lambda w: w @ np.arange(40.0) / w.sum(axis=1), [str(i) for i in range(40)])
    assert wide is not None and narrow is not None


def test_what_is_undefined_has_no_interval() -> None:
    assert percentile_interval(lambda w: np.full(len(w), np.nan), ["a", "b"]) is None
