"""Signs flipped at random agree with all assignments tried, and a p is as small as it should be no more often."""

from itertools import product

import numpy as np
import pytest

from mmbench.harness.statistics.permutation import FLIPS, MOST_ENUMERATED, sign_flip, tail_shares
from tests.lazy import stats


def enumerated(sums: np.ndarray) -> tuple[float, float]:
    signs = np.array(list(product([-1, 1], repeat=len(sums))))
    totals = signs @ sums
    observed = sums.sum()
    return (np.abs(totals) >= abs(observed) - 1e-9).mean(), (totals <= observed + 1e-9).mean()


@pytest.mark.parametrize("count", [1, 2, 5, MOST_ENUMERATED])
def test_few_clusters_are_enumerated(count: int) -> None:
    sums = np.random.default_rng(count).normal(-0.3, 1, count)
    assert sign_flip(sums) == pytest.approx(enumerated(sums))


def test_scipy_enumerates_alike() -> None:
    sums = np.random.default_rng(0).normal(0.5, 1, 9)
    expected = stats.permutation_test((sums,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(sums)[0] == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("count", [14, 16, 17])
def test_more_are_drawn(count: int) -> None:
    sums = np.random.default_rng(count).exponential(size=count) - 0.6
    assert sign_flip(sums) == pytest.approx(enumerated(sums), abs=0.02)  # four standard errors of 9,999 draws
    assert sign_flip(sums) == sign_flip(sums)


def test_many_clusters_approach_the_normal_test() -> None:
    sums = np.random.default_rng(3).normal(-0.025, 1, 5000)
    z = sums.sum() / np.sqrt((sums**2).sum())
    assert sign_flip(sums) == pytest.approx((2 * stats.norm.cdf(-abs(z)), stats.norm.cdf(z)), abs=0.02)


def test_what_does_not_differ_changes_nothing() -> None:
    assert sign_flip(np.zeros(5)) == (1.0, 1.0)
    sums = np.array([1.0, -2.0, 3.0])
    assert sign_flip(np.concatenate([sums, np.zeros(100)])) == sign_flip(sums)


def test_no_p_is_zero() -> None:
    assert sign_flip(np.full(100, -1.0)) == (1 / (FLIPS + 1), 1 / (FLIPS + 1))
    assert tail_shares(5.0, np.zeros(9), drawn=True)[0] == 0.1


def test_sums_that_rounding_tells_apart_are_the_same() -> None:
    assert sign_flip(np.array([0.1, 0.2, 0.3]))[0] == 0.25
