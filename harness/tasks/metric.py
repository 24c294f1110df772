"""Metric as a value: its printed name is its identity, its aggregate makes corpus scores from per-item statistics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.statistics.estimate import At
from mmbench.harness.statistics.shares import Shares
from mmbench.harness.types import Outcome, Unit

Aggregate: TypeAlias = Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""(n, k) statistics and (b, n) item weights to (b,) values, one a resample."""

Interval: TypeAlias = Callable[[npt.NDArray[np.float64], npt.NDArray[np.intp]], At]
"""(n, k) statistics and (n,) numbers of clusters to the interval at any confidence."""

Counted: TypeAlias = Callable[[npt.NDArray[np.float64]], Shares]
"""(n, k) statistics to what each item adds to a proportion."""

Measure: TypeAlias = Callable[[Sequence[Outcome]], Sequence[float] | Sequence[Sequence[float]]]
"""n outcomes to the value of each, or to its statistics where the metric has an aggregate."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as a value: its name is its identity in tables, files and on the command line."""

    name: str
    """Printed form, for example `accuracy@5`."""
    description: str
    """One sentence with the source."""
    unit: Unit = "item"
    """The outcomes it is made of."""
    higher_is_better: bool | None = True
    """False for ranks and errors; None where neither is better, as of a rate."""
    lowest: float = 0.0
    """Worst possible value where higher is better."""
    best: float | None = 1.0
    """Best possible value; None where there is none to normalise by."""
    proportion: bool = True
    """True when values lie in 0..1, so that a Wilson interval holds for the mean of per-item ones."""
    draws: bool = False
    """True when an item's statistics are its values in several draws (episodes): an interval resamples both."""
    by_scorer: bool = False
    """True when a second model makes the values, so that those of two scorers do not compare."""
    aggregate: Aggregate | None = None
    """None: the mean of per-item values; else a corpus metric made from per-item statistics."""
    among_others: bool = False
    """True when an item's own value depends on the other items: on the words of all references, on a trained probe."""
    shares: Counted | None = None
    """Of a corpus metric that is a proportion, or a rising function of one: what its intervals are made from."""
    varies: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64] | None] | None = None
    """(n, k) statistics to (n,) what the value of a corpus metric loses without each item, where its resamples would
    tell nothing (a number of distinct words); None where the statistics do not hold it."""

    interval: Interval | None = None
    """Of a corpus metric whose resamples are off to one side, as the least of several groups' is: its own interval."""

    smooth: bool = True
    """False of a corpus metric that one item may turn by a leap or round a bend (a threshold, the least of several):
    to compare two runs items are then swapped between them, for leaving them out tells little."""

    measure: Measure | None = None
    """Of a metric that is made of outcomes alone, whatever family they are of; None where the family makes the values.
    It sees no outcome with status `error`."""
    measures: Callable[[Outcome], bool] | None = None
    """Tells whether an outcome has what `measure` needs, where some lack it; with one that does there is no value."""
    remark: Callable[[Sequence[Outcome]], Sequence[str]] | None = None
    """All outcomes to what a reader of the value should know."""
    sure: bool = False
    """True when `measure` reads how sure each choice was: the statistic `sureness` of an outcome."""
    version: int = 1
    """Raised when `measure` would make other values of the same outcomes."""

    @property
    def needs_all(self) -> bool:
        """True when the first items alone would score otherwise than as a part of the whole."""
        # What is sought in a gallery is easier to find in a smaller one.
        return self.aggregate is not None or self.draws or self.among_others or self.unit != "item"
