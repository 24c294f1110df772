"""What power.py promises is what the tests of discordant.py and permutation.py find in simulated runs."""

import math

import numpy as np
import pytest

from mmbench.harness.statistics.mcnemar import mcnemar_mid, mcnemar_mid_lower, tango_interval
from mmbench.harness.statistics.permutation import sign_flip
from mmbench.harness.statistics.power import (
    Deviation,
    Discordant,
    Sides,
    minimum_detectable,
    needed_beyond,
    needed_for_margin,
    needed_items,
    power,
)

DRAWS = 2000


def simulated(share: float, difference: float, n: int, alpha: float, sides: Sides) -> float:
    """Return the share of runs in which a drop by `difference` is found."""
    rng = np.random.default_rng(0)
    cells = [(share - difference) / 2, (share + difference) / 2, 1 - share]
    counts, times = np.unique(rng.multinomial(n, cells, size=DRAWS)[:, :2], axis=0, return_counts=True)
    p = mcnemar_mid if sides == 2 else mcnemar_mid_lower
    return (
        sum(t for (gains, losses), t in zip(counts, times, strict=True) if p(int(gains), int(losses)) < alpha) / DRAWS
    )


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 20])
@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3])
def test_the_smallest_difference_is_found_as_often_as_promised(
    share: float, n: int, alpha: float, sides: Sides
) -> None:
    smallest = minimum_detectable(Discordant(share), n, alpha=alpha, sides=sides)
    assert smallest is not None
    assert simulated(max(share, smallest), smallest, n, alpha, sides) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(("share", "difference"), [(0.05, 0.0), (0.05, 0.01), (0.05, 0.03), (0.2, 0.05)])
def test_power_is_that_of_the_test(share: float, difference: float) -> None:
    assert power(Discordant(share), difference, 600) == pytest.approx(
        simulated(share, difference, 600, 0.05, 2), abs=0.03
    )


def test_power_is_that_of_flipped_signs() -> None:
    rng = np.random.default_rng(0)
    smallest = minimum_detectable(Deviation(0.3), 100)
    assert smallest is not None
    found = np.mean([sign_flip(rng.normal(smallest, 0.3, 100)) < 0.05 for _ in range(150)])
    assert found == pytest.approx(0.8, abs=0.05 + 2 * math.sqrt(0.16 / 150))


@pytest.mark.parametrize("spread", [Discordant(0.05), Discordant(0.4), Deviation(0.3)])
def test_items_differences_and_power_agree(spread: Discordant | Deviation) -> None:
    n = needed_items(spread, -0.03, alpha=0.01, sides=1, target=0.9)
    assert n is not None
    assert power(spread, 0.03, n, alpha=0.01, sides=1) >= 0.9 > power(spread, 0.03, n - 1, alpha=0.01, sides=1)
    assert minimum_detectable(spread, n, alpha=0.01, sides=1, target=0.9) == pytest.approx(0.03, rel=0.01)


def test_the_exact_sum_meets_the_normal_approximation() -> None:
    for difference in (0.01, 0.02, 0.03):
        few, many = (power(Discordant(0.06), difference, n) for n in (999, 1001))
        assert few == pytest.approx(many, abs=0.02)


def test_what_cannot_be_told() -> None:
    assert minimum_detectable(Discordant(0.1), 4) is None
    assert minimum_detectable(Discordant(0.1), 5, sides=1) is not None
    assert minimum_detectable(Deviation(0.0), 100) is None
    assert needed_items(Deviation(1.0), 0.0) is None
    assert needed_items(Deviation(1.0), 1e-9) is None
    assert needed_for_margin(Discordant(0.05), 0.01, -0.01) is None


@pytest.mark.parametrize(("share", "difference"), [(0.05, 0.0), (0.02, 0.002), (0.1, -0.004)])
def test_a_margin_is_decided_as_often_as_promised(share: float, difference: float) -> None:
    n = needed_for_margin(Discordant(share), 0.01, difference)
    assert n is not None
    cells = [(share + difference) / 2, (share - difference) / 2, 1 - share]
    counts = np.random.default_rng(0).multinomial(n, cells, size=400)[:, :2]
    held = np.mean([tango_interval(int(g), int(lost), n, confidence=0.9)[0] > -0.01 for g, lost in counts])
    assert held == pytest.approx(0.8, abs=0.05 + 2 * math.sqrt(0.16 / 400))


def test_a_margin_of_other_values_is_that_of_the_normal_test() -> None:
    assert needed_for_margin(Deviation(1.0), 0.1) == math.ceil(((1.6448536 + 0.8416212) / 0.1) ** 2)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 20])
@pytest.mark.parametrize("drop", [0.0105, 0.0115, 0.013, 0.02, 0.04])
def test_a_drop_beyond_the_margin_is_seen_beyond_it(drop: float, alpha: float) -> None:
    spread = Discordant(0.05)
    n = needed_beyond(spread, 0.01, -drop, alpha=alpha)
    assert n is not None
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n, [(0.05 - drop) / 2, (0.05 + drop) / 2, 0.95], size=4000)[:, :2]
    kinds, times = np.unique(counts, axis=0, return_counts=True)
    found = [(up - down) / n < -0.01 and mcnemar_mid_lower(int(up), int(down)) < alpha for up, down in kinds.tolist()]
    assert times @ found / times.sum() == pytest.approx(0.8, abs=0.03)
    assert needed_beyond(spread, 0.01, -0.01) is None
