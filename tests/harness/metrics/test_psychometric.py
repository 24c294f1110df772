"""Psychometric fits: equal to an optimiser of SciPy and to figures of psignifit; intervals cover; none beyond."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmbench import metrics
from mmbench.harness.metrics.psychometric import Interval, Intervals, PsychometricFit
from mmbench.harness.metrics.sigmoids import SIGMOIDS
from tests.lazy import optimize, stats

Read = Callable[[str], Any]
NONE = Interval(0, 0)


def function(sigmoid: str, threshold: float, width: float, lapse: float, guess: float) -> PsychometricFit:
    return PsychometricFit(threshold, width, lapse, guess, Intervals(NONE, NONE, NONE), sigmoid, "")


TRUE = function("logistic", 0.2, 2.0, 0.02, 0.25)
LEVELS = np.linspace(-2, 2, 8)


def test_sigmoids_are_those_of_the_reference(reference: Read) -> None:
    for case in reference("psychometric")["sigmoid_values"]:
        made = function(*(case[name] for name in ("sigmoid", "threshold", "width", "lapse", "guess")))
        assert np.allclose(made(case["x"]), case["expected"], rtol=0, atol=1e-12)


def test_fits_are_those_of_the_reference(reference: Read) -> None:
    for case in reference("psychometric")["fits"]:
        levels, right, total = np.transpose(case["data"])
        call, expected = case["call"], case["expected"]["MAP"]
        kinds = {"2AFC": 0.5, "nAFC": 1 / call.get("experiment_choices", 2), "yes/no": None, "equal asymptote": "lapse"}
        made = metrics.fit_psychometric(levels, right, total, kinds[call["experiment_type"]], call["sigmoid"])
        # Those come from a grid with overdispersion; 1 % of the width is their own tolerance, and these are nearer.
        assert made.threshold == pytest.approx(expected["threshold"], abs=2e-3 * expected["width"])
        assert made.width == pytest.approx(expected["width"], rel=2e-3)
        assert made.lapse == pytest.approx(expected["lambda"], abs=1e-4)
        assert made.guess == pytest.approx(expected["gamma"], abs=1e-3)
        for name in ("threshold", "width"):
            low, high = made.intervals[name]
            assert low < getattr(made, name) < high
            reached = case["expected"]["ci95"][name]  # of a posterior, hence alike and no more
            assert low < reached[1]
            assert high > reached[0]


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_a_sigmoid_has_its_threshold_width_and_slope(sigmoid: str) -> None:
    made = function(sigmoid, 3.0, 1.5, 0.0, 0.0)
    assert made([3.0]) == pytest.approx([0.5])
    low, high = (optimize.brentq(lambda x, at=at: float(made(x)) - at, -20, 20) for at in (0.05, 0.95))
    assert high - low == pytest.approx(1.5)
    z = np.linspace(-4, 3, 50)
    slopes = (SIGMOIDS[sigmoid].value(z + 1e-6) - SIGMOIDS[sigmoid].value(z - 1e-6)) / 2e-6
    assert np.allclose(SIGMOIDS[sigmoid].slope(z), slopes, atol=1e-8)
    assert np.isfinite(made([-1e9, 1e9])).all()


@pytest.mark.parametrize("guess", [0.25, None, "lapse"])
@pytest.mark.parametrize("sigmoid", ["logistic", "gumbel"])
def test_no_point_is_likelier(guess: Any, sigmoid: str) -> None:
    draw = np.random.default_rng(5)
    right = draw.binomial(50, TRUE(LEVELS))
    made = metrics.fit_psychometric(LEVELS, right, 50, guess, sigmoid)
    ways = stats.binom.logpmf(right, 50, 0.5).sum() - 8 * 50 * math.log(0.5)  # the part that no chance changes

    def depth(at: Any) -> float:
        lapse = at[2]
        base = 0.25 if guess == 0.25 else lapse if guess == "lapse" else at[3]
        if not (0 <= lapse <= 0.1 and 0 <= base <= 0.5):
            return 1e9
        chance = function(sigmoid, at[0], math.exp(at[1]), lapse, base)(LEVELS)
        rates = 9 * math.log1p(-lapse) + (0 if guess == 0.25 else 9 * math.log1p(-base))
        chance = np.clip(chance, 1e-12, 1 - 1e-12)
        return float(-ways - (right * np.log(chance) + (50 - right) * np.log1p(-chance)).sum() - rates)

    found = [made.threshold, math.log(made.width), made.lapse, made.guess]
    starts = [[t, u, 0.02, 0.2] for t in (-1.0, 0.0, 1.0) for u in (0.0, 1.0)]
    best = min(optimize.minimize(depth, start, method="Nelder-Mead", options={"maxiter": 4000}).fun for start in starts)
    assert depth(found) <= best + 1e-6
    inside = [
        optimize.minimize(lambda rest, t=t: depth([t, *rest]), found[1:], method="Nelder-Mead", tol=1e-9).fun
        for t in made.intervals.threshold
    ]
    assert inside == pytest.approx([depth(found) + 1.920729] * 2, abs=0.02)


@pytest.mark.long
def test_intervals_cover() -> None:
    draw = np.random.default_rng(0)
    covered = np.zeros(2)
    for _ in range(40):
        made = metrics.fit_psychometric(LEVELS, draw.binomial(60, TRUE(LEVELS)), 60, 0.25)
        for i, (name, value) in enumerate((("threshold", 0.2), ("width", 2.0))):
            covered[i] += made.intervals[name].low <= value <= made.intervals[name].high
    assert covered.min() >= 34  # of 40; fewer than one in 1,000 such draws at 95 %


def test_nothing_is_told_beyond_the_levels() -> None:
    easy = metrics.fit_psychometric(LEVELS, [60] * 8, 60, 0.25)
    assert easy.note == "below the lowest level"
    assert math.isnan(easy.threshold)
    assert easy.intervals.threshold.low == -math.inf
    assert easy.intervals.threshold.high < 0
    for right in ([15] * 8, [0] * 8):
        hard = metrics.fit_psychometric(LEVELS, right, 60, 0.25)
        assert hard.note == "not reached"
        assert hard.intervals["threshold"].high == math.inf
    for wall in ([0, 0, 0, 0, 60, 60, 60, 60], [15, 15, 15, 15, 60, 60, 60, 60]):  # a jump from one level to the next
        made = metrics.fit_psychometric(LEVELS, wall, 60, 0.25)
        assert LEVELS[3] < made.threshold < LEVELS[4]
        assert made.intervals.width.low == 0
        low, high = made.intervals.threshold
        assert high - low > 0.7 * (LEVELS[4] - LEVELS[3])  # anywhere between


def test_units_and_lists_do_not_matter() -> None:
    right = [3, 5, 9, 14, 20, 28, 30, 30]
    plain = metrics.fit_psychometric(LEVELS, right, 30, 0.1)
    for scale, shift in ((1e-6, 0.0), (1e6, 5e6)):
        moved = metrics.fit_psychometric((scale * LEVELS + shift).tolist(), np.float32(right), [30] * 8, 0.1)
        assert moved.threshold == pytest.approx(scale * plain.threshold + shift, rel=1e-5)
        assert moved.width == pytest.approx(scale * plain.width, rel=1e-5)
    order = np.random.default_rng(0).permutation(8)
    mixed = metrics.fit_psychometric(LEVELS[order], np.array(right)[order], 30, 0.1)
    assert mixed.threshold == pytest.approx(plain.threshold, rel=1e-6)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.fit_psychometric([1, 2], [3, 5], [4, 4], 0.5), "0 <= right <= total"),
    (lambda: metrics.fit_psychometric([1, 2], [0.5, 1], [1, 1], 0.5), "whole numbers"),
    (lambda: metrics.fit_psychometric([1, 2], [0, 0], [0, 1], 0.5), "total >= 1"),
    (lambda: metrics.fit_psychometric([1, 1], [1, 2], [4, 4], 0.5), "answers at two levels or more"),
    (lambda: metrics.fit_psychometric([1, 2], [1], [4, 4], 0.5), "the lists differ in length"),
    (lambda: metrics.fit_psychometric([1, np.nan], [1, 2], [4, 4], 0.5), "levels hold NaN"),
    (lambda: metrics.fit_psychometric([1, 2], [40, 1], [40, 40], 0.5), "give the negatives of the levels"),
    (lambda: metrics.fit_psychometric([1, 2], [1, 2], [4, 4], 1.5), "guess is a number from 0 to 0.99, not 1.5"),
    (lambda: metrics.fit_psychometric([1, 2], [1, 2], [4, 4], 0.5, "probit"), "sigmoid is logistic, norm"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        call()
    assert reason in str(caught.value)
