"""McNemar's test and Tango's interval of two runs: only the items on which they disagree tell them apart."""

import math
from statistics import NormalDist

import numpy as np

_HALVINGS = 60
"""Of an interval two wide: to within rounding."""
_LEAST = 5e-324
"""The smallest number above 0: no p is 0."""


def mcnemar_mid(gains: int, losses: int) -> float:
    """Return the two-sided mid-p of McNemar's test (Fagerland, Lydersen and Laake 2013).

    `gains` and `losses` count the items that only the second and only the first run has right. The p of the exact test
    exceeds it. It is 1 where there are as many gains as losses, and never 0.

    >>> round(mcnemar_mid(1, 7), 6)  # Bentur et al. 2009, in Fagerland, Lydersen and Laake 2013
    0.039062
    >>> round(mcnemar_mid(400, 0) / 2.0**-400, 9)
    1.0
    """
    return min(1.0, 2 * mcnemar_mid_lower(min(gains, losses), max(gains, losses)))


def mcnemar_mid_lower(gains: int, losses: int) -> float:
    """Return the one-sided mid-p against the second run being no worse: small where losses prevail.

    >>> [round(mcnemar_mid_lower(*counts), 6) for counts in ((1, 7), (7, 1), (0, 0))]
    [0.019531, 0.980469, 0.5]
    """
    if gains > losses:
        return 1 - mcnemar_mid_lower(losses, gains)
    tosses = gains + losses
    # From the largest term down: each is a share of the one before it, and the sum keeps its digits however small.
    heads = np.arange(gains, 0, -1)
    shares = np.cumprod(heads / (tosses + 1 - heads))
    below = 0.5 + float(shares.sum())
    log_most = math.lgamma(tosses + 1) - math.lgamma(gains + 1) - math.lgamma(losses + 1) - tosses * math.log(2)
    return max(_LEAST, min(1.0, math.exp(log_most + math.log(below))))


def tango_interval(gains: float, losses: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of the difference (gains - losses) / n of paired proportions (Tango 1998).

    Counts need not be whole, for those of clustered items are scaled to an effective n. It misses about as often on
    either side. That of Bonett and Price 2012 is narrower where few items differ, but where nearly all of those are
    losses its lower end, on which a gate stands, is too high in up to 4.5 % of cases instead of 2.5 % (n = 50 to 1000,
    0.5 to 30 % discordant, enumerated).

    >>> [round(end, 4) for end in tango_interval(7, 1, 21)]  # Fagerland, Lydersen and Laake 2014
    [0.026, 0.5172]
    >>> [round(end, 4) for end in tango_interval(0, 0, 1000)]
    [-0.0038, 0.0038]
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    difference = (gains - losses) / n

    def root(low: float, high: float, level: float) -> float:
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if _tango_score(middle, gains, losses, n) > level:  # the score falls from low to high
                low = middle
            else:
                high = middle
        return (low + high) / 2

    return root(-1.0, difference, z), root(difference, 1.0, -z)


def _tango_score(difference: float, gains: float, losses: float, n: float) -> float:
    """Return how many standard errors the observed difference is above an assumed one."""
    above = gains - losses - n * difference
    variance = n * null_variance(difference, gains / n, losses / n)
    return above / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, above)


def null_variance(difference: float, gained: float, lost: float) -> float:
    """Return the variance of one item's change where `difference` is the true mean and such shares were seen (Tango).

    >>> round(null_variance(0.0, 0.03, 0.01), 4), round(null_variance(-0.01, 0.0, 0.0), 4)
    (0.04, 0.0099)
    """
    # The share of losses that is most likely then solves a quadratic equation.
    b = (2 - gained + lost) * difference - gained - lost
    c = -lost * difference * (1 - difference)
    likely = (math.sqrt(max(0.0, b * b - 8 * c)) - b) / 4
    return 2 * likely + difference * (1 - difference)
