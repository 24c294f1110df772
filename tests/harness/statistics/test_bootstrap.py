"""Resampled clusters are drawn as they should be, and their intervals cover the truth."""

import numpy as np
import pytest

from mmbench.harness.statistics.bootstrap import RESAMPLES, cluster_weights, percentile_interval
from tests.lazy import stats


def mean_of(values: np.ndarray):
    return lambda weights: weights @ values / weights.sum(axis=1)


def test_every_cluster_is_drawn_alike() -> None:
    clusters = ["a", "b", "a", "c"]
    weights = np.concatenate(list(cluster_weights(clusters, 3000, seed=1)))
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, [0, 1, 3]].sum(axis=1), np.full(3000, 3.0))
    assert weights[:, [0, 1, 3]].mean(axis=0) == pytest.approx(np.ones(3), abs=0.06)
    assert weights[:, 1].var() == pytest.approx(2 / 3, abs=0.06)  # of 3 draws, each with chance 1/3


def test_blocks_are_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = [str(i // 2) for i in range(20)]
    whole = np.concatenate(list(cluster_weights(clusters, 50, seed=3)))
    monkeypatch.setattr("mmbench.harness.statistics.bootstrap._AT_ONCE", 100)
    blocks = list(cluster_weights(clusters, 50, seed=3))
    assert len(blocks) == 10
    assert np.array_equal(np.concatenate(blocks), whole)


def test_many_items_have_the_percentiles_of_scipy() -> None:
    values = np.random.default_rng(0).exponential(size=400)
    expected = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=RESAMPLES, rng=0
    ).confidence_interval
    low, high = percentile_interval(mean_of(values), np.arange(400)) or (0.0, 0.0)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.015)


def test_few_clusters_have_a_wider_interval_than_plain_percentiles() -> None:
    values = np.random.default_rng(0).normal(size=10)
    replicates = np.concatenate([mean_of(values)(w) for w in cluster_weights(np.arange(10), RESAMPLES, 0)])
    low, high = percentile_interval(mean_of(values), np.arange(10)) or (0.0, 0.0)
    assert low < np.quantile(replicates, 0.025) and high > np.quantile(replicates, 0.975)


def test_what_is_undefined_has_no_interval() -> None:
    assert percentile_interval(lambda w: np.full(len(w), np.nan), ["a", "b"]) is None
    assert percentile_interval(mean_of(np.ones(3)), ["a", "a", "a"]) is None


@pytest.mark.slow
def test_forty_clusters_cover() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(40), 5)
    covered = 0
    for _ in range(300):
        values = rng.normal(size=200) + np.repeat(rng.normal(size=40), 5)
        low, high = percentile_interval(mean_of(values), codes) or (0.0, 0.0)
        covered += low <= 0 <= high
    assert 0.92 <= covered / 300 <= 0.98  # 93 to 97 %, and a standard error
