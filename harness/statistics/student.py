"""Student's distribution: its quantiles, to within rounding."""

import math
from functools import lru_cache
from statistics import NormalDist

from mmbench.harness.statistics.beta import beta_fraction

_NORMAL = 1e6
"""From this freedom on the expansion around the normal quantile is exact to rounding."""


@lru_cache(maxsize=4096)
def student_quantile(p: float, freedom: float) -> float:
    """Return the quantile of Student's distribution, to nine digits; `freedom` need not be whole.

    Newton's method on `student_tail`. Raises ValueError where `freedom` is not positive.

    >>> [round(student_quantile(0.975, freedom), 6) for freedom in (1, 2, 4, 10, 39.5, 1000)]
    [12.706205, 4.302653, 2.776445, 2.228139, 2.021873, 1.962339]
    """
    if freedom <= 0:
        raise ValueError("Student's distribution needs a degree of freedom")
    if p < 0.5:
        return -student_quantile(1 - p, freedom)
    tail = 1 - p
    if tail >= 0.5:
        return 0.0
    x = NormalDist().inv_cdf(p)
    if freedom > _NORMAL:
        return x + (x**3 + x) / (4 * freedom)
    # The tail falls like a power of x, so that steps are taken between logarithms.
    x *= 1 + (x * x + 1) / (4 * freedom)
    for _ in range(100):
        now = student_tail(x, freedom)
        slope = student_density(x, freedom) * x / now
        step = math.log(now / tail) / slope
        x *= math.exp(max(-1.0, min(1.0, step)))
        if abs(step) < 1e-13:
            break
    return x


def student_tail(x: float, freedom: float) -> float:
    """Return the probability of more than `x`, which keeps its digits where it is small.

    >>> round(student_tail(2.0, 5), 6), round(student_tail(-1.0, 1), 6)
    (0.05097, 0.75)
    """
    if x < 0:
        return 1 - student_tail(-x, freedom)
    square = x * x
    if square < freedom:
        return 0.5 - 0.5 * _incomplete_beta(square / (freedom + square), 0.5, freedom / 2)
    return 0.5 * _incomplete_beta(freedom / (freedom + square), freedom / 2, 0.5)


def student_density(x: float, freedom: float) -> float:
    """Return the density at `x`.

    >>> round(student_density(0.0, 1), 6)
    0.31831
    """
    return math.exp(-_log_beta(freedom / 2) - math.log(freedom) / 2 - (freedom + 1) / 2 * math.log1p(x * x / freedom))


def _log_beta(half: float) -> float:
    """Return the logarithm of the beta function of `half` and 1/2."""
    if half < 100:
        return math.lgamma(half) + math.lgamma(0.5) - math.lgamma(half + 0.5)
    # Of large numbers the difference of logarithms loses digits; Tricomi and Erdelyi 1951.
    ratio = 1 - 1 / (8 * half) + 1 / (128 * half**2) + 5 / (1024 * half**3) - 21 / (32768 * half**4)
    return 0.5 * math.log(math.pi / half) - math.log(ratio)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function; one of `a` and `b` is 1/2 (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    log_front = a * math.log(x) + b * math.log1p(-x) - _log_beta(b if a == 0.5 else a) - math.log(a)
    return math.exp(log_front) * beta_fraction(x, a, b)
