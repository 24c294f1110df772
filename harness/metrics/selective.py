"""Selective prediction: how the error falls as a model may decline what it is least sure of."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmbench.harness.metrics.arguments import number, one_of, same_length, shares, vector
from mmbench.harness.numerics.arrays import Floats


class RiskCoverage(NamedTuple):
    """A risk-coverage curve."""

    coverage: Floats
    """(n,) shares of the items that are answered: 1 / n to 1."""
    risk: Floats
    """(n,) mean errors of those answered."""


def risk_coverage(confidence: npt.ArrayLike, error: npt.ArrayLike, ties: str = "expected") -> RiskCoverage:
    """Return the curve. Arguments and source as `aurc`.

    >>> risk_coverage([0.9, 0.5, 0.5, 0.1], [0, 1, 0, 1]).risk.round(3).tolist()
    [0.0, 0.25, 0.333, 0.5]
    """
    errors = _errors_of_the_surest(confidence, error, ties)
    answered = np.arange(1, len(errors) + 1)
    return RiskCoverage(answered / len(errors), errors / answered)


def aurc(confidence: npt.ArrayLike, error: npt.ArrayLike, ties: str = "expected") -> float:
    """Return the area under the risk-coverage curve: the mean over k of the error of the k surest items.

    `confidence` is (n,), any order-preserving scale, infinite values included; `error` is (n,) in 0..1, 1 for a wrong
    answer. Equal confidences are in a random order and count by their expectation, so that a constant confidence has
    the error rate; `ties="stable"` leaves them in the order given, as common scripts do.

    Source: Geifman and El-Yaniv 2017, arXiv 1705.08500. Raises ArgumentError, a ValueError.

    >>> aurc([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1]), aurc([0.5, 0.5, 0.5, 0.5], [0, 0, 0, 1])
    (0.0625, 0.25)
    """
    return float(risk_coverage(confidence, error, ties).risk.mean())


def augrc(confidence: npt.ArrayLike, error: npt.ArrayLike, ties: str = "expected") -> float:
    """Return the area under the generalised risk-coverage curve: the mean over k of errors among the k surest / n.

    Arguments as `aurc`. Source: Traub et al. 2024, arXiv 2407.01032.

    >>> augrc([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1])
    0.0625
    """
    errors = _errors_of_the_surest(confidence, error, ties)
    return float(errors.mean() / len(errors))


def risk_at_coverage(confidence: npt.ArrayLike, error: npt.ArrayLike, coverage: float, ties: str = "expected") -> float:
    """Return the error of the ceil(coverage n) surest items, at least one; `coverage` is in 0..1. Arguments as `aurc`.

    >>> risk_at_coverage([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1], 0.75)
    0.0
    """
    risk = risk_coverage(confidence, error, ties).risk
    share = number(coverage, "coverage", 0.0, 1.0)
    # A product such as 0.55 * 100 is a little above the whole number that is meant.
    return float(risk[max(1, int(np.ceil(share * len(risk) - 1e-9))) - 1])


def coverage_at_risk(confidence: npt.ArrayLike, error: npt.ArrayLike, risk: float, ties: str = "expected") -> float:
    """Return the largest share of the items, the surest first, whose error is at most `risk`; 0 if none is.

    Arguments as `aurc`, `risk` in 0..1.

    >>> coverage_at_risk([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1], 0.1)
    0.75
    """
    most = number(risk, "risk", 0.0, 1.0)
    curve = risk_coverage(confidence, error, ties)
    within = np.flatnonzero(curve.risk <= most + 1e-12)
    return float(curve.coverage[within[-1]]) if len(within) else 0.0


def _errors_of_the_surest(confidence: npt.ArrayLike, error: npt.ArrayLike, ties: str) -> Floats:
    """Return (n,): the expected sum of errors among the k surest items, k from 1 to n."""
    said, wrong = vector(confidence, "confidences", finite=False), shares(error, "errors")
    same_length(("confidences", said), ("errors", wrong))
    if one_of(ties, "ties", ("expected", "stable")) == "stable":
        return np.cumsum(wrong[np.argsort(-said, kind="stable")])
    _, block = np.unique(-said, return_inverse=True)
    size = np.bincount(block)
    each = np.bincount(block, wrong) / size
    return np.cumsum(np.repeat(each, size))
