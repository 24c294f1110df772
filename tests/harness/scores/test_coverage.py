"""Intervals of every kind of score cover as they say: the short version of `tests/perf/coverage_of_scores.py`."""

import numpy as np
import pytest

from tests.perf.coverage_of_scores import AROUND, KINDS, LEAST, MOST, WIDE, WIDEST, measured

DRAWS = 400
LEAVE = 2.5 * np.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize(
    "kind", [k if n % 4 == 0 else pytest.param(k, marks=pytest.mark.long) for n, k in enumerate(KINDS)]
)
def test_intervals_cover_and_are_no_wider_than_they_need(kind: str) -> None:
    draw, sizes, rates, truth = KINDS[kind]
    n = sizes[0]
    for rate in rates:
        covered, width = measured(draw, n, rate, truth, DRAWS, near_normal=kind.startswith("visual"))
        assert covered >= LEAST - LEAVE, rate
        if kind not in WIDE and (kind, n) not in WIDE:
            assert covered <= MOST + LEAVE, rate
            assert width <= WIDEST + 0.1, rate  # two standard errors of the ideal, a distance of quantiles


def test_rates_stay_within_the_edge() -> None:
    seen: list[float] = []

    def draw(_: np.random.Generator, __: int, rate: float) -> tuple[float, float, float]:
        seen.append(rate)
        return rate + 0.001 * len(seen), 0.0, 1.0

    covered, _ = measured(draw, 50, 0.99, lambda rate: rate, 100, near_normal=False)
    assert covered == 1.0 and 0.98 <= min(seen) < max(seen) <= 1.0
    seen.clear()
    measured(draw, 50, 0.5, lambda rate: rate, 100, near_normal=False)
    assert 0.5 - AROUND <= min(seen) < 0.47 and 0.53 < max(seen) <= 0.5 + AROUND
