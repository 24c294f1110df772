"""Student's quantiles are those of SciPy, at every degree of freedom."""

import pytest

from mmbench.harness.statistics.student import student_quantile, student_tail
from tests.lazy import stats


@pytest.mark.parametrize("freedom", [1, 1.3, 2, 2.7, 3, 4, 5, 7, 9, 10, 39.5, 199, 200, 12345.6, 9e5, 1.1e6, 1e8])
def test_quantiles(freedom: float) -> None:
    for p in (0.01, 0.3, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9999, 1 - 0.05 / 1225 / 2, 1 - 1e-8):
        assert student_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-9)


def test_tails() -> None:
    for x in (-2.0, 0.0, 0.5, 3.0, 40.0):
        assert student_tail(x, 7.5) == pytest.approx(stats.t.sf(x, 7.5), rel=1e-9)
    assert student_quantile(0.5, 3) == 0.0
    with pytest.raises(ValueError, match="degree of freedom"):
        student_quantile(0.9, 0)
