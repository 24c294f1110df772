"""Nearest class mean: the simplest classifier of a few labelled vectors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mmbench.benchmarks.probes.cosines import unit
from mmbench.benchmarks.probes.labelled import Labelled, Scores
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """Unit means of unit vectors, of which some may not exist."""

    vectors: Floats
    """(classes, d) unit vectors, zero where the mean is zero or does not exist."""
    exists: NDArray[np.bool_]
    """(classes,) whether there was a vector to take the mean of."""

    @classmethod
    def of(cls, vectors: Floats, member: NDArray[np.bool_]) -> "Mean":
        """Return the means of (n, d) unit vectors over the (n, classes) members."""
        return cls(unit(member.T.astype(np.float64) @ vectors), np.asarray(member.any(axis=0)))

    def cosines(self, vectors: Floats) -> Scores:
        """Return the (n, classes) cosines with (n, d) unit vectors; -1, the least there is, for a missing mean."""
        return np.where(self.exists, vectors @ self.vectors.T, -1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Cosine to the mean of a class, for multi-label data less that to the mean of what does not show the class."""

    shown: Mean
    absent: Mean | None = None
    """None unless a picture may show several classes."""
    chosen: Mapping[str, Json] = field(default_factory=dict)
    """Empty: there is nothing to choose."""

    def scores(self, features: NDArray[Any]) -> Scores:
        """Return (n, classes): cosines in -1..1, differences of two in -2..2 for multi-label data."""
        vectors = unit(features)
        scores = self.shown.cosines(vectors)
        return scores if self.absent is None else scores - self.absent.cosines(vectors)


@dataclass(frozen=True, slots=True)
class Prototype:
    """Nearest class mean by cosine: prototypes (Snell et al. 2017) of unit vectors (SimpleShot L2N, Wang et al. 2019).

    A prototype is the unit mean of the unit vectors of its class. Where a picture may show several classes, each class
    is a question of its own between two prototypes, that of the pictures that show it and that of those that do not.
    A class without a training vector is never nearest.
    """

    name: ClassVar[str] = "prototype"

    def fit(self, train: Labelled, validation: Labelled | None) -> Means:
        """Return the prototypes of `train`; there is nothing to choose on `validation`. Raises DataError."""
        if not len(train.features):
            raise DataError("prototype has no training item")
        vectors = unit(train.features)
        if train.multi_label:
            shown = train.labels.astype(np.bool_)
            return Means(Mean.of(vectors, shown), Mean.of(vectors, ~shown))
        return Means(Mean.of(vectors, train.labels[:, None] == np.arange(train.classes)))
