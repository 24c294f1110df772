"""Area and efficiency of learning curves, against figures worked out by hand and NumPy's own integration."""

import numpy as np
import pytest

from mmbench.benchmarks.families.probe.metrics import curve_metric, lesson_metric, mean_map
from mmbench.benchmarks.metrics.classification import mean_average_precision
from mmbench.benchmarks.metrics.shots import area_under_shots, shots_to_reach

SHOTS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])


def test_area_by_hand():
    # Over log2: (0.2 + 0.4) / 2 for one doubling, (0.4 + 0.8) / 2 for two, over three.
    assert area_under_shots(np.array([1.0, 2.0, 8.0]), np.array([0.2, 0.4, 0.8])) == pytest.approx((0.3 + 1.2) / 3)


def test_area_is_that_of_numpy():
    values = np.random.default_rng(0).random((7, 5))
    expected = np.trapezoid(values, np.log2(SHOTS), axis=1) / 4
    assert area_under_shots(SHOTS, values) == pytest.approx(expected)
    assert area_under_shots(SHOTS, values[:, None]).shape == (7, 1)


def test_a_flat_curve_is_its_own_area_and_one_number_of_shots_too():
    assert area_under_shots(SHOTS, np.full((1, 5), 0.3)) == pytest.approx([0.3])
    assert area_under_shots(np.array([4.0]), np.array([[0.7], [0.1]])).tolist() == [0.7, 0.1]


@pytest.mark.parametrize(
    ("curve", "level", "expected"),
    [
        ([0.5, 0.6, 0.7, 0.8, 0.9], 0.4, 1.0),  # above from the first
        ([0.5, 0.6, 0.7, 0.8, 0.9], 0.5, 1.0),
        ([0.1, 0.3, 0.5, 0.7, 0.9], 0.5, 4.0),  # on a point
        ([0.1, 0.3, 0.5, 0.7, 0.9], 0.4, 2**1.5),  # half way between 2 and 4, in log
        ([0.1, 0.3, 0.2, 0.7, 0.9], 0.25, 2**0.75),  # the first crossing, though the curve falls again
        ([0.1, 0.1, 0.1, 0.1, 0.5], 0.2, 8 * 2**0.25),
        ([0.1 + 0.2, 0.1, 0.1, 0.1, 0.5], 0.3, 1.0),
        ([0.3, 0.1, 0.1, 0.1, 0.5], 0.1 + 0.2, 1.0),  # equal but for rounding
        ([0.1, 0.3, 0.1, 0.1, 0.5], 0.1 + 0.2, 2.0),
    ],
)
def test_shots_by_hand(curve, level, expected):
    assert shots_to_reach(SHOTS, np.array([curve]), np.array([level])) == pytest.approx([expected])


def test_a_level_that_is_never_reached():
    assert np.isnan(shots_to_reach(SHOTS, np.array([[0.1] * 5]), np.array([0.2]))).all()
    assert np.isnan(shots_to_reach(np.array([4.0]), np.array([[0.1]]), np.array([0.2]))).all()


def test_efficiency_is_that_of_the_mean_curves():
    metric = curve_metric("efficiency")
    # Of four items two are right without shots, none after one shot, three after four.
    statistics = np.array([[1, 1, 4, 0, 1], [1, 1, 4, 0, 1], [0, 1, 4, 0, 1], [0, 1, 4, 0, 0]], float)
    assert metric.aggregate(statistics, np.ones((1, 4))) == pytest.approx([4 ** (0.5 / 0.75)])
    assert not metric.higher_is_better
    assert metric.best is None
    weights = np.array([[2.0, 0, 0, 1]])
    assert metric.aggregate(statistics, weights) == pytest.approx([4.0])


def test_map_of_several_draws_is_the_mean_of_theirs():
    rng = np.random.default_rng(0)
    targets = (rng.random((30, 4)) < 0.4).astype(float)
    draws, weights = [rng.random((30, 4)) for _ in range(3)], np.ones((2, 30))
    expected = np.mean([mean_average_precision(np.hstack([drawn, targets]), weights) for drawn in draws], axis=0)
    statistics = np.hstack([np.full((30, 1), 4.0), *draws, targets])
    assert mean_map(statistics, weights) == pytest.approx(expected)
    metric = lesson_metric("4-shot/map", "map", averaged=True)
    assert metric.aggregate(statistics, weights) == pytest.approx(expected)
