"""Power of a test: the smallest difference that so many items detect, and how many items a smaller one needs.

Every `alpha` is that of one test: of m tests under Holm's adjustment, the level of the strictest, alpha / m.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np

from mmbench.harness.statistics.mcnemar import null_variance

POWER = 0.8
"""How often a test should find what is there."""
_FEW = 60
"""With fewer discordant items than this the normal approximation is off by more than two or three points."""
_MOST_ITEMS = 10**9

Sides: TypeAlias = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class Discordant:
    """Items are right or wrong, and two runs differ on some."""

    share: float
    """Of the items that exactly one run has right. It is never less than the difference of the means."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Items have values of any kind."""

    deviation: float
    """Standard deviation of the per-item differences of two runs."""


Spread: TypeAlias = Discordant | Deviation


def power(spread: Spread, difference: float, n: float, *, alpha: float = 0.05, sides: Sides = 2) -> float:
    """Return how often a true difference of means is found with n independent items.

    Connor 1987 for McNemar's test, and alike for the sign-flip test of other values; summed exactly, for the mid-p,
    where few items are discordant.

    >>> round(power(Discordant(0.05), 0.03, 1000), 3), round(power(Deviation(1.0), 0.0, 100), 3)
    (0.994, 0.05)
    """
    difference = abs(difference)
    if isinstance(spread, Discordant):
        share = max(spread.share, difference)
        if share * n < _FEW:
            return _mid_p_power(share, difference, round(n), alpha / sides, sides)
        return _normal_power(share, difference, n, alpha, sides)
    return _normal_power(spread.deviation**2 + difference**2, difference, n, alpha, sides)


def minimum_detectable(
    spread: Spread, n: float, *, alpha: float = 0.05, sides: Sides = 2, target: float = POWER
) -> float | None:
    """Return the smallest difference that is found with probability `target`; None where none is.

    >>> round(minimum_detectable(Discordant(0.05), 1000), 4), minimum_detectable(Discordant(0.05), 3)
    (0.0195, None)
    """
    low, high = 0.0, 1.0 if isinstance(spread, Discordant) else 100 * spread.deviation
    if power(spread, high, n, alpha=alpha, sides=sides) < target:
        return None
    for _ in range(24):
        middle = (low + high) / 2
        if power(spread, middle, n, alpha=alpha, sides=sides) < target:
            low = middle
        else:
            high = middle
    return high


def needed_items(
    spread: Spread, difference: float, *, alpha: float = 0.05, sides: Sides = 2, target: float = POWER
) -> int | None:
    """Return how many items find a difference with probability `target`; None where no number does.

    >>> needed_items(Discordant(0.05), 0.01), needed_items(Discordant(0.05), 0.0)
    (3923, None)
    """
    if difference == 0:
        return None
    low, high = 0, 1
    while power(spread, difference, high, alpha=alpha, sides=sides) < target:
        low, high = high, 2 * high
        if high > _MOST_ITEMS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if power(spread, difference, middle, alpha=alpha, sides=sides) < target:
            low = middle
        else:
            high = middle
    return high


def needed_for_margin(
    spread: Spread, margin: float, difference: float = 0.0, *, alpha: float = 0.05, target: float = POWER
) -> int | None:
    """Return how many items decide, with probability `target`, on which side of -margin a true difference lies.

    `alpha` is one-sided: .05 where the lower end of a 90 % interval decides, .025 for that of a 95 % one. None where
    the difference lies on the margin itself.

    >>> needed_for_margin(Discordant(0.05), 0.01), needed_for_margin(Discordant(0.0), 0.01)
    (3162, 268)
    """
    away = difference + margin
    if away == 0:
        return None
    if isinstance(spread, Discordant):
        share = max(spread.share, abs(difference))
        null = null_variance(-margin, (share + difference) / 2, (share - difference) / 2)
        variance = share - difference**2
    else:
        null = variance = spread.deviation**2
    normal = NormalDist()
    scaled = normal.inv_cdf(1 - alpha) * math.sqrt(null) + normal.inv_cdf(target) * math.sqrt(variance)
    return max(1, math.ceil((scaled / away) ** 2))


def needed_beyond(
    spread: Spread, margin: float, difference: float, *, alpha: float = 0.05, target: float = POWER
) -> int | None:
    """Return how many items show a drop larger than a margin, with probability `target`; None where no number does.

    The drop must be found by a one-sided test, and be seen to exceed the margin, of which the one that asks more
    decides: a drop just above the margin is seen below it in nearly every second sample.

    >>> needed_beyond(Discordant(0.05), 0.01, -0.03), needed_beyond(Discordant(0.05), 0.01, -0.012)
    (319, 8829)
    """
    found = needed_items(spread, difference, alpha=alpha, sides=1, target=target)
    away = -difference - margin
    if found is None or away <= 0:
        return None
    if isinstance(spread, Discordant):
        variance = max(spread.share, abs(difference)) - difference**2
    else:
        variance = spread.deviation**2
    return max(found, math.ceil((NormalDist().inv_cdf(target) * math.sqrt(variance) / away) ** 2))


def _normal_power(moment: float, difference: float, n: float, alpha: float, sides: Sides) -> float:
    """Return the power of a test that takes `moment`, the mean square of the differences, for their variance."""
    normal = NormalDist()
    shift = difference * math.sqrt(n)
    critical = normal.inv_cdf(1 - alpha / sides) * math.sqrt(moment)
    variance = moment - difference**2
    if variance <= 0:
        return float(shift > critical)
    found = normal.cdf((shift - critical) / math.sqrt(variance))
    return found + (normal.cdf((-shift - critical) / math.sqrt(variance)) if sides == 2 else 0.0)


def _mid_p_power(share: float, difference: float, n: int, level: float, sides: Sides) -> float:
    """Return the power of McNemar's mid-p: over the number of discordant items, and of gains among them."""
    most = min(n, 2 * _FEW)
    numbers = np.arange(most + 1)
    discordant, gains = numbers[:, None], numbers
    possible = gains <= discordant
    losses = np.where(possible, discordant - gains, 0)
    logs = np.concatenate([[0.0], np.cumsum(np.log(numbers[1:]))])
    ways = np.where(possible, np.exp(logs[discordant] - logs[gains] - logs[losses]), 0.0)
    fair = ways * 0.5**discordant
    mid = np.cumsum(fair, axis=1) - fair / 2
    found = mid < level
    if sides == 2:
        found |= mid > 1 - level
    lost = (1 + difference / share) / 2 if share > 0 else 0.5
    given = (ways * (1 - lost) ** gains * lost**losses * found).sum(axis=1)
    share = min(max(share, 1e-300), 1 - 1e-16)  # whose logarithms are finite
    drawn = np.concatenate([[0.0], np.cumsum(np.log((n + 1 - numbers[1:]) / numbers[1:]))])
    chances = np.exp(drawn + numbers * math.log(share) + (n - numbers) * math.log1p(-share))
    return float(chances @ given)
