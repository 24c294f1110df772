"""k-NN against a loop over queries, neighbours and classes."""

import inspect
import math
import tracemalloc

import numpy as np
import pytest

from mmbench.benchmarks.probes import cosines
from mmbench.benchmarks.probes.knn import Knn, nearest
from mmbench.benchmarks.probes.labelled import Labelled
from mmbench.benchmarks.probes.quality import quality
from mmbench.harness.errors import DataError, UsageError


def clouds(n, classes=4, d=8, seed=0, noise=1.0, multi=False):
    """Classes around centres that are the same for every seed."""
    centres = np.random.default_rng(99).normal(size=(classes, d))
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=n)
    features = (centres[labels] + noise * random.normal(size=(n, d))).astype(np.float32)
    if multi:
        labels = (labels[:, None] == np.arange(classes)) | (random.random((n, classes)) < 0.2)
    return Labelled(features, labels, classes)


def plain_votes(train, queries, k, temperature=0.07):
    """One query, one neighbour, one class at a time."""
    found = np.zeros((len(queries), train.classes))
    for row, query in enumerate(queries.astype(float)):
        cosines = []
        for number, key in enumerate(train.features.astype(float)):
            norms = math.sqrt(sum(query**2)) * math.sqrt(sum(key**2))
            cosines.append((-(sum(query * key) / norms if norms else 0.0), number))
        for minus, number in sorted(cosines)[:k]:
            for c in range(train.classes):
                shows = train.labels[number, c] if train.multi_label else train.labels[number] == c
                found[row, c] += math.exp(-minus / temperature) if shows else 0.0
    return found


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("k", [1, 5, 20, 60])
def test_votes_are_those_of_plain_loops(k, multi):
    train, test = clouds(60, multi=multi), clouds(30, seed=1)
    probe = Knn(k=k).fit(train, None)
    assert probe.scores(test.features) == pytest.approx(plain_votes(train, test.features, k), rel=1e-9)
    assert probe.chosen == {}


@pytest.mark.parametrize("multi", [False, True])
def test_sweep_takes_the_smallest_of_the_best(multi):
    train = clouds(70, multi=multi, noise=2.0)
    for seed in range(5):
        validation = clouds(40, seed=seed + 1, multi=multi, noise=2.0)
        tried = {k: quality(plain_votes(train, validation.features, k), validation) for k in (1, 2, 5, 10, 20, 50, 70)}
        best = min(tried, key=lambda k: (-tried[k], k))
        probe = Knn().fit(train, validation)
        assert probe.chosen == {"k": best} and probe.k == best
        assert probe.scores(validation.features) == pytest.approx(plain_votes(train, validation.features, best))


def test_swept_k_does_not_depend_on_the_size_of_blocks(monkeypatch):
    train, test = clouds(200), clouds(50, seed=1)
    whole = Knn().fit(train, test)
    monkeypatch.setattr(cosines, "_NUMBERS", 700)
    parts = Knn().fit(train, test)
    assert parts.k == whole.k
    assert parts.scores(test.features) == pytest.approx(whole.scores(test.features), rel=1e-12)


def test_ties_for_the_last_place_fall_to_the_earliest():
    keys = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    similar, index = nearest(np.array([[0.0, 1.0], [1.0, 0.0]]), keys, 2)
    assert index.tolist() == [[1, 2], [0, 4]]
    assert similar.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    train = Labelled(np.ones((6, 3)), np.array([2, 1, 1, 0, 0, 0]), 3)
    assert Knn(k=1).fit(train, None).scores(np.ones((1, 3))).argmax() == 2


def test_all_vote_where_k_exceeds_their_number():
    train = clouds(7)
    probe = Knn(k=20).fit(train, None)
    assert probe.k == 7
    assert np.array_equal(probe.scores(train.features), Knn(k=7).fit(train, None).scores(train.features))
    assert Knn().fit(train, clouds(5, seed=1)).k in (1, 2, 5, 7)


def test_zero_vectors_one_class_and_one_item():
    train = Labelled(np.zeros((3, 4), np.float32), np.array([0, 0, 1]), 3)
    assert Knn().fit(train, None).scores(np.zeros((2, 4))) == pytest.approx(np.array([[2.0, 1.0, 0.0]] * 2))
    one = Labelled(np.ones((1, 4), np.float32), np.array([0]), 1)
    assert Knn().fit(one, one).scores(np.ones((2, 4))) == pytest.approx(np.full((2, 1), math.exp(1 / 0.07)))


def test_float32_is_computed_in_float64():
    train, test = clouds(50), clouds(20, seed=1)
    exact = Labelled(train.features.astype(np.float64), train.labels, train.classes)
    assert np.array_equal(
        Knn().fit(train, None).scores(test.features),
        Knn().fit(exact, None).scores(test.features.astype(np.float64)),
    )
    assert Knn().fit(train, None).scores(test.features).dtype == np.float64


def test_errors_say_what_is_wrong():
    empty = Labelled(np.zeros((0, 4)), np.zeros(0, np.int64), 2)
    with pytest.raises(DataError, match="no training item"):
        Knn().fit(empty, None)
    with pytest.raises(DataError, match="set `sweep: false`"):
        Knn().fit(clouds(5, classes=2, d=4), empty)
    with pytest.raises(UsageError, match="at least 1"):
        Knn(k=0)
    with pytest.raises(UsageError, match="above 0"):
        Knn(temperature=0.0)


def test_no_test_item_can_be_seen_before_the_choice():
    assert list(inspect.signature(Knn().fit).parameters) == ["train", "validation"]


def test_the_product_never_stands_in_memory(monkeypatch):
    monkeypatch.setattr(cosines, "_NUMBERS", 2**18)
    train, test = clouds(3000, d=4), clouds(3000, d=4, seed=1)
    tracemalloc.start()
    Knn().fit(train, None).scores(test.features)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000 * 8 / 4
