"""Gate verdict on each task, and how many items would settle an inconclusive one."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from mmbench.harness.compare.variation import Variation
from mmbench.harness.statistics.holm import holm
from mmbench.harness.statistics.paired import Paired
from mmbench.harness.statistics.power import needed_for_margin, needed_items

Verdict: TypeAlias = Literal["held", "improved", "regressed", "inconclusive", "over_budget"]

_ROUNDING = 1e-9
"""A drop by the margin itself may come out larger by rounding."""


def judge(gains: Sequence[Paired], margins: Sequence[float], alpha: float) -> list[Verdict]:
    """Return a verdict for each task of a gate, by how much better the candidate is, over intervals of 1 - 2 alpha.

    `regressed`: it is worse by more than the margin, and worse at all with a one-sided p below `alpha`, Holm-adjusted
    over the tasks, so that a change of nothing fails at most `alpha` of the time. `improved`: the interval lies above
    0. `held`: it lies above -margin, which is a test of non-inferiority at `alpha`. Else `inconclusive`.

    >>> sure, lost = Paired(0.0, -0.004, 0.004, 1.0, 0.5, 1000, 1000), Paired(-0.03, -0.04, -0.02, 1e-5, 5e-6, 900, 900)
    >>> judge([sure, lost], [0.01, 0.01], 0.05), judge([sure], [0.003], 0.05)
    (['held', 'regressed'], ['inconclusive'])
    """
    adjusted = holm([gain.p_lower for gain in gains]).tolist()
    return [_judge(gain, margin, p, alpha) for gain, margin, p in zip(gains, margins, adjusted, strict=True)]


def _judge(gain: Paired, margin: float, p: float, alpha: float) -> Verdict:
    if gain.value < -margin - _ROUNDING and p < alpha:
        return "regressed"
    if gain.low is not None and gain.low > 0:
        return "improved"
    return "held" if gain.low is not None and gain.low > -margin else "inconclusive"


def needed(varying: Variation, gain: Paired, margin: float, alpha: float, tests: int) -> int | None:
    """Return how many items would settle a task with a probability of .8; None where no number does.

    Where the drop is larger than the margin: to find it, as the strictest of `tests`. Else to show that nothing
    changed; where there are already that many, to tell the difference that was seen from the margin.

    >>> unsure = Paired(0.0, -0.026, 0.026, 1.0, 0.5, 200, 200)
    >>> from mmbench.harness.statistics.power import Discordant
    >>> needed(Variation(Discordant(0.05), 1.0), unsure, 0.01, 0.05, 20)
    3162
    """
    spread = varying.spread
    if -gain.value > margin:
        found = needed_items(spread, gain.value, alpha=alpha / tests, sides=1)
    else:
        found = needed_for_margin(spread, margin, alpha=alpha)
        if found is None or found * varying.design_effect <= gain.n:
            found = needed_for_margin(spread, margin, gain.value, alpha=alpha)
    return None if found is None else max(gain.n + 1, math.ceil(found * varying.design_effect))
