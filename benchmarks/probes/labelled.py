"""Labelled vectors for probes: only train and validation are passed to a fit, so that no test label leaks into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from mmbench.harness.digest import Json

Features = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64] | npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Vectors of n pictures and what they show."""

    features: Features
    """(n, d) vectors, one a picture."""
    labels: Labels
    """(n,) class indices in 0..classes-1, or for multi-label data (n, classes), true where a class is shown."""
    classes: int
    """Number of classes; some may have no picture here."""

    def __post_init__(self) -> None:
        shape = (len(self.features), self.classes) if self.multi_label else (len(self.features),)
        if self.features.ndim != 2 or self.labels.shape != shape:
            raise ValueError(
                f"features of shape {self.features.shape} and labels of shape {self.labels.shape} "
                f"do not fit {self.classes} classes"
            )
        if not self.multi_label and self.labels.size and not 0 <= self.labels.min() <= self.labels.max() < self.classes:
            raise ValueError(f"labels name classes outside 0..{self.classes - 1}")

    @property
    def multi_label(self) -> bool:
        """True where a picture may show several classes or none."""
        return self.labels.dtype == np.bool_


class Probe(Protocol):
    """A fitted method."""

    @property
    def chosen(self) -> Mapping[str, Json]:
        """Hyper-parameters that were chosen on validation, for example {"C": 0.3}."""
        ...

    def scores(self, features: npt.NDArray[Any]) -> Scores:
        """Return the (n, classes) scores of (n, d) vectors; higher is more likely."""
        ...


class Method(Protocol):
    """A way to fit a probe."""

    name: ClassVar[str]

    def fit(self, train: Labelled, validation: Labelled | None) -> Probe:
        """Fit on `train`; what a method sweeps is chosen on `validation` alone, and without it there is no sweep."""
        ...


def joined(train: Labelled, validation: Labelled | None) -> Labelled:
    """Return both sets as one, for the fit that follows a sweep.

    >>> one = Labelled(np.zeros((2, 3)), np.array([0, 1]), classes=2)
    >>> joined(one, one).labels
    array([0, 1, 0, 1])
    >>> joined(one, None) is one
    True
    """
    if validation is None:
        return train
    features = np.concatenate([train.features, validation.features])
    return Labelled(features, np.concatenate([train.labels, validation.labels]), train.classes)
