"""Gate verdict on each task, and how many items would settle an inconclusive one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mmbench.harness.compare.variation import Variation
from mmbench.harness.statistics.holm import holm, holm_levels
from mmbench.harness.statistics.paired import Paired
from mmbench.harness.statistics.power import needed_beyond, needed_for_margin

Verdict: TypeAlias = Literal["held", "improved", "regressed", "inconclusive", "over_budget"]

_ROUNDING = 1e-9
"""A drop by the margin itself may come out larger by rounding."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdict on one task among others, with what it stands on."""

    verdict: Verdict
    p: float
    """One-sided p-value that it is worse, adjusted."""
    gain: Paired
    levels: tuple[float, float]
    """Levels of the adjusted one-sided tests: that it is better, that it is worse."""

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Interval at the levels of the adjusted tests: it lies below 0 where the adjusted p is below alpha."""
        above, below = (self.gain.ends(1 - 2 * level) for level in self.levels)
        return (above[0] if above else None, below[1] if below else None)


def judge(
    gains: Sequence[Paired], margins: Sequence[float], alpha: float, weights: Sequence[float] | None = None
) -> list[Judged]:
    """Return a verdict for each test of a gate, by how much better the candidate is.

    `regressed`: it is worse by more than the margin, and worse at all with a one-sided p below `alpha`, Holm-adjusted
    over the tests, so that a change of nothing fails at most `alpha` of the time. `improved`: better likewise. `held`:
    the interval of 1 - 2 alpha lies above -margin, which is a test of non-inferiority at `alpha`, and needs no
    adjustment to hold for all of them (Berger 1982). Else `inconclusive`.

    >>> sure, lost = Paired(0.0, -0.004, 0.004, 1.0, 0.5, 1000, 1000), Paired(-0.03, -0.04, -0.02, 1e-5, 5e-6, 900, 900)
    >>> [each.verdict for each in judge([sure, lost], [0.01, 0.01], 0.05)], judge([sure], [0.003], 0.05)[0].verdict
    (['held', 'regressed'], 'inconclusive')
    """
    worse = [gain.p_lower for gain in gains]
    better = [gain.p / 2 if gain.value > 0 else 1 - gain.p / 2 for gain in gains]
    adjusted = [holm(ps, weights).tolist() for ps in (worse, better)]
    levels = [holm_levels(ps, alpha, weights).tolist() for ps in (worse, better)]
    made = []
    for gain, margin, p, p_better, level, level_better in zip(gains, margins, *adjusted, *levels, strict=True):
        verdict = _verdict(gain, margin, p < alpha, p_better < alpha)
        made.append(Judged(verdict, p, gain, (level_better, level)))
    return made


def _verdict(gain: Paired, margin: float, worse: bool, better: bool) -> Verdict:
    if gain.value < -margin - _ROUNDING and worse:
        return "regressed"
    if better:
        return "improved"
    return "held" if gain.low is not None and gain.low > -margin else "inconclusive"


def needed(varying: Variation, gain: Paired, margin: float, alpha: float, tests: int) -> int | None:
    """Return how many items would settle a task with a probability of .8; None where no number does.

    Where the drop is larger than the margin: to find it, as the strictest of `tests`, and to see it beyond the margin.
    Else to show that nothing changed; where there are already that many, to tell the difference that was seen from the
    margin.

    >>> unsure = Paired(0.0, -0.026, 0.026, 1.0, 0.5, 200, 200)
    >>> from mmbench.harness.statistics.power import Discordant
    >>> needed(Variation(Discordant(0.05), 1.0), unsure, 0.01, 0.05, 20)
    3162
    """
    spread = varying.spread
    if gain.value < -margin - _ROUNDING:
        found = needed_beyond(spread, margin, gain.value, alpha=alpha / tests)
    else:
        found = needed_for_margin(spread, margin, alpha=alpha)
        if found is None or found * varying.design_effect <= gain.n:
            seen = gain.value if gain.value + margin > _ROUNDING else -margin
            found = needed_for_margin(spread, margin, seen, alpha=alpha)
    return None if found is None else max(gain.n + 1, math.ceil(found * varying.design_effect))
