"""Calibration: whether a model is right as often as it says; proper scores; one temperature that mends it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import (
    flag,
    indices,
    matrix,
    numbers,
    one_of,
    same_length,
    shares,
    squarable,
    truths,
    whole,
)
from mmbench.harness.numerics.arrays import Floats

INSTEAD_OF_ZERO = 1e-12
"""What a probability of 0 counts as, which is a rounded one, so that one item cannot make a mean infinite."""

_MOST_BINS = 1 << 20

SUM_TOLERANCE = 0.01
"""How far the probabilities of an item may be from a sum of 1, as rounded ones are."""

LOG_TEMPERATURE = 5.0
"""Temperatures are sought from exp(-5) to exp(5)."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bar of a reliability diagram."""

    bin: int
    """0-based place among the bins."""
    count: int
    """Items in it, at least 1."""
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """The share of them that is right."""


def reliability(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, bins: int = 15, scheme: str = "width"
) -> list[ReliabilityBin]:
    """Return the bins that hold an item, from the least confident up. Arguments and source as `calibration_error`.

    >>> [(one.bin, one.count, one.accuracy) for one in reliability([0.1, 0.2, 0.9], [0, 1, 1], bins=5)]
    [(0, 2, 0.5), (4, 1, 1.0)]
    """
    said, right = shares(confidence, "confidences"), truths(correct, "right and wrong")
    same_length(("confidences", said), ("right and wrong", right))
    whole(bins, "bins", most=_MOST_BINS)
    one_of(scheme, "scheme", ("width", "mass"))
    place = bin_places(said, bins, scheme, np.asarray(confidence).dtype)
    filled, place = np.unique(place, return_inverse=True)
    count = np.bincount(place)
    mean, accuracy = np.bincount(place, said) / count, np.bincount(place, right) / count
    rows = zip(filled.tolist(), count.tolist(), mean.tolist(), accuracy.tolist(), strict=True)
    return [ReliabilityBin(*row) for row in rows]


def calibration_error(
    confidence: npt.ArrayLike,
    correct: npt.ArrayLike,
    bins: int = 15,
    scheme: str = "width",
    norm: str = "l1",
    debiased: bool = False,
) -> float:
    """Return how far confidence and accuracy lie apart, 0..1: ECE by `l1`, root mean square by `l2`, MCE by `max`.

    `confidence` is (n,) in 0..1, the probability of the answer given; `correct` (n,) of 0 and 1. Bins of scheme `width`
    are (l, u], the first with 0; those of `mass` are equal parts of the items in a stable order of confidence (adaptive
    ECE). The plug-in figure is biased upwards, by about sqrt(bins / n) of a calibrated model: compare it at one n.

    `debiased` returns the *squared* `l2` without that bias, which may be negative; a bin with one item adds 0 to it.

    Sources: Guo et al. 2017, arXiv 1706.04599; Kumar et al. 2019, arXiv 1909.10155. Raises ArgumentError, a ValueError.

    >>> calibration_error([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0])
    0.0
    >>> calibration_error([0.75, 0.75, 0.5, 0.5], [0, 1, 0, 0], norm="max")
    0.5
    """
    one_of(norm, "norm", ("l1", "l2", "max"))
    table = reliability(confidence, correct, bins, scheme)
    count = np.array([one.count for one in table], np.float64)
    accuracy = np.array([one.accuracy for one in table])
    gap = np.array([one.confidence for one in table]) - accuracy
    weight = count / count.sum()
    if flag(debiased, "debiased"):
        if norm == "max":
            raise ArgumentError("only the squared l2 error can be debiased; ask for it with norm='l2'")
        free = np.maximum(count - 1, 1)
        return float(np.sum(weight * np.where(count > 1, gap**2 - accuracy * (1 - accuracy) / free, 0.0)))
    if norm == "max":
        return float(np.abs(gap).max())
    return float(np.sum(weight * np.abs(gap)) if norm == "l1" else np.sqrt(np.sum(weight * gap**2)))


def brier(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean squared distance of probabilities from the truth.

    (n, classes) probabilities with (n,) 0-based classes: summed over the classes, 0..2. (n,) probabilities of yes with
    (n,) of 0 and 1: 0..1, half of the former. Source: Brier 1950. Raises ArgumentError, a ValueError.

    >>> round(brier([[0.8, 0.2], [0.4, 0.6]], [0, 0]), 3), round(brier([0.8, 0.4], [1, 1]), 3)
    (0.4, 0.2)
    """
    made, right = _distributions(probabilities, labels)
    own = made[np.arange(len(made)), right]
    total = np.einsum("ij,ij->i", made, made) - 2 * own + 1
    return float(np.mean(total) / (2 if np.ndim(probabilities) == 1 else 1))


def negative_log_likelihood(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean of -ln of the probability of the right class, in nats; one of exactly 0 counts as 1e-12.

    Arguments as `brier`. Raises ArgumentError, a ValueError.

    >>> round(negative_log_likelihood([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 4)  # (ln 2 + ln 4/3) / 2
    0.4904
    """
    made, right = _distributions(probabilities, labels)
    own = made[np.arange(len(made)), right]
    return float(np.mean(-np.log(np.where(own > 0, own, INSTEAD_OF_ZERO))))


def fit_temperature(logits: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the T from exp(-5) to exp(5) of the least negative log-likelihood of softmax(logits / T).

    `logits` is (n, classes), `labels` (n,) 0-based classes; or (n,) logits of yes (a sigmoid's) and labels of 0 and 1.
    Logits of minus infinity are classes ruled out. Fit on validation items and never on those that are scored. Where
    every T gives the same likelihood it is 1. Source: Guo et al. 2017, section 4.2. Raises ArgumentError, a ValueError.

    >>> round(fit_temperature([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]], [0, 0, 0, 1]), 4)  # 2 / ln 3
    1.8205
    """
    given = numbers(logits, "logits")
    if given.ndim == 1:
        given = np.stack([np.zeros_like(given), given], axis=1)
    made = matrix(given, "logits", finite=False)
    right = indices(labels, "labels", made.shape[1])
    same_length(("logits", made), ("labels", right))
    own = made[np.arange(len(made)), right]
    if np.isposinf(made).any() or np.isneginf(own).any():
        raise ArgumentError("a logit is infinite, or that of a right class minus infinity: no temperature fits")
    squarable(made[np.isfinite(made)])
    return _least(made - made.max(axis=1, keepdims=True), right)


def _least(shifted: Floats, right: npt.NDArray[np.int64]) -> float:
    """Return the T where the slope of the likelihood in 1 / T, which only rises, is 0: Newton's method in a bracket."""
    possible = np.isfinite(shifted)
    held = np.where(possible, shifted, 0.0)
    target = float(held[np.arange(len(held)), right].mean())

    def slope(log_t: float) -> tuple[float, float]:
        """The slope in beta = 1 / T, and its own slope."""
        weight = np.where(possible, np.exp(held * np.exp(-log_t)), 0.0)
        weight /= weight.sum(axis=1, keepdims=True)
        mean = np.einsum("ij,ij->i", weight, held)
        spread = np.einsum("ij,ij,ij->i", weight, held, held) - mean**2
        return float(mean.mean()) - target, float(spread.mean())

    low, high = -LOG_TEMPERATURE, LOG_TEMPERATURE
    if not held.any():
        return 1.0
    if slope(low)[0] <= 0:  # sharper is better still
        return float(np.exp(low))
    if slope(high)[0] >= 0:
        return float(np.exp(high))
    at = 0.0
    for _ in range(200):
        value, curve = slope(at)
        low, high = (at, high) if value > 0 else (low, at)
        beta = np.exp(-at)
        step = beta - value / curve if curve > 0 else -1.0
        following = -np.log(step) if step > 0 else np.inf
        following = following if low < following < high else (low + high) / 2
        if value == 0 or abs(following - at) < 1e-13:
            break
        at = float(following)
    return float(np.exp(at))


def _distributions(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return (n, classes) probabilities and the (n,) right classes; (n,) probabilities of yes become two columns."""
    given = numbers(probabilities, "probabilities")
    if given.ndim == 1:
        yes = shares(given, "probabilities")
        made = np.stack([1 - yes, yes], axis=1)
    else:
        made = matrix(given, "probabilities")
        made = shares(made.ravel(), "probabilities").reshape(made.shape)
        off = np.abs(made.sum(axis=1) - 1)
        if off.max() > SUM_TOLERANCE:
            worst = int(off.argmax())
            told = f"the probabilities of item {worst} sum to {made[worst].sum():.4g}"
            raise ArgumentError(f"{told}; divide each row by its sum")
    right = indices(labels, "labels", made.shape[1])
    same_length(("probabilities", made), ("labels", right))
    return made, right


def bin_places(confidence: Floats, bins: int, scheme: str, precision: np.dtype[Any]) -> npt.NDArray[np.int64]:
    """Return the 0-based bin of each of (n,) confidences, which were given in this precision."""
    return _equal_width(confidence, bins, precision) if scheme == "width" else _equal_mass(confidence, bins)


def _equal_width(confidence: Floats, bins: int, precision: np.dtype[Any]) -> npt.NDArray[np.int64]:
    """Return the (n,) places in bins (l, u].

    Edges k / bins are rounded as a written decimal is, in the precision that confidences were given in: 0.7 is an edge.
    """
    kind = precision if precision.kind == "f" else np.dtype(np.float64)
    edges = (np.arange(1, bins) / bins).astype(kind)
    return np.asarray(np.searchsorted(edges, confidence.astype(kind), side="left"), np.int64)


def _equal_mass(confidence: Floats, bins: int) -> npt.NDArray[np.int64]:
    place = np.empty(len(confidence), np.int64)
    size, longer = divmod(len(confidence), bins)
    ends = np.cumsum([size + (part < longer) for part in range(bins)])
    place[np.argsort(confidence, kind="stable")] = np.searchsorted(ends, np.arange(len(confidence)), side="right")
    return place
