"""Intervals agree with SciPy."""

import pytest

from mmbench.harness.statistics.wilson import wilson
from tests.lazy import stats


@pytest.mark.parametrize("n", [1, 2, 10, 137, 1797, 50_000])
@pytest.mark.parametrize("share", [0.0, 0.013, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_wilson_is_that_of_scipy(n: int, share: float, confidence: float) -> None:
    hits = round(share * n)
    expected = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    assert wilson(hits, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_holds_the_mean_and_stays_in_range() -> None:
    for n in (1, 3, 20):
        for tenths in range(10 * n + 1):
            low, high = wilson(tenths / 10, n)
            assert 0.0 <= low <= tenths / 10 / n <= high <= 1.0


def test_nothing_has_no_interval() -> None:
    with pytest.raises(ValueError, match="needs items"):
        wilson(0, 0)
