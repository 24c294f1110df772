"""Signs flipped: all assignments where they are few, and a saddlepoint that agrees with them where they are many."""

from itertools import product

import numpy as np
import pytest

from mmbench.harness.statistics.permutation import MOST_ENUMERATED, sign_flip, sign_flip_of_moments, tail_share
from tests.lazy import stats


def enumerated(sums: np.ndarray) -> float:
    totals = np.array(list(product([-1, 1], repeat=len(sums)))) @ sums
    return float((np.abs(totals) >= abs(sums.sum()) - 1e-9).mean())


@pytest.mark.parametrize("count", [1, 2, 5, 13, 16])
def test_few_clusters_are_enumerated(count: int) -> None:
    sums = np.random.default_rng(count).normal(-0.3, 1, count)
    assert sign_flip(sums) == pytest.approx(enumerated(sums))


def test_scipy_enumerates_alike() -> None:
    sums = np.random.default_rng(0).normal(0.5, 1, 9)
    expected = stats.permutation_test((sums,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(sums) == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.6])
def test_more_are_approximated(shift: float) -> None:
    for kind in ("normal", "exponential"):
        sums = np.random.default_rng(7).normal(shift, 1, MOST_ENUMERATED + 4)
        sums = np.sign(sums) * np.abs(sums) ** (1 if kind == "normal" else 2)
        rng = np.random.default_rng(0)
        drawn = (1 - 2 * rng.integers(2, size=(200_000, len(sums)))) @ sums
        p = float((np.abs(drawn) >= abs(sums.sum())).mean())
        assert sign_flip(sums) == pytest.approx(p, rel=0.08, abs=1e-4)


def test_many_clusters_approach_the_normal_test() -> None:
    for count in (5000, 40_000):
        sums = np.random.default_rng(3).normal(-0.025, 1, count)
        z = sums.sum() / np.sqrt((sums**2).sum())
        assert sign_flip(sums) == pytest.approx(2 * stats.norm.cdf(-abs(z)), rel=0.02)


def test_far_tails_keep_their_digits() -> None:
    assert sign_flip(np.full(100, -1.0)) == 2.0**-100
    assert 0 < sign_flip(np.full(5000, -1.0)) < 1e-300
    assert sign_flip_of_moments(3000.0, 3000.0, 3000.0) == 5e-324
    sums = np.random.default_rng(0).normal(0.5, 1, 400)
    assert 0 < sign_flip(sums) < 1e-15


def test_what_does_not_differ_changes_nothing() -> None:
    assert sign_flip(np.zeros(5)) == 1.0
    sums = np.array([1.0, -2.0, 3.0])
    assert sign_flip(np.concatenate([sums, np.zeros(100)])) == sign_flip(sums)


def test_no_p_is_zero() -> None:
    assert tail_share(5.0, np.zeros(9)) == 0.1


def test_sums_that_rounding_tells_apart_are_the_same() -> None:
    assert sign_flip(np.array([0.1, 0.2, 0.3])) == 0.25
