"""Per-item variation of the difference between two runs, which determines how many items a comparison needs."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mmbench.harness.compare.difference import Difference
from mmbench.harness.records.measured import Measured
from mmbench.harness.statistics.clusters import effective_size
from mmbench.harness.statistics.power import Deviation, Discordant, Spread


@dataclass(frozen=True, slots=True)
class Variation:
    """Variation of the per-item differences of two runs, from which a needed sample size follows."""

    spread: Spread
    design_effect: float
    """Design effect: number of clustered items worth one independent item."""
    most: float = math.inf
    """Largest difference that there can be."""


def variation(measured: tuple[Measured, Measured], made: Difference, confidence: float) -> Variation | None:
    """Return the variation between two runs; None where no item differs, or there is no interval to tell."""
    a, b = (each.table for each in measured)
    change = made.change
    if change.low is None or change.high is None or made.identical:
        return None
    if measured[0].metric.aggregate is None and np.isin((a, b), (0.0, 1.0)).all():
        moved = (b - a)[:, 0]
        worth = effective_size(moved, measured[0].codes(), confidence)
        return Variation(Discordant(float((moved != 0).mean())), made.gain.n / worth, 1.0) if worth else None
    # An interval knows of the clusters, and of what a corpus metric makes of its statistics.
    reach = (change.high - change.low) / 2 / NormalDist().inv_cdf(0.5 + confidence / 2)
    most = 1.0 if measured[0].metric.proportion else math.inf
    return Variation(Deviation(reach * math.sqrt(made.gain.n)), 1.0, most) if reach > 0 else None
