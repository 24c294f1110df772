"""Nearest neighbours: what the vectors themselves say, with nothing learnt."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mmbench.benchmarks.probes.cosines import blocks, unit
from mmbench.benchmarks.probes.labelled import Labelled, Labels, Scores
from mmbench.benchmarks.probes.quality import quality
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.numerics.arrays import Floats

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """A weighted vote of the k nearest training vectors."""

    keys: Floats
    """(n, d) unit vectors."""
    labels: Labels
    """As in `Labelled`."""
    classes: int
    k: int
    """At most n."""
    temperature: float
    chosen: Mapping[str, Json] = field(default_factory=dict)
    """{"k": k} after a sweep, else empty."""

    def scores(self, features: NDArray[Any]) -> Scores:
        """Return the (n, classes) sums of weights; a class that no neighbour has gets 0."""
        return self.counted(*nearest(unit(features), self.keys, self.k))

    def counted(self, similar: Floats, index: Indices) -> Scores:
        """Return the (n, classes) sums over the (n, k) nearest, given with their cosines."""
        weights = np.exp(similar / self.temperature)
        votes = np.zeros((len(index), self.classes))
        for part in blocks(len(index), index.shape[1] * self.classes):
            theirs = self.labels[index[part]]
            if self.labels.dtype == np.bool_:
                votes[part] = np.einsum("nk,nkc->nc", weights[part], theirs)
            else:
                np.add.at(votes[part], (np.arange(len(theirs))[:, None], theirs), weights[part])
        return votes


@dataclass(frozen=True, slots=True)
class Knn:
    """k-NN with a weighted vote (Caron et al. 2021, DINO, and its `eval_knn.py`; Wu et al. 2018, section 3.4).

    Each of the k training vectors with the largest cosine adds exp(cosine / temperature) to the score of its class, or
    of each class that it shows. Neighbours that tie for the last place are taken in training order.
    """

    name: ClassVar[str] = "knn"

    k: int = 20
    """Without a sweep; all vote where there are fewer."""
    temperature: float = 0.07
    """Divides the cosine."""
    ks: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200)
    """What a sweep tries, each at most the number of training vectors; of those equally good the smallest is taken."""

    def __post_init__(self) -> None:
        if self.temperature <= 0 or min((self.k, *self.ks)) < 1:
            raise UsageError(
                f"knn needs k of at least 1 and a temperature above 0, not {self.k}, {self.ks} and {self.temperature:g}"
            )

    def fit(self, train: Labelled, validation: Labelled | None) -> Vote:
        """Return the vote of `train`, with the k that is best on `validation` if that is given. Raises DataError."""
        size = len(train.features)
        if not size:
            raise DataError("knn has no training item")
        vote = Vote(unit(train.features), train.labels, train.classes, min(self.k, size), self.temperature)
        if validation is None:
            return vote
        ks = sorted({min(k, size) for k in self.ks})
        similar, index = nearest(unit(validation.features), vote.keys, ks[-1])
        # The first of several maxima is the smallest k.
        best = max(ks, key=lambda k: quality(vote.counted(similar[:, :k], index[:, :k]), validation))
        return replace(vote, k=best, chosen={"k": best})


def nearest(queries: Floats, keys: Floats, k: int) -> tuple[Floats, Indices]:
    """Return the (n, k) largest products of each query with the keys, in falling order, and the numbers of those keys.

    Equal products come in the order of the keys.

    >>> similar, index = nearest(np.array([[1.0]]), np.array([[0.5], [0.9], [0.5]]), 2)
    >>> similar, index
    (array([[0.9, 0.5]]), array([[1, 0]]))
    """
    similar = np.empty((len(queries), k))
    index = np.empty((len(queries), k), np.int64)
    for part in blocks(len(queries), len(keys)):
        products = queries[part] @ keys.T
        index[part] = _largest(products, k)
        similar[part] = np.take_along_axis(products, index[part], axis=1)
    return similar, index


def _largest(values: Floats, k: int) -> Indices:
    chosen = np.argpartition(-values, k - 1, axis=1)[:, :k]
    least = np.take_along_axis(values, chosen, axis=1).min(axis=1, keepdims=True)
    # Where values tie for the last place a partition takes any of them; a stable sort costs more, and is rarely needed.
    cut = np.count_nonzero(values >= least, axis=1) > k
    chosen[cut] = np.argsort(-values[cut], axis=1, kind="stable")[:, :k]
    chosen.sort(axis=1)
    order = np.argsort(-np.take_along_axis(values, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
