"""Tip-Adapter: a cache of a few labelled vectors beside the zero-shot classifier, fixed or fine-tuned."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mmbench.benchmarks.probes.cosines import blocks, unit
from mmbench.benchmarks.probes.labelled import Labelled, Scores
from mmbench.benchmarks.probes.quality import quality
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.tip_training import TEXT_SCALE, KeyTraining, trained_keys

ALPHA, BETA = 1.0, 5.5
"""Defaults without a sweep: the best of the ablation on 16-shot ImageNet (Zhang et al. 2022, section 4.3)."""


def _grid(largest: float, steps: int) -> tuple[float, ...]:
    return tuple(step * (largest - 0.1) / steps + 0.1 for step in range(steps))


BETAS = _grid(12.0, 200)
ALPHAS = _grid(10.0, 20)
"""The official search takes as many steps up to limits of each data set (beta 7..50, alpha 3..50), given as those of
its best published figures; here one pair of limits serves all, that of SUN397 and EuroSAT."""


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """100 f W + alpha exp(-beta (1 - f K)) V, for unit vectors f."""

    texts: Floats
    """W: (classes, d) unit class vectors of the text tower."""
    keys: Floats
    """K: (n, d), unit unless they were trained."""
    values: Floats
    """V: (n, classes), 1 where a key shows a class, else 0."""
    alpha: float = ALPHA
    """Weight of the cache."""
    beta: float = BETA
    """Sharpness: how fast a key's say falls with its distance."""
    chosen: Mapping[str, Json] = field(default_factory=dict)
    """{"alpha": alpha, "beta": beta} after a search, else empty."""

    def scores(self, features: NDArray[Any]) -> Scores:
        """Return the (n, classes) logits of (n, d) vectors."""
        vectors = unit(features)
        logits = TEXT_SCALE * vectors @ self.texts.T
        for part in blocks(len(vectors), len(self.keys)):
            logits[part] += self.alpha * self._said(vectors[part] @ self.keys.T, self.beta)
        return logits

    def searched(self, validation: Labelled) -> "Cache":
        """Return the cache with alpha and beta that are best on `validation`; the smallest beta, then alpha, of equals.

        Cosines of all validation vectors with all keys are held at once. Raises DataError.
        """
        vectors = unit(validation.features)
        zero_shot, affinity = TEXT_SCALE * vectors @ self.texts.T, vectors @ self.keys.T
        best, alpha, beta = -1.0, self.alpha, self.beta
        for tried_beta in BETAS:
            said = self._said(affinity, tried_beta)
            for tried_alpha in ALPHAS:
                found = quality(zero_shot + tried_alpha * said, validation)
                if found > best:
                    best, alpha, beta = found, tried_alpha, tried_beta
        return replace(self, alpha=alpha, beta=beta, chosen={"alpha": alpha, "beta": beta})

    def _said(self, affinity: Floats, beta: float) -> Floats:
        said = np.empty((len(affinity), self.values.shape[1]))
        for part in blocks(*affinity.shape):
            said[part] = np.exp(beta * (affinity[part] - 1)) @ self.values
        return said


@dataclass(frozen=True, slots=True, eq=False)
class TipAdapter:
    """Tip-Adapter (Zhang et al. 2022), which trains nothing; alpha and beta are searched on validation alone.

    As in the official `main.py` the cosines with texts count a hundredfold, whatever the model's logit scale. Keys are
    stored vectors, not means over augmented pictures. For multi-label data a key speaks for each class that it shows.
    """

    name: ClassVar[str] = "tip-adapter"

    prototypes: NDArray[Any]
    """(classes, d) class vectors of the text tower, of any length."""

    def fit(self, train: Labelled, validation: Labelled | None) -> Cache:
        """Return the cache of `train`, searched if `validation` is given. Raises DataError."""
        cache = _cache(self.name, self.prototypes, train)
        return cache if validation is None else cache.searched(validation)


@dataclass(frozen=True, slots=True, eq=False)
class TipAdapterF:
    """Tip-Adapter-F (Zhang et al. 2022): the keys are trained, then alpha and beta searched on validation alone.

    It keeps the keys of the last epoch, where the official script keeps those of the epoch that is best on test.
    """

    name: ClassVar[str] = "tip-adapter-f"

    prototypes: NDArray[Any]
    """(classes, d) class vectors of the text tower, of any length."""
    seed: int = 0
    """Random seed of the order in which vectors are seen."""
    training: KeyTraining = KeyTraining()
    """How long and how fast."""
    device: str = "cpu"
    """Device on which the keys are trained: `cpu`, `cuda` or `cuda:N`."""

    def fit(self, train: Labelled, validation: Labelled | None) -> Cache:
        """Return the trained cache, searched if `validation` is given, else as it was trained. Raises DataError."""
        if train.multi_label:
            raise DataError("tip-adapter-f learns one label a picture, and these have lists; take method: tip-adapter")
        cache = _cache(self.name, self.prototypes, train)
        labels = train.labels.astype(np.int64)
        keys = trained_keys(cache.keys, labels, cache.texts, self.training, self.seed, self.device)
        cache = replace(cache, keys=keys, alpha=self.training.alpha, beta=self.training.beta)
        return cache if validation is None else cache.searched(validation)


def _cache(name: str, prototypes: NDArray[Any], train: Labelled) -> Cache:
    if not len(train.features):
        raise DataError(f"{name} has no training item")
    if prototypes.shape != (train.classes, train.features.shape[1]):
        raise DataError(
            f"{name} needs a text vector for each of {train.classes} classes, as long as a picture's "
            f"({train.features.shape[1]}), and has an array of shape {prototypes.shape}; set features: post"
        )
    values = train.labels if train.multi_label else train.labels[:, None] == np.arange(train.classes)
    return Cache(unit(prototypes), unit(train.features), values.astype(np.float64))
