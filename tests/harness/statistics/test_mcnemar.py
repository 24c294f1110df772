"""McNemar's tests agree with SciPy and published tables; Tango's interval with a search of the likelihood."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binom

from mmbench.harness.statistics.mcnemar import mcnemar_mid, mcnemar_mid_lower, tango_interval

COUNTS = [(0, 0), (1, 0), (0, 5), (3, 3), (7, 1), (40, 61), (512, 488), (3000, 3300)]


@pytest.mark.parametrize(("gains", "losses"), COUNTS)
def test_the_mid_p_counts_half_of_what_was_seen(gains: int, losses: int) -> None:
    m = gains + losses
    expected = binom.cdf(gains, m, 0.5) - binom.pmf(gains, m, 0.5) / 2
    assert mcnemar_mid_lower(gains, losses) == pytest.approx(expected, rel=1e-9)
    assert mcnemar_mid_lower(gains, losses) + mcnemar_mid_lower(losses, gains) == pytest.approx(1.0)
    assert mcnemar_mid(gains, losses) == pytest.approx(2 * min(expected, 1 - expected), rel=1e-9)


def test_published_examples() -> None:
    """Fagerland, Lydersen and Laake 2013 (tests) and 2014 (intervals): Bentur et al. 2009 and Cavo et al. 2012."""
    assert round(mcnemar_mid(1, 7), 3) == 0.039
    assert round(mcnemar_mid(6, 16), 4) == 0.0347
    assert tango_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)
    # scoreci.mp(25, 28, 618, 0.9) of the R package PropCIs 0.3
    assert tango_interval(28, 25, 618, 0.9) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


@pytest.mark.parametrize(("gains", "losses", "n"), [(1, 7, 21), (12, 2, 50), (0, 0, 30), (0, 9, 100), (300, 280, 5000)])
def test_tango_is_the_score_test_inverted(gains: int, losses: int, n: int) -> None:
    def score(difference: float) -> float:
        def surprise(lost: float) -> float:
            cells = (difference + lost, lost, 1 - difference - 2 * lost)
            seen = (gains, losses, n - gains - losses)
            return -sum(k * math.log(max(q, 1e-300)) for k, q in zip(seen, cells, strict=True) if k)

        ends = (max(0.0, -difference), (1 - difference) / 2)
        lost = minimize_scalar(surprise, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
        return (gains - losses - n * difference) / math.sqrt(n * (2 * lost + difference * (1 - difference)))

    low, high = tango_interval(gains, losses, n)
    observed = (gains - losses) / n
    assert low == pytest.approx(brentq(lambda d: score(d) - 1.959964, -0.999, observed - 1e-9), abs=2e-5)
    assert high == pytest.approx(brentq(lambda d: score(d) + 1.959964, observed + 1e-9, 0.999), abs=2e-5)


def test_ends_hold_the_difference_and_mirror_each_other() -> None:
    for gains, losses, n in [(0, 0, 1), (1, 0, 1), (0, 10, 10), (3, 4, 1000), (0.4, 2.2, 37.5)]:
        low, high = tango_interval(gains, losses, n)
        assert -1 <= low <= (gains - losses) / n <= high <= 1
        assert tango_interval(losses, gains, n) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize(("n", "discordant"), [(50, 0.1), (50, 0.3), (200, 0.05)])
def test_it_covers_over_all_outcomes(n: int, discordant: float) -> None:
    gained, lost = 0.3 * discordant, 0.7 * discordant
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    covered = total = 0.0
    for gains in range(min(n, 30)):
        for losses in range(min(n, 30) - gains):
            rest = n - gains - losses
            chance = math.exp(
                logs[n]
                - logs[gains]
                - logs[losses]
                - logs[rest]
                + gains * math.log(gained)
                + losses * math.log(lost)
                + rest * math.log(1 - discordant)
            )
            low, high = tango_interval(gains, losses, n)
            total += chance
            covered += chance * (low <= gained - lost <= high)
    assert total == pytest.approx(1, abs=0.002)
    assert covered >= 0.94
