"""Continued fraction of the incomplete beta function, which Student's and the binomial distribution stand on."""

import math

_STEPS = 200
"""It needs as many as the square root of the larger parameter, about."""


def beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of DLMF 8.17.22, by Lentz's method; it converges for x <= (a + 1) / (a + b + 2).

    >>> round(0.3**2 * 0.7**3 / 2 * 12 * beta_fraction(0.3, 2, 3), 4)  # two heads or more of four
    0.3483
    """
    tiny = 1e-300
    first = 1 - (a + b) * x / (a + 1)
    c, d = 1.0, 1 / (first if abs(first) > tiny else tiny)  # one cannot divide by 0
    fraction = d
    for m in range(1, _STEPS + int(10 * math.sqrt(max(a, b)))):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            below, c = 1 + term * d, 1 + term / c
            d = 1 / (below if abs(below) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return fraction
