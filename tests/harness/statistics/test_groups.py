"""Groups side by side: intervals that hold at once, and those of the worst group, the gap and the ratio."""

import math
from functools import partial

import numpy as np
import pytest

from mmbench.harness.statistics.groups import Groups, correlation, groups_of_shares, one_side_together, together
from mmbench.harness.statistics.mid_p import mid_p_interval, proportion_interval
from mmbench.harness.statistics.wilson import wilson

SIZES = {2: (40, 160), 5: (20, 30, 60, 120, 240), 20: tuple(np.geomspace(20, 300, 20).round().astype(int).tolist())}


def binomial(right: np.ndarray, sizes: np.ndarray) -> Groups:
    ats = [partial(proportion_interval, x, n) for x, n in zip(right.tolist(), sizes.tolist(), strict=True)]
    return Groups(right / sizes, ats, None, 0.0, 1.0)


@pytest.mark.parametrize("count", SIZES)
def test_intervals_hold_at_once(count: int) -> None:
    sizes, rng = np.array(SIZES[count]), np.random.default_rng(count)
    rates = np.linspace(0.6, 0.95, count)[::-1]
    truth = rates.min(), rates.max() - rates.min(), rates.min() / rates.max()
    repeats = 500 // count + 30
    held = np.zeros(4)
    for _ in range(repeats):
        groups = binomial(rng.binomial(sizes, rates), sizes)
        low, high = groups.ends(together(count))
        made = groups.least(), groups.gap(), groups.ratio()
        assert all(each is not None and each.low <= each.value <= each.high for each in made)
        held += [
            ((low <= rates) & (rates <= high)).all(),
            *(each.low <= true <= each.high for each, true in zip(made, truth, strict=True)),  # type: ignore[union-attr]
        ]
    error = 2.5 * math.sqrt(0.05 * 0.95 / repeats)
    assert (held / repeats >= 0.95 - error).all(), "the simulation in tests/perf is longer"


def test_the_least_of_equal_groups_is_too_low_and_its_interval_knows() -> None:
    sizes, rng = np.full(20, 50), np.random.default_rng(1)
    held, values = 0, []
    for _ in range(60):
        least = binomial(rng.binomial(sizes, 0.8), sizes).least()
        held += least.low <= 0.8 <= least.high
        values.append(least.value)
    assert np.mean(values) < 0.71, "every group is right in .8"
    assert held >= 54


def test_one_group_that_is_surely_the_worst_keeps_its_own_interval() -> None:
    groups = binomial(np.array([50, 180, 190]), np.array([100, 200, 200]))
    least = groups.least()
    assert (least.low, least.high) == wilson(50, 100)
    assert groups.gap().value == pytest.approx(0.45)
    ratio = groups.ratio()
    assert ratio is not None
    assert ratio.value == pytest.approx(0.5 / 0.95)


def test_pairs_that_are_surely_the_extremes_have_the_interval_of_newcombe() -> None:
    groups = binomial(np.array([56, 96]), np.array([112, 98]))
    (a, b), (c, d) = wilson(56, 112), wilson(96, 98)
    gap = groups.gap()
    assert gap.low == pytest.approx(96 / 98 - 0.5 - math.hypot(96 / 98 - c, b - 0.5))
    assert gap.high == pytest.approx(96 / 98 - 0.5 + math.hypot(d - 96 / 98, 0.5 - a))


def test_edges() -> None:
    none = binomial(np.array([0, 0]), np.array([10, 10]))
    assert none.ratio() is None, "all are 0"
    assert (none.gap().value, none.gap().low) == (0.0, 0.0)
    assert none.least().high < 0.4
    alone = binomial(np.array([5]), np.array([10]))
    assert (alone.least().low, alone.least().high) == wilson(5, 10)
    assert (alone.gap().low, alone.ratio()) == (None, None)
    unknown = Groups(np.array([0.5, 0.9]), [lambda c: None, partial(wilson, 90, 100)], None, 0.0, 1.0)
    assert unknown.least().low == 0.0, "of a group without an interval nothing is known"
    assert unknown.least().high < 0.96
    zero = binomial(np.array([0, 9]), np.array([9, 10])).ratio()
    assert zero is not None
    assert zero.value == zero.low == 0.0
    assert 0.2 < zero.high < 0.7


def test_groups_of_the_same_pictures_differ_by_less() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(200)
    values = np.concatenate([hard < 0.7, hard < 0.6]).astype(float)
    places, clusters = np.repeat([0, 1], 200), np.tile(np.arange(200), 2)
    alike = correlation(values, places, clusters)
    assert alike is not None
    assert 0.5 < alike[0, 1] < 1
    shared = groups_of_shares(values, places, clusters).gap()
    apart = groups_of_shares(values, places, np.arange(400)).gap()
    assert shared.value == apart.value
    assert shared.high < apart.high
    assert shared.low > apart.low
    assert correlation(values, places, np.arange(400)) is None


def test_levels() -> None:
    assert together(1) == one_side_together(1) == pytest.approx(0.95)
    assert together(5) ** 5 == pytest.approx(0.95)
    assert (0.5 + one_side_together(7) / 2) ** 7 == pytest.approx(0.975)


@pytest.mark.parametrize(("right", "n"), [(0, 7), (3, 7), (7, 7), (1, 400), (399.3, 400.7), (0.2, 1.5), (2.515, 5)])
def test_mid_p_is_the_root_of_the_tails(right: float, n: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    for confidence in (0.95, 0.9974, 0.9995, 0.9999):
        low, high = mid_p_interval(right, n, confidence)
        tail = (1 - confidence) / 2
        for p, more, fewer in ((low, right, n - right), (1 - high, n - right, right)):
            if more > 0 and p > 1e-12:
                beyond = stats.beta.cdf(p, more + 1, fewer) if fewer > 0 else 0.0
                assert (stats.beta.cdf(p, more, fewer + 1) + beyond) / 2 == pytest.approx(tail, rel=1e-9)
    with pytest.raises(ValueError, match="needs items"):
        mid_p_interval(0, 0)
