"""The sweep chooses what the full grid chooses, and the probe predicts what scikit-learn predicts."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mmbench.benchmarks.probes.labelled import Labelled, joined
from mmbench.benchmarks.probes.linear import STRENGTHS, Linear
from mmbench.harness.errors import DataError, UsageError
from tests.lazy import sk_datasets, sk_linear, sk_metrics, sk_multiclass


def clusters(seed: int, n: int, d: int, classes: int, distance: float = 0.7) -> list[Labelled]:
    """Train, validation and test."""
    rng = np.random.default_rng(seed)
    centres = distance * rng.standard_normal((classes, d))
    labels = rng.integers(classes, size=3 * n)
    features = rng.standard_normal((3 * n, d)) + centres[labels]
    return [Labelled(features[i::3], labels[i::3], classes) for i in range(3)]


def multi_label(seed: int) -> list[Labelled]:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((360, 8))
    shown = features @ rng.standard_normal((8, 5)) + 2 * rng.standard_normal((360, 5)) > 1.5
    return [Labelled(features[i::3], shown[i::3], 5) for i in range(3)]


def reference(data: Labelled, strength: float, *, solver: str = "newton-cholesky") -> Any:
    return sk_linear.LogisticRegression(C=strength, solver=solver, max_iter=10_000, tol=1e-10).fit(
        data.features, data.labels
    )


def accuracy(scores: NDArray[np.float64], data: Labelled) -> float:
    return float(np.mean(scores.argmax(axis=1) == data.labels))


SHAPES = [(100, 6, 4), (40, 80, 3), (150, 1, 3), (90, 10, 2), (24, 12, 12)]


@pytest.mark.parametrize(("n", "d", "classes"), SHAPES)
@pytest.mark.parametrize("strength", [1e-4, 0.1, 1.0, 100.0])
def test_accuracy_at_a_strength_is_scikit_learns(n: int, d: int, classes: int, strength: float) -> None:
    train, _, test = clusters(n, n, d, classes)
    theirs = reference(train, strength)
    scores = Linear(strength=strength).fit(train, None).scores(test.features)
    assert accuracy(scores, test) == pytest.approx(theirs.score(test.features, test.labels), abs=1e-8)
    np.testing.assert_array_equal(scores.argmax(axis=1), theirs.predict(test.features))


@pytest.mark.parametrize(
    ("n", "d", "classes", "seed"), [*((*shape, 0) for shape in SHAPES), (100, 6, 4, 1), (100, 6, 4, 2), (150, 1, 3, 1)]
)
def test_the_sweep_finds_the_full_grid_maximum(n: int, d: int, classes: int, seed: int) -> None:
    train, validation, _ = clusters(seed, n, d, classes)
    right = [np.mean(reference(train, c).predict(validation.features) == validation.labels) for c in STRENGTHS]
    assert Linear().fit(train, validation).chosen == {"C": STRENGTHS[int(np.argmax(right))]}


def test_the_probe_is_refitted_on_both_sets() -> None:
    train, validation, test = clusters(1, 100, 6, 4)
    probe = Linear().fit(train, validation)
    theirs = reference(joined(train, validation), float(str(probe.chosen["C"])))
    np.testing.assert_array_equal(probe.scores(test.features).argmax(axis=1), theirs.predict(test.features))


@pytest.mark.parametrize("seed", range(3))
def test_multi_label_data_are_one_against_the_rest(seed: int) -> None:
    train, validation, test = multi_label(seed)
    strengths = STRENGTHS[::5]

    def fitted(data: Labelled, strength: float) -> sk_multiclass.OneVsRestClassifier:
        base = sk_linear.LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-10)
        return sk_multiclass.OneVsRestClassifier(base).fit(data.features, data.labels)

    precisions = [
        sk_metrics.average_precision_score(validation.labels, fitted(train, c).decision_function(validation.features))
        for c in strengths
    ]
    probe = Linear(strengths=strengths).fit(train, validation)
    best = strengths[int(np.argmax(precisions))]
    assert probe.chosen == {"C": best}
    theirs = fitted(joined(train, validation), best).decision_function(test.features)
    np.testing.assert_allclose(probe.scores(test.features), theirs, atol=1e-6)


def test_digits() -> None:
    """900 handwritten digits as raw pixels, unscaled."""
    pixels, digits = sk_datasets.load_digits(return_X_y=True)
    train, validation, test = (Labelled(pixels[i::6], digits[i::6].astype(np.int64), 10) for i in range(3))
    probe = Linear().fit(train, validation)
    assert accuracy(probe.scores(test.features), test) > 0.9
    theirs = reference(joined(train, validation), float(str(probe.chosen["C"])))
    np.testing.assert_array_equal(probe.scores(test.features).argmax(axis=1), theirs.predict(test.features))


def test_of_equally_good_strengths_the_smallest_is_chosen() -> None:
    features = np.repeat(np.eye(3) * 50, 4, axis=0)
    data = Labelled(features, np.repeat(np.arange(3), 4), 3)
    assert Linear().fit(data, data).chosen == {"C": STRENGTHS[0]}
    assert Linear(strengths=(3.0, 0.5, 9.0)).fit(data, data).chosen == {"C": 0.5}


def test_no_test_label_is_seen() -> None:
    """A probe is chosen before there are test labels; whatever they are, it is the same to the bit."""
    train, validation, test = clusters(4, 60, 5, 3)
    first, seen = Linear().fit(train, validation), set()
    for labels in (test.labels, test.labels[::-1], 2 - test.labels, test.labels[:0]):
        changed = Labelled(test.features[: len(labels)], labels, 3)
        probe = Linear().fit(train, validation)
        seen.add(accuracy(probe.scores(changed.features), changed) if len(labels) else None)
        assert probe.chosen == first.chosen
        np.testing.assert_array_equal(probe.scores(test.features), first.scores(test.features))
    assert len(seen) > 2


def test_classes_without_a_picture_are_never_chosen() -> None:
    train, validation, test = clusters(5, 60, 5, 3)
    apart = [Labelled(part.features, np.array([2, 7, 40])[part.labels], 50) for part in (train, validation, test)]
    plain, sparse = Linear().fit(train, validation), Linear().fit(apart[0], apart[1])
    assert sparse.chosen == plain.chosen
    scores = sparse.scores(test.features)
    assert scores.shape == (60, 50)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores[:, [2, 7, 40]], plain.scores(test.features))
    assert set(scores.argmax(axis=1)) <= {2, 7, 40}


@pytest.mark.parametrize(("known", "shown"), [(1, {0}), (2, {0, 1, 2})])
def test_classes_that_only_validation_shows(known: int, shown: set[int]) -> None:
    """With two classes in train the fit on both sets learns all three; one class leaves nothing to choose C by."""
    train, validation, test = clusters(6, 60, 5, 3)
    few = Labelled(train.features[train.labels < known], train.labels[train.labels < known], 3)
    probe = Linear().fit(few, validation)
    assert set(probe.scores(test.features).argmax(axis=1)) == shown
    assert known > 1 or probe.chosen == {"C": STRENGTHS[0]}
    alone = Linear().fit(few, None).scores(test.features)
    assert alone.argmax(axis=1).max() == known - 1


def test_multi_label_classes_that_all_or_none_show() -> None:
    train, validation, test = multi_label(0)
    labels = train.labels.copy()
    labels[:, 1], labels[:, 3] = True, False
    probe = Linear(strengths=STRENGTHS[::12]).fit(Labelled(train.features, labels, 5), None)
    scores = probe.scores(test.features)
    assert (scores[:, 1] == scores[0, 1]).all()
    assert scores[0, 1] > 4 > -4 > scores[0, 3]
    Linear(strengths=STRENGTHS[::12]).fit(Labelled(train.features, labels, 5), validation)
    none = Labelled(train.features, np.zeros_like(labels), 5)
    assert Linear(strengths=(1.0, 2.0)).fit(none, validation).chosen == {"C": 1.0}


def test_what_cannot_be_fitted() -> None:
    train, _, _ = clusters(7, 10, 3, 2)
    with pytest.raises(DataError, match="no training item"):
        Linear().fit(Labelled(train.features[:0], train.labels[:0], 2), None)
    for wrong in ({"strength": 0.0}, {"strengths": ()}, {"strengths": (1.0, -1.0)}):
        with pytest.raises(UsageError, match="above 0"):
            Linear(**wrong)
    with pytest.raises(ValueError, match="outside 0..1"):
        Labelled(train.features, train.labels + 1, 2)
    with pytest.raises(ValueError, match="do not fit"):
        Labelled(train.features, train.labels[:3], 2)
