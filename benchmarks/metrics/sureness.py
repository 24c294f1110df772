"""Metrics of how surely a model chooses: calibration and selective prediction, over any task of choices."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from mmbench.harness.ask.sureness import SURENESS, Sureness
from mmbench.harness.metrics.calibration import bin_places
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.bootstrap import affordable, percentiles
from mmbench.harness.statistics.estimate import At, Ends
from mmbench.harness.tasks.metric import Aggregate, Interval, Metric
from mmbench.harness.types import Outcome

BINS = 15
_EULER = 0.5772156649015329


def _heard(outcome: Outcome) -> Sureness:
    return Sureness(*outcome.statistics[SURENESS])


def _pairs(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Return confidence and right or wrong of each."""
    return [_heard(outcome)[:2] for outcome in outcomes]


def _in_bins(scheme: str) -> Aggregate:
    def error(statistics: Floats, weights: Floats) -> Floats:
        """Return (b,) calibration errors; the bins are those of the items as they stand, in resamples too."""
        confidence, right = statistics.T
        place = bin_places(confidence, BINS, scheme, np.dtype(np.float64))
        inside = place[:, None] == np.arange(BINS)
        gaps = weights @ (inside * (confidence - right)[:, None])
        return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))

    return error


def _interval(scheme: str) -> Interval:
    """Return the interval of a calibration error, which chance raises, and every resample once more.

    The percentile interval is reflected about the value, its lower end is 0 where a calibrated model would give as
    much, and how far chance raised the value is itself not known, so that the upper end is the larger of both.
    """
    error = _in_bins(scheme)

    def interval(statistics: Floats, clusters: npt.NDArray[np.intp]) -> At:
        value = float(error(statistics, np.ones((1, len(statistics))))[0])
        resamples = affordable(statistics.size)
        resampled = percentiles(lambda weights: error(statistics, weights), clusters, resamples=resamples)

        def at(confidence: float) -> Ends:
            made = resampled(confidence)
            if made is None:
                return None
            low, high = (min(max(0.0, 2 * value - end), 1.0) for end in reversed(made))
            if value <= _noise(scheme, statistics, clusters, confidence):
                low = 0.0
            return low, max(high, value, made[1])

        return at

    return interval


def _noise(scheme: str, statistics: Floats, clusters: npt.NDArray[np.intp], confidence: float) -> float:
    """Return the upper end of the error of a calibrated model: in each bin a sum of centred residuals."""
    confidences, right = statistics.T
    place = bin_places(confidences, BINS, scheme, np.dtype(np.float64))
    each, where = np.unique(np.stack([place, clusters]), axis=1, return_inverse=True)
    residuals = np.bincount(where.ravel(), confidences - right)
    spread = np.bincount(each[0], residuals**2, minlength=BINS)
    mean, variance = np.sqrt(2 / np.pi) * np.sqrt(spread).sum(), (1 - 2 / np.pi) * spread.sum()
    reach = NormalDist().inv_cdf(0.5 + confidence / 2)
    return float((mean + reach * np.sqrt(variance)) / len(confidences))


def risk_area(statistics: Floats, weights: Floats) -> Floats:
    """Return (b,) areas under the risk-coverage curve; a weight counts an item so often, ties by their expectation."""
    size, wrong = _blocks(statistics, weights)
    before, erred = np.cumsum(size, axis=1) - size, np.cumsum(wrong, axis=1) - wrong
    share = np.divide(wrong, size, out=np.zeros_like(wrong), where=size > 0)
    # Of a block behind C items with S errors the k-th adds (S + e k) / (C + k).
    area = share * size + (erred - share * before) * (_harmonic(before + size) - _harmonic(before))
    return np.asarray(area.sum(axis=1) / size.sum(axis=1))


def _coverage(risk: float) -> Aggregate:
    def coverage(statistics: Floats, weights: Floats) -> Floats:
        """Return (b,) largest shares of the items, the surest first, whose error is at most `risk`."""
        size, wrong = _blocks(statistics, weights)
        after, erring = np.cumsum(size, axis=1), np.cumsum(wrong, axis=1)
        before, erred = after - size, erring - wrong
        excess = np.divide(wrong, size, out=np.zeros_like(wrong), where=size > 0) - risk
        room = np.divide(risk * before - erred, excess, out=np.zeros_like(wrong), where=excess > 0)
        inside = np.clip(np.floor(room + 1e-9), 0, size)
        taken = np.where(erring <= risk * after + 1e-12 * np.maximum(after, 1), size, inside)
        return np.asarray(np.where(taken > 0, before + taken, 0).max(axis=1) / size.sum(axis=1))

    return coverage


def _blocks(statistics: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return (b, blocks) sizes and errors of the items of equal confidence, the surest first."""
    order = np.argsort(-statistics[:, 0], kind="stable")
    confidence, wrong = statistics[order, 0], 1 - statistics[order, 1]
    starts = np.flatnonzero(np.diff(confidence, prepend=np.inf))
    sorted_ = weights[:, order]
    return np.add.reduceat(sorted_, starts, axis=1), np.add.reduceat(sorted_ * wrong, starts, axis=1)


def _harmonic(number: Floats) -> Floats:
    """Return sums of 1 / k for k up to each number, between whole numbers by the digamma function."""
    whole = np.rint(number)
    if np.array_equal(whole, number):
        table = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(number.max(initial=0)) + 1))])
        return np.asarray(table[whole.astype(np.intp)])
    far = number + 7
    series = np.log(far) - 1 / (2 * far) - 1 / (12 * far**2) + 1 / (120 * far**4) - 1 / (252 * far**6)
    return np.asarray(series + _EULER - sum(1 / (number + k) for k in range(1, 7)))


ECE = Metric(
    "ece@15",
    "Expected calibration error, 15 bins of equal width of the confidence (Guo et al. 2017).",
    higher_is_better=False,
    best=0.0,
    aggregate=_in_bins("width"),
    interval=_interval("width"),
    smooth=False,
    measure=_pairs,
    sure=True,
)
ADAPTIVE_ECE = Metric(
    "adaptive_ece",
    "Expected calibration error, 15 bins of equally many items.",
    higher_is_better=False,
    best=0.0,
    aggregate=_in_bins("mass"),
    interval=_interval("mass"),
    smooth=False,
    measure=_pairs,
    sure=True,
)
BRIER = Metric(
    "brier",
    "Squared distance of the probabilities from the truth, summed over the options (Brier 1950).",
    higher_is_better=False,
    best=0.0,
    proportion=False,
    measure=lambda outcomes: [_heard(outcome).brier for outcome in outcomes],
    sure=True,
)
NLL = Metric(
    "nll",
    "Negative log-likelihood of the truth, in nats.",
    higher_is_better=False,
    best=0.0,
    proportion=False,
    measure=lambda outcomes: [_heard(outcome).nll for outcome in outcomes],
    sure=True,
)
AURC = Metric(
    "aurc",
    "Area under the risk-coverage curve (Geifman and El-Yaniv 2017).",
    higher_is_better=False,
    best=0.0,
    aggregate=risk_area,
    measure=_pairs,
    sure=True,
)
COVERAGE_AT_1, COVERAGE_AT_5 = (
    Metric(
        f"coverage@risk{percent}",
        f"Largest share of the items, the surest first, of which at most {percent} % are wrong.",
        aggregate=_coverage(percent / 100),
        smooth=False,
        measure=_pairs,
        sure=True,
    )
    for percent in (1, 5)
)
