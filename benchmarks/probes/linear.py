"""Linear probe: how much of a task's labels a linear classifier reads out of the vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mmbench.benchmarks.probes.labelled import Labelled, Labels, Scores, joined
from mmbench.benchmarks.probes.quality import check_choice, quality
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.numerics.logistic import Classifier, Precision, Problem, State

STRENGTHS = tuple(float(strength) for strength in np.logspace(-6, 6, 96))
"""CLIP's grid of C."""

STAGES: tuple[tuple[float, Precision], ...] = (
    (1e-3, np.float32),
    (1e-4, np.float32),
    (1e-5, np.float64),
    (1e-7, np.float64),
    (1e-9, np.float64),
)
"""How closely a sweep fits, in parts of the spread of the logits: at each stage only what may still be chosen."""

SAFETY = 100.0
"""How many times farther from its optimum than estimated on average a logit may be: 10 to 85 times is what occurs."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Logit columns of the classes: one for each, or for two classes one between them."""

    labels: Labels
    """Input of `Problem`."""
    learnt: NDArray[np.int64]
    """The classes that the last columns stand for; the first of two has none."""
    constants: Scores | None
    """(classes,) logits of multi-label classes that all pictures show or none; None unless a picture shows several."""
    classes: int

    @classmethod
    def of(cls, data: Labelled) -> "Columns":
        """Return the columns that the labels of `data` can teach."""
        if data.multi_label:
            shown, n = np.count_nonzero(data.labels, axis=0), len(data.labels)
            learnt = np.flatnonzero((shown > 0) & (shown < n))
            return cls(data.labels[:, learnt], learnt, np.log((shown + 0.5) / (n - shown + 0.5)), data.classes)
        learnt, labels = np.unique(data.labels, return_inverse=True)
        few = len(learnt) < 3
        return cls(labels[:, None] == np.arange(1, len(learnt)) if few else labels, learnt, None, data.classes)

    def scores(self, logits: Scores) -> Scores:
        """Return the (n, classes) scores of (n, columns) logits; a class that no picture shows is never the highest."""
        own = np.hstack([np.zeros((len(logits), len(self.learnt) - logits.shape[1])), logits])
        result = np.empty((len(logits), self.classes))
        result[:] = own.min(axis=1, keepdims=True) - 1 if self.constants is None else self.constants
        result[:, self.learnt] = own
        return result


@dataclass(frozen=True, slots=True, eq=False)
class LinearProbe:
    """A fitted linear classifier."""

    classifier: Classifier
    columns: Columns
    chosen: Mapping[str, Json] = field(default_factory=dict)
    """{"C": C} after a sweep, else empty."""

    def scores(self, features: NDArray[Any]) -> Scores:
        """Return the (n, classes) logits of (n, d) vectors."""
        return self.columns.scores(self.classifier.logits(features.astype(np.float64)))


@dataclass(frozen=True, slots=True)
class Linear:
    """Logistic regression on the vectors (Radford et al. 2021, appendix A.3), as scikit-learn's `LogisticRegression`.

    For multi-label data each class is a regression of its own, as scikit-learn's `OneVsRestClassifier` has it. With
    validation C is swept, and the probe fitted again on train and validation together.
    """

    name: ClassVar[str] = "linear"

    strength: float = 1.0
    """C without a sweep: how much the losses weigh against the penalty on the weights."""
    strengths: tuple[float, ...] = STRENGTHS
    """Strengths that a sweep tries; of equally good ones the smallest is taken."""
    refit: bool = True
    """After a sweep fit on train and validation together; else on train alone, so that k shots stay k."""

    def __post_init__(self) -> None:
        if not self.strengths or min((self.strength, *self.strengths)) <= 0:
            raise UsageError(f"linear needs values of C above 0, not {self.strength:g} and {self.strengths}")

    def fit(self, train: Labelled, validation: Labelled | None) -> LinearProbe:
        """Return the probe of `train`, or with the C that is best on `validation` that of both. Raises DataError."""
        if not len(train.features):
            raise DataError("linear has no training item")
        if validation is None:
            return _fitted(train, self.strength, {})
        best = best_strength(train, validation, sorted(self.strengths))
        return _fitted(joined(train, validation) if self.refit else train, best, {"C": best})


def _fitted(data: Labelled, strength: float, chosen: Mapping[str, Json]) -> LinearProbe:
    columns = Columns.of(data)
    if columns.labels.shape[1:] == (0,):
        empty = np.zeros((data.features.shape[1], 0))
        return LinearProbe(Classifier(empty, empty[0]), columns, chosen)
    return LinearProbe(Problem(data.features, columns.labels).fit(strength), columns, chosen)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What a strength may be worth on validation, given how far its fit may be from the optimum."""

    value: float
    low: float
    high: float


def best_strength(train: Labelled, validation: Labelled, strengths: Sequence[float]) -> float:
    """Return which of `strengths`, ascending, is best on `validation` when fitted on `train`; the smallest of equals.

    The search is coarse to fine, in the closeness of the fits and not in C: accuracy has several maxima in C, so no
    value may be passed over untried. All are fitted roughly, each from where the two before it point; a fit's
    estimated distance from its optimum bounds what it may score; those that cannot be best are dropped, and the others
    fitted more closely, until one is left or all that are left score the same beyond doubt.
    """
    columns = Columns.of(train)
    if columns.labels.shape[1:] == (0,):
        return strengths[0]
    check_choice(validation)
    problem = Problem(train.features, columns.labels)
    states = [problem.start()] * len(strengths)
    found: dict[int, _Bounds] = {}
    contenders = list(range(len(strengths)))
    for stage, (tolerance, precision) in enumerate(STAGES):
        features = validation.features.astype(precision)
        for i in contenders:
            start = states[i] if stage else _ahead(problem, states[:i])
            states[i] = problem.carry_on(start, strengths[i], tolerance, precision)
            found[i] = _bounds(problem, states[i], columns, features, validation)
        floor = max(found[i].low for i in contenders)
        contenders = [i for i in contenders if found[i].high >= floor]
        if len(contenders) == 1 or all(found[i].low == found[i].high for i in contenders):
            break
    return strengths[max(contenders, key=lambda i: found[i].value)]  # the first of several maxima


def _ahead(problem: Problem, before: Sequence[State]) -> State:
    """Return the guess for the next strength of an even logarithmic grid: the path of optima is smooth in log C."""
    if not before:
        return problem.start()
    return State(before[-1].weights if len(before) == 1 else 2 * before[-1].weights - before[-2].weights)


def _bounds(problem: Problem, state: State, columns: Columns, features: NDArray[Any], validation: Labelled) -> _Bounds:
    """Score a fit as it is, and with every right label put down and up by twice the doubt about a logit.

    The right one may fall while another rises. Neither accuracy nor average precision can leave these two bounds.
    """
    classifier = problem.classifier(state)
    scores = columns.scores(classifier.logits(features))
    # No entry of a product is greater than the lengths of its vectors.
    largest = np.sqrt(np.vecdot(features, features).max()) * np.linalg.norm(classifier.weights, axis=0).max()
    margin = 2 * (SAFETY * state.error + float(np.finfo(features.dtype).eps * largest))
    labels = validation.labels
    right = labels if validation.multi_label else (np.arange(len(labels)), labels)
    value = quality(scores, validation)
    scores[right] -= margin
    low = quality(scores, validation)
    scores[right] += 2 * margin
    return _Bounds(value, low, quality(scores, validation))
