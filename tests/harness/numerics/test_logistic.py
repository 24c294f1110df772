"""Fits reach scikit-learn's optimum where it gets there, and a better one where it does not."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.logistic import Classifier, Problem
from tests.lazy import sk_linear, special

Data = tuple[Floats, NDArray[np.int64]]


def clusters(seed: int, n: int, d: int, classes: int, distance: float) -> Data:
    rng = np.random.default_rng(seed)
    labels = np.append(np.arange(classes), rng.integers(classes, size=n - classes))
    return rng.standard_normal((n, d)) + distance * rng.standard_normal((classes, d))[labels], labels


def separable() -> Data:
    return clusters(0, 120, 6, 4, 8.0)


def overlapping() -> Data:
    return clusters(1, 300, 10, 7, 0.7)


def collinear() -> Data:
    features, labels = clusters(2, 150, 4, 3, 1.0)
    return np.hstack([features, features[:, ::-1] * 2, np.ones((150, 1)), np.zeros((150, 1))]), labels


def unscaled() -> Data:
    features, labels = clusters(3, 200, 5, 3, 1.0)
    return features * [1e-3, 0.1, 1.0, 10.0, 30.0] + [0, 5, -100, 3, 40], labels


def wide() -> Data:
    return clusters(4, 30, 90, 5, 0.5)


def one_each() -> Data:
    return clusters(5, 6, 20, 6, 1.0)


def narrow() -> Data:
    return clusters(6, 80, 1, 3, 1.0)


def repeated() -> Data:
    features, labels = clusters(7, 40, 3, 3, 0.5)
    return np.tile(features, (3, 1)), np.concatenate([labels, labels, np.roll(labels, 1)])


def unit() -> Data:
    features, labels = clusters(8, 300, 40, 8, 0.6)
    features += 2
    return features / np.linalg.norm(features, axis=1, keepdims=True), labels


def unbalanced() -> Data:
    features, labels = clusters(9, 400, 8, 5, 0.5)
    keep = np.random.default_rng(9).random(400) < 3.0 ** -labels.astype(float)
    keep[:5] = True
    return features[keep], labels[keep]


CASES = [separable, overlapping, collinear, unscaled, wide, one_each, narrow, repeated, unit, unbalanced]


def objective(model: Classifier, features: Floats, labels: NDArray[np.int64], strength: float) -> float:
    losses = -special.log_softmax(model.logits(features), axis=1)[np.arange(len(labels)), labels]
    return strength * float(losses.sum()) + float(np.square(model.weights).sum()) / 2


def slope(model: Classifier, features: Floats, labels: NDArray[np.int64], strength: float) -> float:
    """The largest derivative, in parts of what its terms sum to without their signs."""
    residual = np.exp(special.log_softmax(model.logits(features), axis=1)) - np.eye(model.weights.shape[1])[labels]
    by_weight, size = strength * features.T @ residual + model.weights, strength * abs(features).T @ abs(residual)
    by_intercept = abs(residual.sum(axis=0)) / (abs(residual).sum(axis=0) + 1e-300)
    return max(float((abs(by_weight) / (size + abs(model.weights) + 1e-300)).max()), float(by_intercept.max()))


def sklearn(features: Floats, labels: NDArray[np.int64], strength: float) -> Classifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sk_linear.LogisticRegression(C=strength, max_iter=20_000, tol=1e-10).fit(features, labels)
    return Classifier(model.coef_.T, model.intercept_)


@pytest.mark.parametrize("strength", [1e-6, 1e-3, 0.1, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("case", CASES)
def test_fits_are_scikit_learns(case: Callable[[], Data], strength: float) -> None:
    features, labels = case()
    ours, theirs = Problem(features, labels).fit(strength), sklearn(features, labels, strength)
    best = objective(theirs, features, labels, strength)
    assert objective(ours, features, labels, strength) <= best * (1 + 1e-12)
    others = features[::-1] + np.random.default_rng(0).standard_normal(features.shape) * features.std(axis=0)
    if slope(theirs, features, labels, strength) < 1e-6:
        seen = [model.logits(others) - model.logits(others).mean(axis=1, keepdims=True) for model in (ours, theirs)]
        np.testing.assert_allclose(seen[0], seen[1], rtol=0, atol=1e-4 * np.ptp(seen[1]))
        np.testing.assert_array_equal(seen[0].argmax(axis=1), seen[1].argmax(axis=1))


@pytest.mark.parametrize("strength", [1e-6, 1e-2, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("case", CASES)
def test_nothing_pulls_at_the_optimum(case: Callable[[], Data], strength: float) -> None:
    features, labels = case()
    assert slope(Problem(features, labels).fit(strength), features, labels, strength) < 1e-6


@pytest.mark.parametrize("strength", [1e-6, 1e-2, 1.0, 1e3])
def test_bool_columns_are_binary_regressions(strength: float) -> None:
    features, labels = overlapping()
    shown = np.stack([labels < 3, labels == 2, labels % 2 == 0], axis=1)
    ours = Problem(features, shown).fit(strength)
    logits = ours.logits(features)
    residual = special.expit(logits) - shown
    assert abs(strength * features.T @ residual + ours.weights).max() < 1e-7 * strength * len(labels)
    assert abs(residual.sum(axis=0)).max() < 1e-7 * len(labels)
    for column in range(3):
        theirs = sklearn(features, shown[:, column].astype(np.int64), strength)
        np.testing.assert_allclose(logits[:, column], theirs.logits(features)[:, 0], rtol=1e-4, atol=1e-4)


def test_what_is_fitted_before_changes_nothing() -> None:
    problem = Problem(*overlapping())
    first = problem.fit(1.0)
    problem.fit(1e5)
    np.testing.assert_array_equal(problem.fit(1.0).weights, first.weights)


def test_float32_vectors_are_fitted_as_they_are() -> None:
    features, labels = unit()
    narrow = features.astype(np.float32)
    one, two = Problem(narrow, labels).fit(10.0), Problem(narrow.astype(np.float64), labels).fit(10.0)
    np.testing.assert_allclose(one.weights, two.weights, rtol=1e-9)
    np.testing.assert_allclose(one.logits(narrow), two.logits(features), atol=1e-4)


def test_the_number_of_threads_changes_rounding_alone() -> None:
    features, labels = unit()
    with threadpool_limits(2):
        first = Problem(features, labels).fit(10.0).weights
    with threadpool_limits(1):
        np.testing.assert_allclose(Problem(features, labels).fit(10.0).weights, first, atol=1e-7 * abs(first).max())


def test_vectors_that_say_nothing_leave_the_prior() -> None:
    labels = np.array([0, 0, 0, 1, 2, 2])
    logits = Problem(np.ones((6, 3)), labels).fit(1.0).logits(np.ones((1, 3)))
    np.testing.assert_allclose(np.exp(special.log_softmax(logits, axis=1)), [[3 / 6, 1 / 6, 2 / 6]], atol=1e-8)


FEW, LABELS = np.ones((2, 3)), np.array([0, 1])


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (FEW * np.nan, LABELS, "NaN"),
        (FEW[:0], LABELS[:0], "empty"),
        (FEW, LABELS[:1], "1 labels for 2"),
        (FEW, np.array([0, 2]), "one label"),
        (FEW, np.array([[True], [True]]), "one label"),
        (FEW, np.array([[False], [False]]), "one label"),
    ],
)
def test_what_cannot_be_fitted(features: Floats, labels: NDArray[np.int64], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Problem(features, labels)
