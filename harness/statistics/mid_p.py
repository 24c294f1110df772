"""Mid-p interval of a proportion: for levels beyond 95 %, where Wilson's leaves out too much near 0 and 1."""

import math

from mmbench.harness.statistics.beta import beta_fraction
from mmbench.harness.statistics.wilson import wilson

_WILSON = 0.95
"""Up to this confidence Wilson's interval is the better one, beyond it misses too often on one side."""


def proportion_interval(successes: float, n: float, confidence: float) -> tuple[float, float]:
    """Return the interval of a proportion at any confidence. Raises ValueError where there are no items.

    Beyond 95 % it is the mid-p interval, and never shorter than Wilson's of 95 %.
    """
    low, high = wilson(successes, n, min(confidence, _WILSON))
    if confidence <= _WILSON:
        return low, high
    surer = mid_p_interval(successes, n, confidence)
    return min(low, surer[0]), max(high, surer[1])


def mid_p_interval(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of all proportions that a mid-p test does not reject (Berry and Armitage 1995).

    Tails are those of the binomial distribution itself, with half of what was seen, where Wilson's are normal ones: of
    twenty groups judged at once, each at .9974, Wilson's hold together in .90 of draws at a rate of .95. Counts need
    not be whole, for those of clustered items are scaled to an effective n. Raises ValueError where there are none.

    >>> [round(end, 4) for end in mid_p_interval(0, 20)], [round(end, 4) for end in mid_p_interval(7, 21)]
    ([0.0, 0.1391], [0.159, 0.551])
    """
    if n <= 0:
        raise ValueError("an interval needs items")
    tail = (1 - confidence) / 2
    low = 0.0 if successes <= 0 else _root(successes, n, tail)
    high = 1.0 if successes >= n else 1 - _root(n - successes, n, tail)
    return low, high


def _root(successes: float, n: float, tail: float) -> float:
    """Return the proportion at which so many successes or more, of the number itself half, have this probability.

    Newton's method between the logarithms of the probability and of the odds, in a bracket.
    """
    low, high = -700.0, 700.0
    goal = math.log(tail)
    share = (successes + 0.5) / (n + 1)
    at = math.log(share / (1 - share)) - 2 / math.sqrt(n * share * (1 - share) + 1)
    ways = math.lgamma(n + 1) - math.lgamma(successes + 1) - math.lgamma(n - successes + 1)
    for _ in range(200):
        p = 1 / (1 + math.exp(-at)) if at > 0 else math.exp(at) / (1 + math.exp(at))
        seen = math.exp(ways + successes * math.log(p) + (n - successes) * math.log1p(-p)) if 0 < p < 1 else 0.0
        held = beta_share(p, successes, n - successes + 1) - seen / 2
        miss = (math.log(held) if held > 0 else -math.inf) - goal
        low, high = (at, high) if miss < 0 else (low, at)
        # How fast the logarithm of `held` rises with that of the odds: both tails are known by what lies between them.
        slope = seen * (successes * (1 - p) + (n - successes) * p) / 2 / held if held > 0 else 0.0
        following = at - miss / slope if slope > 0 and math.isfinite(miss) else low
        if not low <= following <= high:
            following = (low + high) / 2
        step, at = abs(following - at), following
        if step < 1e-7:  # the next one would be of the size of its square
            break
    return 1 / (1 + math.exp(-at))


def beta_share(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function for 0 < x < 1.

    >>> round(beta_share(0.3, 2, 3), 4)  # two heads or more of four
    0.3483
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(1 - x, b, a)
    return math.exp(_log_front(x, a, b)) / a * beta_fraction(x, a, b)


def _log_front(x: float, a: float, b: float) -> float:
    return a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
