"""Groups side by side: intervals that hold for all at once, and those of the worst group, of the gap and of the ratio.

The least of several noisy means is too low on average, and no resample knows it: each adds noise to the noise. So the
intervals here are made of those of the groups. The end on the outer side (how low the worst may be, how large the gap)
needs no adjustment, since one pair of groups is the true one, and its own interval holds (intersection-union, Berger
1982). The end on the inner side is adjusted for the groups among which the extreme one was picked, which are those that
may be it by the intervals that hold for all at once (intersection bounds, Chernozhukov, Lee and Rosen 2013). Both err
on the wide side where many groups lie near each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.estimate import At, Estimate
from mmbench.harness.statistics.shares import Shares, share_intervals

MOST = 1000
"""Groups of which pairs are looked at; their number is the square."""


def leasts(scores: Floats) -> Floats:
    """Return (r,) the least of (r, groups) scores, of which some may be nan; nan where all are.

    >>> leasts(np.array([[0.5, 0.9, np.nan], [np.nan, np.nan, np.nan]]))
    array([0.5, nan])
    """
    made = np.where(np.isnan(scores), np.inf, scores).min(axis=1)
    return np.asarray(np.where(made < np.inf, made, np.nan))


def greatests(scores: Floats) -> Floats:
    """Return (r,) the greatest likewise."""
    return -leasts(-scores)


def gaps(scores: Floats) -> Floats:
    """Return (r,) the greatest less the least of (r, groups) scores, of which some may be nan.

    >>> gaps(np.array([[0.5, 0.9, np.nan]]))
    array([0.4])
    """
    return greatests(scores) - leasts(scores)


def ratios(scores: Floats) -> Floats:
    """Return (r,) the least over the greatest of (r, groups) scores; nan where all are 0.

    >>> ratios(np.array([[0.5, 1.0], [0.0, 0.0]]))
    array([0.5, nan])
    """
    most, least = greatests(scores), leasts(scores)
    return np.asarray(np.divide(least, most, out=np.full_like(most, np.nan), where=most > 0))


def together(tests: int, confidence: float = 0.95) -> float:
    """Return the confidence at which each of several intervals is made so that all hold at once (Sidak 1967).

    >>> round(together(1), 4), round(together(20), 4)
    (0.95, 0.9974)
    """
    return math.pow(confidence, 1 / max(1, tests))


def one_side_together(tests: int, confidence: float = 0.95) -> float:
    """Return the confidence of two-sided intervals one of whose sides holds for several tests at once.

    >>> round(one_side_together(1), 4), round(one_side_together(20), 4)
    (0.95, 0.9975)
    """
    return 2 * math.pow(0.5 + confidence / 2, 1 / max(1, tests)) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Scores of k groups, with what their intervals are at any confidence."""

    values: Floats
    """(k,)."""
    ats: Sequence[At]
    """(k,); where an interval is not defined the group may be anything."""
    correlation: Floats | None = None
    """(k, k) of the scores; None where groups share no cluster."""
    lowest: float = -math.inf
    """Below this no score lies."""
    highest: float = math.inf
    _made: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)

    def ends(self, confidence: float) -> tuple[Floats, Floats]:
        """Return (k,) lower and (k,) upper ends, each group's alone."""
        if confidence not in self._made:
            made = [at(confidence) or (self.lowest, self.highest) for at in self.ats]
            low, high = np.array(made, np.float64).T
            self._made[confidence] = (
                np.clip(low, self.lowest, self.values),
                np.clip(high, self.values, self.highest),
            )
        return self._made[confidence]

    def _may_be(self, confidence: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return (k,) which may be the least, and the greatest, by intervals that hold for all at once."""
        low, high = self.ends(together(len(self.values), confidence))
        return low <= high.min(), high >= low.max()

    def least(self, confidence: float = 0.95) -> Estimate:
        """Return the least score with its interval.

        >>> from mmbench.harness.statistics.wilson import wilson
        >>> ats = [lambda c, right=right: wilson(right, 100, c) for right in (50, 90)]
        >>> made = Groups(np.array([0.5, 0.9]), ats, lowest=0.0, highest=1.0).least()
        >>> [round(end, 4) for end in (made.low, made.high)] == [round(end, 4) for end in wilson(50, 100)]  # surely it
        True
        """
        may, _ = self._may_be(confidence)
        low, _ = self.ends(confidence)
        _, high = self.ends(one_side_together(int(may.sum()), confidence))
        return Estimate(float(self.values.min()), float(low.min()), float(high[may].min()))

    def greatest(self, confidence: float = 0.95) -> Estimate:
        """Return the greatest score with its interval."""
        _, may = self._may_be(confidence)
        _, high = self.ends(confidence)
        low, _ = self.ends(one_side_together(int(may.sum()), confidence))
        return Estimate(float(self.values.max()), float(low[may].max()), float(high.max()))

    def gap(self, confidence: float = 0.95) -> Estimate:
        """Return the greatest less the least score with its interval, which begins at 0 at the least.

        Of each pair the interval of the difference is joined from those of both (Newcombe 1998; with the correlation
        of groups that share clusters Zou 2007).
        """
        if len(self.values) < 2:
            return Estimate(0.0, None, None)
        _, high = self._differences(confidence)
        low, _ = self._differences(one_side_together(int(self._pairs(confidence).sum()), confidence))
        value = float(self.values.max() - self.values.min())
        reach = high[~np.eye(len(high), dtype=bool)].max()
        return Estimate(value, float(low[self._pairs(confidence)].max(initial=0.0)), float(max(value, reach)))

    def ratio(self, confidence: float = 0.95) -> Estimate | None:
        """Return the least over the greatest score, of scores that are never negative; None where all are 0.

        Of each pair the interval of the ratio is joined from those of both (Donner and Zou 2012).
        """
        best = float(self.values.max())
        if best <= 0 or len(self.values) < 2:
            return None
        low, _ = self._ratios(confidence)
        _, high = self._ratios(one_side_together(int(self._pairs(confidence).sum()), confidence))
        value = float(self.values.min()) / best
        apart = ~np.eye(len(low), dtype=bool)
        reach = high[self._pairs(confidence).T].min(initial=1.0)
        return Estimate(value, float(min(value, low[apart].min())), float(max(value, reach)))

    def _pairs(self, confidence: float) -> npt.NDArray[np.bool_]:
        """Return (k, k) whether the group of the row may be the greatest and that of the column the least."""
        least, greatest = self._may_be(confidence)
        return greatest[:, None] & least[None, :] & ~np.eye(len(least), dtype=bool)

    def _alike(self) -> Floats:
        return np.eye(len(self.values)) if self.correlation is None else self.correlation

    def _differences(self, confidence: float) -> tuple[Floats, Floats]:
        """Return (k, k) lower and upper ends of the row's score less the column's."""
        low, high = self.ends(confidence)
        down, up = self.values - low, high - self.values
        between = self.values[:, None] - self.values[None, :]
        return between - _joined(down, up, self._alike()), between + _joined(up, down, self._alike())

    def _ratios(self, confidence: float) -> tuple[Floats, Floats]:
        """Return (k, k) lower and upper ends of the row's score over the column's."""
        low, high = self.ends(confidence)
        top, below = self.values[:, None], self.values[None, :]
        return (
            _ratio_end(top, below, low[:, None], high[None, :], self._alike(), -1.0),
            _ratio_end(top, below, high[:, None], low[None, :], self._alike(), 1.0),
        )


def _joined(mine: Floats, theirs: Floats, alike: Floats) -> Floats:
    """Return (k, k) how far a difference reaches, of (k,) reaches of the row and the opposite ones of the column."""
    with np.errstate(invalid="ignore"):
        both = mine[:, None] ** 2 + theirs[None, :] ** 2 - 2 * alike * mine[:, None] * theirs[None, :]
    both = np.where(np.isfinite(mine[:, None]) & np.isfinite(theirs[None, :]), both, np.inf)
    return np.asarray(np.sqrt(np.maximum(both, 0.0)))


def _ratio_end(top: Floats, below: Floats, end: Floats, other: Floats, alike: Floats, side: float) -> Floats:
    """Return the lower (-1) or upper (1) ends of ratios, of an end of the numerator and the opposite of the divisor."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # ends of what has no bound
        middle = top * below + alike * (top - end) * (below - other)
        over = other * (2 * below - other)
        inner = np.maximum(middle**2 - end * (2 * top - end) * over, 0.0)
        made = np.where(
            np.abs(over) > 1e-12,
            (middle + side * np.sqrt(inner)) / over,
            np.where(middle > 0, end * (2 * top - end) / (2 * middle), math.inf if side > 0 else 0.0),
        )
    return np.asarray(np.nan_to_num(made, nan=math.inf if side > 0 else 0.0, posinf=math.inf))


def correlation(values: Floats, groups: npt.NDArray[np.intp], clusters: npt.NDArray[np.intp]) -> Floats | None:
    """Return the (k, k) correlation of the means of k groups, of (n,) values; None where no cluster has items of two.

    >>> alike = correlation(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))
    >>> alike.round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    count = int(groups.max()) + 1
    cells, place = np.unique(clusters.astype(np.int64) * count + groups, return_inverse=True)
    owners, columns = np.divmod(cells, count)
    shared_by, row = np.unique(owners, return_inverse=True)
    if len(shared_by) == len(cells):
        return None
    sizes = np.bincount(groups, minlength=count)
    means = np.bincount(groups, values, minlength=count) / np.maximum(sizes, 1)
    sums = np.bincount(place, (values - means[groups]) / sizes[groups])
    table = np.zeros((len(shared_by), count))
    table[row, columns] = sums
    shared = np.einsum("ci,cj->ij", table, table)
    scale = np.sqrt(np.diag(shared))
    made = np.divide(shared, np.outer(scale, scale), out=np.zeros_like(shared), where=np.outer(scale, scale) > 0)
    np.fill_diagonal(made, 1.0)
    return np.asarray(np.clip(made, -1.0, 1.0))


def groups_of_shares(values: Floats, groups: npt.NDArray[np.intp], clusters: npt.NDArray[np.intp]) -> Groups:
    """Return the groups of (n,) values in 0 to 1, `groups` being the 0-based number of each value's group."""
    rows = [np.flatnonzero(groups == i) for i in range(int(groups.max()) + 1)]
    means = np.array([values[row].mean() for row in rows])
    ats = [share_intervals(Shares(values[row], np.ones(len(row))), clusters[row]) for row in rows]
    return Groups(means, ats, correlation(values, groups, clusters), 0.0, 1.0)
