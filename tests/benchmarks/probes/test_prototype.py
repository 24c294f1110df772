"""Nearest class mean against plain loops and scikit-learn."""

import inspect

import numpy as np
import pytest

from mmbench.benchmarks.probes.labelled import Labelled
from mmbench.benchmarks.probes.prototype import Prototype
from mmbench.harness.errors import DataError
from tests.lazy import sk_neighbors


def drawn(n, classes=4, d=6, seed=0):
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(classes, size=n - classes)])
    return Labelled((random.normal(size=(n, d)) + labels[:, None]).astype(np.float32), labels, classes)


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def mean_of(vectors):
    return sum(vector / np.linalg.norm(vector) for vector in vectors) / len(vectors)


def test_cosine_to_the_mean_of_unit_vectors():
    train, test = drawn(30), drawn(20, seed=1)
    means = [mean_of(train.features[train.labels == c].astype(float)) for c in range(4)]
    expected = [[cosine(query.astype(float), mean) for mean in means] for query in test.features]
    probe = Prototype().fit(train, drawn(9, seed=2))
    assert probe.scores(test.features) == pytest.approx(np.array(expected), abs=1e-12)
    assert probe.chosen == {}


def test_agrees_with_scikit_learn_where_means_have_one_length():
    # Mirrored classes: their means are as long as each other, so that Euclidean distance and cosine order them alike.
    random = np.random.default_rng(0)
    half = random.normal(size=(20, 5)) + 1
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    train = Labelled(np.concatenate([half, -half]), np.repeat([0, 1], 20), 2)
    test = random.normal(size=(200, 5))
    theirs = sk_neighbors.NearestCentroid().fit(train.features, train.labels).predict(test)
    assert np.array_equal(Prototype().fit(train, None).scores(test).argmax(axis=1), theirs)


def test_multi_label_is_a_question_between_two_means_a_class():
    random = np.random.default_rng(3)
    features, labels = random.normal(size=(40, 5)), random.random((40, 3)) < 0.4
    queries = random.normal(size=(10, 5))
    probe = Prototype().fit(Labelled(features, labels, 3), None)
    for row, query in enumerate(queries):
        for c in range(3):
            shown, absent = mean_of(features[labels[:, c]]), mean_of(features[~labels[:, c]])
            assert probe.scores(queries)[row, c] == pytest.approx(cosine(query, shown) - cosine(query, absent))


def test_a_class_without_an_item_is_never_nearest():
    train = Labelled(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 2]), 3)
    scores = Prototype().fit(train, None).scores(np.array([[-1.0, -0.5], [1.0, 0.2]]))
    assert scores[:, 1].tolist() == [-1.0, -1.0] and scores.argmax(axis=1).tolist() == [2, 0]
    labels = np.array([[True, False], [True, False]])  # the first has no negative, the second no positive
    scores = Prototype().fit(Labelled(train.features, labels, 2), None).scores(train.features)
    assert scores == pytest.approx(np.array([[0.5**0.5 + 1, -1 - 0.5**0.5]] * 2))


def test_zero_vectors_one_class_and_float32():
    zero = Labelled(np.zeros((2, 3), np.float32), np.array([0, 1]), 2)
    assert Prototype().fit(zero, None).scores(np.ones((1, 3))).tolist() == [[0.0, 0.0]]
    one = Labelled(np.ones((2, 3), np.float32), np.array([0, 0]), 1)
    scores = Prototype().fit(one, None).scores(np.array([[1, 1, 1], [0, 0, 0]], np.float32))
    assert scores.dtype == np.float64 and scores == pytest.approx(np.array([[1.0], [0.0]]))


def test_errors_and_what_it_may_see():
    with pytest.raises(DataError, match="no training item"):
        Prototype().fit(Labelled(np.zeros((0, 4)), np.zeros(0, np.int64), 2), None)
    assert list(inspect.signature(Prototype().fit).parameters) == ["train", "validation"]
