"""Intervals of clustered items cover the truth, and agree with SciPy where clusters are single items."""

import numpy as np
import pytest

from mmbench.harness.statistics.clusters import (
    cluster_codes,
    effective_size,
    mean_interval,
    standard_error,
    student_quantile,
)
from mmbench.harness.statistics.wilson import wilson
from tests.lazy import stats


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 10, 39, 1000])
@pytest.mark.parametrize("p", [0.9, 0.95, 0.975])
def test_quantiles_are_those_of_scipy(p: float, freedom: int) -> None:
    assert student_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=2e-3)
    assert student_quantile(1 - p, freedom) == pytest.approx(-student_quantile(p, freedom))


def test_names_and_numbers_make_the_same_clusters() -> None:
    names = np.random.default_rng(0).choice(["d", "b", "a"], 50)
    codes, count = cluster_codes(names.tolist())
    expected = np.unique(names, return_inverse=True)[1]
    assert count == 3 and np.array_equal(codes, expected)
    assert np.array_equal(cluster_codes(expected * 7)[0], expected)


def test_single_items_have_the_interval_of_student() -> None:
    values = np.array([1.0, 2.0, 4.0, 5.0, 7.0, 8.0])  # symmetric, so that there is no skewness to take away
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(values, np.arange(6)) == pytest.approx((expected.low, expected.high), rel=2e-3)


def test_the_standard_error_is_that_of_leaving_out_clusters() -> None:
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=60), rng.integers(7, size=60)
    without = np.array([values[codes != c].mean() for c in range(7)])
    expected = np.sqrt(6 / 7 * ((without - values.mean()) ** 2).sum())
    assert standard_error(values, codes, 7) == pytest.approx(expected)


def test_repeated_items_are_worth_no_more_than_one() -> None:
    coins = np.random.default_rng(0).integers(2, size=500).astype(float)
    once = mean_interval(coins, np.arange(500))
    assert mean_interval(np.repeat(coins, 4), np.repeat(np.arange(500), 4)) == pytest.approx(once)
    assert effective_size(np.repeat(coins, 4), np.repeat(np.arange(500), 4)) == pytest.approx(500, rel=0.01)


def test_items_that_repel_each_other_are_worth_more_as_far_as_clusters_show_it() -> None:
    opposed = np.tile([0.0, 1.0], 100)  # of one answer to both questions: right in one of them
    assert wilson(np.mean(opposed) * 3270, 3270) == pytest.approx((0.483, 0.517), abs=0.001)
    assert effective_size(opposed, np.arange(200) // 2) == pytest.approx(3270, rel=0.01), "the rule of three"
    assert effective_size(opposed[:10], np.arange(10) // 2) < 15, "few clusters may look so by luck"
    coins = np.random.default_rng(1).integers(2, size=2000).astype(float)
    assert effective_size(coins, np.arange(2000) // 2) == pytest.approx(2000, rel=0.06)


def test_one_cluster_tells_nothing() -> None:
    opposed = np.tile([0.0, 1.0], 100)
    assert effective_size(opposed, np.zeros(200, dtype=int)) is None
    assert mean_interval(opposed, np.zeros(200, dtype=int)) is None
    assert mean_interval(np.ones(10), np.arange(10)) is None, "that nothing varies tells not how much it might"
    assert effective_size(np.ones(10), np.arange(10) // 2) is not None


def test_a_long_tail_is_on_the_side_where_the_values_have_it() -> None:
    low, high = mean_interval(np.random.default_rng(0).exponential(size=40), np.arange(40)) or (0.0, 0.0)
    mean = np.random.default_rng(0).exponential(size=40).mean()
    assert high - mean > mean - low


def test_proportions_of_clustered_items_are_covered() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(40), 8)
    covered = 0
    for _ in range(400):
        values = (rng.random(320) < np.repeat(rng.beta(0.8 * 4, 0.2 * 4, 40), 8)).astype(float)
        worth = effective_size(values, codes)
        assert worth is not None
        low, high = wilson(values.mean() * worth, worth)
        covered += low <= 0.8 <= high
    assert 0.92 <= covered / 400 <= 0.98  # 93 to 97 %, and a standard error


@pytest.mark.parametrize("least", [0, 3, -2, 10**6])
def test_numbers_of_clusters_are_those_of_their_order(least: int) -> None:
    clusters = np.random.default_rng(0).integers(40, size=60) + least
    names, expected = np.unique(clusters, return_inverse=True)
    codes, count = cluster_codes(clusters)
    assert codes.tolist() == expected.tolist()
    assert count == len(names)
