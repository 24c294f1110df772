"""Sigmoids of psychometric functions and their slopes, each from 0.05 to 0.95 within its width."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from mmbench.harness.numerics.arrays import Floats

_NORMAL = NormalDist()


class Sigmoid(NamedTuple):
    """A distribution function of z, where z = `steepness` (level - threshold) / width + `shift`."""

    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    steepness: float
    shift: float


def _normal(z: Floats) -> Floats:
    return np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in np.ravel(z)]).reshape(np.shape(z))


def _bell(z: Floats) -> Floats:
    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def _logistic(z: Floats) -> Floats:
    return np.asarray((1 + np.tanh(z / 2)) / 2)


def _gumbel(z: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(np.minimum(z, 700.0))))


def _cauchy(z: Floats) -> Floats:
    return np.asarray(0.5 + np.arctan(z) / math.pi)


_LN_2 = math.log(math.log(2))
_GUMBEL_WIDTH = math.log(-math.log(0.05)) - math.log(-math.log(0.95))
_GUMBEL = Sigmoid(_gumbel, lambda z: np.exp(z - np.exp(np.minimum(z, 700.0))), _GUMBEL_WIDTH, _LN_2)

SIGMOIDS = {
    "logistic": Sigmoid(_logistic, lambda z: _logistic(z) * _logistic(-z), 2 * math.log(19), 0.0),
    "norm": Sigmoid(_normal, _bell, 2 * _NORMAL.inv_cdf(0.95), 0.0),
    "gumbel": _GUMBEL,
    "weibull": _GUMBEL,
    "rgumbel": Sigmoid(lambda z: 1 - _gumbel(-z), lambda z: _GUMBEL.slope(-z), _GUMBEL_WIDTH, -_LN_2),
    "tdist": Sigmoid(_cauchy, lambda z: 1 / (math.pi * (1 + z**2)), 2 * math.tan(0.45 * math.pi), 0.0),
}
"""By name. A Weibull function is a Gumbel one of the logarithm of the stimulus: give that as the level."""
