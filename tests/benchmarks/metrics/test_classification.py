"""The metrics of classification agree with scikit-learn, are fair to ties, and take weights as repeated items."""

import tracemalloc
from itertools import permutations

import numpy as np
import pytest

from mmbench.benchmarks.metrics.classification import (
    best_is_right,
    guessed_hit,
    mean_average_precision,
    mean_per_class_recall,
    top_k_hits,
)
from tests.lazy import sk_metrics


def by_enumeration(scores: list[float], target: tuple[int, ...], k: int) -> float:
    """Share of all orders of the classes, sorted by score, that have a right class among the first k."""
    orders = list(permutations(range(len(scores))))
    kept = [order for order in orders if all(scores[a] >= scores[b] for a, b in zip(order, order[1:], strict=False))]
    return sum(any(i in target for i in order[:k]) for order in kept) / len(kept)


@pytest.mark.parametrize("scores", [[0, 0, 0, 0], [1, 1, 0, 0], [2, 1, 1, 1], [1, 2, 2, 0], [3, 2, 1, 0], [1, 1, 1, 2]])
@pytest.mark.parametrize("target", [(0,), (2,), (0, 1), (1, 3), (0, 1, 2, 3)])
def test_ties_get_expected_credit(scores: list[float], target: tuple[int, ...]) -> None:
    found = top_k_hits(np.array(scores, dtype=np.float64), target, [1, 2, 3, 4])
    assert found == pytest.approx([by_enumeration(scores, target, k) for k in (1, 2, 3, 4)], abs=1e-12)


def test_rounding_is_a_tie() -> None:
    assert top_k_hits(np.array([0.3, 0.1 + 0.2]), (0,), [1]) == [0.5]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_is_that_of_scikit_learn(k: int) -> None:
    rng = np.random.default_rng(k)
    scores, labels = rng.standard_normal((200, 7)), rng.integers(0, 7, 200)
    mine = [top_k_hits(row, (label,), [k])[0] for row, label in zip(scores, labels.tolist(), strict=True)]
    assert np.mean(mine) == pytest.approx(sk_metrics.top_k_accuracy_score(labels, scores, k=k), abs=1e-12)


def test_guess() -> None:
    assert guessed_hit(10, 1, 5) == pytest.approx(0.5)
    assert guessed_hit(10, 3, 1) == pytest.approx(0.3)
    assert guessed_hit(4, 2, 2) == pytest.approx(1 - 1 / 6)
    assert guessed_hit(3, 1, 5) == 1.0


def test_recall_is_balanced_accuracy() -> None:
    rng = np.random.default_rng(0)
    labels, guesses = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    table = np.stack([labels, labels == guesses], axis=1).astype(np.float64)
    assert mean_per_class_recall(table, np.ones((1, 300)))[0] == pytest.approx(
        sk_metrics.balanced_accuracy_score(labels, guesses)
    )


def test_recall_of_many_classes_needs_no_table_of_items_by_classes() -> None:
    n, classes = 20_000, 2_000
    rng = np.random.default_rng(1)
    table = np.stack([rng.permutation(n) % classes, rng.integers(0, 2, n)], axis=1).astype(np.float64)
    tracemalloc.start()
    found = mean_per_class_recall(table, np.ones((1, n)))[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(table[:, 1].mean())  # classes of one size
    assert peak < 100 * n


@pytest.mark.parametrize("levels", [3, 1000])
def test_map_is_that_of_scikit_learn(levels: int) -> None:
    rng = np.random.default_rng(levels)
    scores = rng.integers(0, levels, (80, 6)) / levels  # few levels: many ties
    targets = (rng.random((80, 6)) < 0.3).astype(np.float64)
    targets[:, 4] = 0  # a class without a positive item stays out
    expected = np.mean([sk_metrics.average_precision_score(targets[:, c], scores[:, c]) for c in (0, 1, 2, 3, 5)])
    assert mean_average_precision(np.hstack([scores, targets]), np.ones((1, 80)))[0] == pytest.approx(expected)


def test_map_without_any_positive_is_not_defined() -> None:
    assert np.isnan(mean_average_precision(np.zeros((4, 6)), np.ones((2, 4)))).all()


@pytest.mark.parametrize("metric", [mean_per_class_recall, mean_average_precision])
def test_weights_are_repeated_items(metric: type) -> None:
    rng = np.random.default_rng(5)
    n = 40
    if metric is mean_per_class_recall:
        table = np.stack([rng.integers(0, 4, n), rng.integers(0, 2, n)], axis=1).astype(np.float64)
    else:
        table = np.hstack([rng.standard_normal((n, 3)), rng.integers(0, 2, (n, 3))])
    weights = rng.integers(0, 3, (5, n)).astype(np.float64)
    repeated = [metric(np.repeat(table, w.astype(int), axis=0), np.ones((1, int(w.sum()))))[0] for w in weights]
    assert metric(table, weights) == pytest.approx(repeated)


def test_the_best_of_many_items_is_that_of_each() -> None:
    random = np.random.default_rng(0)
    scores = np.round(random.normal(size=(300, 4)), 1)  # many ties
    scores[0], scores[1, 2] = np.inf, -np.inf
    targets = random.integers(4, size=300).tolist()
    one_by_one = [top_k_hits(row, (target,), [1])[0] for row, target in zip(scores, targets, strict=True)]
    assert best_is_right(scores, targets).tolist() == one_by_one
