"""Wilson score interval of a proportion: what a score of so many items can and cannot tell."""

import math
from statistics import NormalDist


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (Wilson 1927).

    For per-item values between 0 and 1 that are not all 0 or 1 (expected hits under ties) it is conservative, since
    no such mean has a larger variance than a proportion. `n` may be what clustered items are worth, less than 1 where
    they tell next to nothing. Raises ValueError when it is 0.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    >>> wilson(0, 10)[0], wilson(10, 10)[1]
    (0.0, 1.0)
    """
    if n <= 0:
        raise ValueError("an interval needs items")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes <= 0 else (centre - spread) / scale
    high = 1.0 if successes >= n else (centre + spread) / scale
    return max(0.0, low), min(1.0, high)
