"""Psychometric functions: how likely a right answer is at each level of a stimulus, fitted by likelihood.

psi(x) = guess + (1 - guess - lapse) S(x), with S(threshold) = 0.5 and the width from S = 0.05 to S = 0.95.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import number, numbers, one_of, same_length, vector
from mmbench.harness.metrics.sigmoids import SIGMOIDS
from mmbench.harness.numerics.arrays import Floats

DROP = 1.920729
"""How far the log-likelihood falls to the ends of a 95 % interval: half the quantile of chi square with one degree."""

RATE_PRIOR = 9.0
"""Lapses, and guesses where they are fitted, have the density of (1 - rate)^9, which is Beta(1, 10)."""

T, U, LAPSE, GUESS = range(4)
"""Parameters of a fit: threshold, logarithm of the width, rates."""


class Interval(NamedTuple):
    """Ends of a 95 % interval; infinite where the data set none."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """The interval of each parameter, also by name: `intervals["threshold"]`."""

    threshold: Interval
    width: Interval
    lapse: Interval

    def __getitem__(self, name: str) -> Interval:
        return {"threshold": self.threshold, "width": self.width, "lapse": self.lapse}[name]


@dataclass(frozen=True, slots=True)
class PsychometricFit:
    """A fitted psychometric function."""

    threshold: float
    """Level at S = 0.5, midway between guess and 1 - lapse; nan where it is not among the levels shown."""
    width: float
    """Distance of the levels at S = 0.05 and S = 0.95; nan without a threshold."""
    lapse: float
    """Share of wrong answers however easy the level is; nan without a threshold."""
    guess: float
    """Share of right answers however hard the level is, as given or fitted."""
    intervals: Intervals
    """95 % intervals, by profile likelihood."""
    sigmoid: str
    note: str
    """Empty, or why there is no threshold: `below the lowest level` or `not reached`."""

    def __call__(self, levels: npt.ArrayLike) -> Floats:
        """Return the probability of a right answer at each level."""
        shape = SIGMOIDS[self.sigmoid]
        at = (np.asarray(levels, np.float64) - self.threshold) / self.width
        return np.asarray(self.guess + (1 - self.guess - self.lapse) * shape.value(shape.steepness * at + shape.shift))


def fit_psychometric(
    levels: npt.ArrayLike,
    right: npt.ArrayLike,
    total: npt.ArrayLike,
    guess: float | Literal["lapse"] | None,
    sigmoid: str = "logistic",
    most_lapse: float = 0.1,
) -> PsychometricFit:
    """Return the function of the greatest penalised likelihood of `right` of `total` answers at each of (k,) levels.

    Higher levels are easier; give the negatives of levels that are harder. `guess` is the share that guessing gets (0.5
    of two options, 1 / n of n), `None` if it is to be fitted (yes or no), `"lapse"` if it is to equal the lapse.
    `sigmoid` is `logistic`, `norm`, `gumbel`, `rgumbel`, `tdist` or `weibull`: a Gumbel function, for levels that are
    logarithms. `most_lapse` bounds the lapse, whose prior is Beta(1, 10). Levels are at least two. No threshold is
    told beyond the levels. Answers that share pictures are worth fewer, and their intervals too narrow.

    Sources: Wichmann and Hill 2001, doi:10.3758/BF03194544; Schuett et al. 2016, doi:10.1016/j.visres.2016.02.002, for
    parameters and prior. Raises ArgumentError, a ValueError.

    >>> fit = fit_psychometric([1, 2, 3, 4, 5], [21, 24, 31, 38, 40], [40] * 5, 0.5)
    >>> round(fit.threshold, 2), fit.intervals.threshold.low < fit.threshold < fit.intervals.threshold.high
    (2.85, True)
    """
    one_of(sigmoid, "sigmoid", tuple(SIGMOIDS))
    data = _Data.checked(levels, right, total)
    most = number(most_lapse, "most_lapse", 0.0, 0.5)
    if isinstance(guess, str):
        one_of(guess, "guess", ("lapse", "a number"))
    elif guess is not None:
        number(guess, "guess", 0.0, 0.99)
    fit = _Fit(data, sigmoid, guess, most)
    found = fit.climb(fit.starts)
    low, high = float(data.levels.min()), float(data.levels.max())
    threshold, lapse = float(found[T]), float(found[LAPSE])
    ends = fit.ends(found, T, lambda value: value)
    if low <= threshold <= high:
        widths = fit.ends(found, U, math.exp)
        intervals = Intervals(ends, widths, fit.ends(found, LAPSE, lambda value: value))
        return PsychometricFit(threshold, math.exp(found[U]), lapse, fit.guess_of(found), intervals, sigmoid, "")
    below = threshold < low
    ends = Interval(-math.inf, ends.high) if below else Interval(ends.low, math.inf)
    note = "below the lowest level" if below else "not reached"
    intervals = Intervals(ends, Interval(0.0, math.inf), Interval(0.0, most))
    return PsychometricFit(math.nan, math.nan, math.nan, fit.guess_of(found), intervals, sigmoid, note)


class _Data(NamedTuple):
    """Answers by level."""

    levels: Floats
    right: Floats
    total: Floats

    @staticmethod
    def checked(levels: npt.ArrayLike, right: npt.ArrayLike, total: npt.ArrayLike) -> "_Data":
        """Return the answers; a single total is that of every level."""
        at, hits = vector(levels, "levels"), vector(right, "right")
        of_all = numbers(total, "total")
        asked = vector(np.full(len(hits), of_all) if of_all.ndim == 0 else of_all, "total")
        same_length(("levels", at), ("right", hits), ("total", asked))
        if (asked < 1).any() or (hits < 0).any() or (hits > asked).any() or ((hits % 1) + (asked % 1)).any():
            raise ArgumentError("right and total are whole numbers, of each level 0 <= right <= total and total >= 1")
        if len(np.unique(at)) < 2:
            raise ArgumentError("a psychometric function needs answers at two levels or more")
        data = _Data(at, hits, asked)
        if data.trend() < -3:
            raise ArgumentError("answers are the worse the higher the level; give the negatives of the levels")
        return data

    def trend(self) -> float:
        """Return how many standard errors the slope of right answers over the levels is from 0."""
        rate = self.right.sum() / self.total.sum()
        off = self.levels - np.average(self.levels, weights=self.total)
        spread = math.sqrt(rate * (1 - rate) * float(np.sum(self.total * off**2)))
        return float(np.sum(off * self.right)) / spread if spread else 0.0


class _Fit:
    """Climbs the penalised likelihood by Fisher's scoring, inside the bounds of the parameters."""

    def __init__(self, data: _Data, sigmoid: str, guess: float | str | None, most_lapse: float) -> None:
        self.data, self.shape, self.guess = data, SIGMOIDS[sigmoid], guess
        levels = np.unique(data.levels)
        span, least = float(np.ptp(levels)), float(np.diff(levels).min())
        free_guess = (0.0, 0.5 if guess is None else 0.0)
        # What is far narrower than the least step between levels cannot be told from a jump.
        self.low = np.array([levels[0] - span, math.log(least / 10), 0.0, free_guess[0]])
        self.high = np.array([levels[-1] + span, math.log(20 * span), most_lapse, free_guess[1]])
        self.starts = self._likeliest()

    def guess_of(self, at: Floats) -> float:
        """Return the share of guesses right."""
        if self.guess is None:
            return float(at[GUESS])
        return float(at[LAPSE]) if isinstance(self.guess, str) else float(self.guess)

    def _likeliest(self) -> list[Floats]:
        """Return the likeliest points of a coarse grid."""
        grid = np.meshgrid(
            np.linspace(self.low[T], self.high[T], 31),
            np.linspace(self.low[U], self.high[U], 12),
            [0.0, self.high[LAPSE] / 5],
            [0.0] if self.guess is not None else [0.02, 0.2],
        )
        points = np.stack([axis.ravel() for axis in grid], axis=1)
        heights = np.array([self.height(point) for point in points])
        return [points[i] for i in np.argsort(-heights)[:4]]

    def height(self, at: Floats) -> float:
        """Return the penalised log-likelihood."""
        chance = self._chance(at)[0]
        data = self.data
        likelihood = float(np.sum(data.right * np.log(chance) + (data.total - data.right) * np.log1p(-chance)))
        rates = [at[LAPSE]]
        if self.guess is None or isinstance(self.guess, str):
            rates.append(self.guess_of(at))
        return likelihood + RATE_PRIOR * sum(math.log1p(-rate) for rate in rates)

    def climb(self, starts: list[Floats], fixed: int | None = None) -> Floats:
        """Return the highest point that is reached from any start, with one parameter as it is there if it is fixed."""
        ends = [self._climb(start, fixed) for start in starts]
        return max(ends, key=self.height)

    def ends(self, found: Floats, which: int, told: Callable[[float], float]) -> Interval:
        """Return where the likelihood, at its highest with one parameter fixed, has fallen by `DROP`."""
        floor = self.height(found) - DROP
        edges = [self._end(found, which, bound, floor) for bound in (self.low[which], self.high[which])]
        open_ends = {T: (-math.inf, math.inf), U: (-math.inf, math.inf), LAPSE: (self.low[LAPSE], self.high[LAPSE])}
        low, high = (edge if edge is not None else end for edge, end in zip(edges, open_ends[which], strict=True))
        return Interval(told(float(low)), told(float(high)))

    def _end(self, found: Floats, which: int, bound: float, floor: float) -> float | None:
        inside, starts = found, np.stack([found, *self.starts])
        starts[:, which] = bound
        outside = self.climb(list(starts), which)
        if self.height(outside) >= floor:
            return None
        for _ in range(30):
            middle = (inside + outside) / 2
            here = self.climb([middle], which)
            if self.height(here) >= floor:
                inside = here
            else:
                outside = here
        return float(inside[which])

    def _climb(self, start: Floats, fixed: int | None) -> Floats:
        at, height = start, self.height(start)
        for _ in range(100):
            slope, information = self._slope(at)
            free = ((at > self.low) | (slope > 0)) & ((at < self.high) | (slope < 0)) & (self.low < self.high)
            if fixed is not None:
                free[fixed] = False
            kept = np.flatnonzero(free)
            if not len(kept):
                break
            inner = information[np.ix_(kept, kept)]
            step = np.zeros(4)
            step[kept] = np.linalg.lstsq(inner + 1e-9 * np.diag(np.diag(inner)), slope[kept], rcond=None)[0]
            length = 1.0
            while length > 1e-8:
                trial = np.clip(at + length * step, self.low, self.high)
                better = self.height(trial)
                if better > height:
                    break
                length /= 2
            else:
                break
            gained, at, height = better - height, trial, better
            if gained < 1e-12:
                break
        return at

    def _chance(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the (k,) probabilities of a right answer, and the sigmoid and z that they come from."""
        width = math.exp(at[U])
        z = self.shape.steepness * (self.data.levels - at[T]) / width + self.shape.shift
        value = self.shape.value(z)
        guess = self.guess_of(at)
        return np.clip(guess + (1 - guess - at[LAPSE]) * value, 1e-12, 1 - 1e-12), value, z

    def _slope(self, at: Floats) -> tuple[Floats, Floats]:
        """Return the (4,) slopes of the height and the (4, 4) expected information."""
        chance, value, z = self._chance(at)
        guess, width = self.guess_of(at), math.exp(at[U])
        steep = (1 - guess - at[LAPSE]) * self.shape.slope(z) * self.shape.steepness / width
        tied = isinstance(self.guess, str)
        parts = np.stack([-steep, -steep * (self.data.levels - at[T]), (1 - value if tied else 0.0) - value, 1 - value])
        weight = 1 / (chance * (1 - chance))
        slope = parts @ ((self.data.right - self.data.total * chance) * weight)
        slope[LAPSE] -= RATE_PRIOR / (1 - at[LAPSE]) * (2 if tied else 1)
        if self.guess is None:
            slope[GUESS] -= RATE_PRIOR / (1 - at[GUESS])
        return slope, (parts * (self.data.total * weight)) @ parts.T
