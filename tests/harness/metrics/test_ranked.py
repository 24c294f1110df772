"""Ranked lists: equal to the mean over all orders of ties, to scikit-learn, and to the reference figures."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from mmbench import metrics
from tests.lazy import sk_metrics

Read = Callable[[str], Any]


def lists(case: dict[str, Any], query: str) -> tuple[list[float], list[float]]:
    """Scores and relevance of all that was judged or retrieved for a query."""
    judged, run = case["qrels"][query], case["run"].get(query, {})
    documents = sorted({*judged, *run})
    return [run.get(name, -np.inf) for name in documents], [judged.get(name, 0) for name in documents]


def test_they_are_those_of_the_reference(reference: Read) -> None:
    for case in reference("ndcg_map_mrr")["cases"]:
        tied = case["name"] == "ties in scores"
        for query, expected in case["expected"]["per_query_pytrec_eval"].items():
            given = lists(case, query)
            made = {"map": metrics.average_precision(*given), "recip_rank": metrics.reciprocal_rank(*given)}
            made |= {"ndcg": metrics.ndcg(*given)}
            made |= {f"ndcg_cut_{k}": metrics.ndcg(*given, k) for k in (1, 3, 5, 10)}
            made |= {f"map_cut_{k}": metrics.average_precision(*given, k) for k in (5, 10)}
            # Figures of trec_eval have eight digits, and break ties by names: there only the rest is alike.
            for name, value in made.items():
                assert tied or value == pytest.approx(expected[name], abs=1e-8)
        means = next(held for name, held in case["expected"].items() if name.startswith("ranx"))
        burges = [metrics.ndcg(*lists(case, query), 10, "exponential") for query in case["qrels"]]
        precisions = [metrics.average_precision(*lists(case, query)) for query in case["qrels"]]
        if not tied:  # a query that is missing from the run counts 0
            assert np.mean(burges) == pytest.approx(means["ndcg_burges@10"], abs=1e-12)
            assert np.mean(precisions) == pytest.approx(means["map"], abs=1e-12)


def test_ties_lie_between_the_best_and_the_worst_order(reference: Read) -> None:
    case = next(case for case in reference("ndcg_map_mrr")["cases"] if case["name"] == "ties in scores")
    draw = np.random.default_rng(0)
    for query in case["qrels"]:
        scores, relevance = np.array(lists(case, query))
        held = np.isfinite(scores)
        for metric in (metrics.ndcg, metrics.average_precision, metrics.reciprocal_rank):
            drawn = [
                metric(scores + np.where(held, draw.uniform(0, 1e-9, len(scores)), 0), relevance) for _ in range(400)
            ]
            assert np.mean(drawn) == pytest.approx(metric(scores, relevance), abs=5 * np.std(drawn) / 20 + 1e-12)


def test_composed_retrieval_is_that_of_the_reference(reference: Read) -> None:
    for case in reference("ndcg_map_mrr")["composed"]:
        kept = np.arange(len(case["scores"])) != case["reference_index"]
        scores, expected = np.array(case["scores"])[kept], case["expected"]
        right = np.isin(np.arange(len(kept)), case["all_ground_truths"])[kept]
        for k in (5, 10, 25):
            made = metrics.average_precision(scores, right, k, divisor="reachable")
            assert made == pytest.approx(expected[f"ap@{k}"], abs=1e-12)
        target = (np.arange(len(kept)) == case["target"])[kept]
        rank = expected["rank_of_target (reference taken out)"]
        assert metrics.reciprocal_rank(scores, target) == pytest.approx(1 / rank)
        assert metrics.recall_at_k([scores], [int(np.flatnonzero(target)[0])], rank) == 1


def plain(order: list[int], relevance: Any, k: int) -> tuple[float, float, float]:
    """The three, of one order."""
    gains = np.array(relevance)[order]
    discount = 1 / np.log2(np.arange(2, len(order) + 2))
    ideal = (np.sort(relevance)[::-1] * discount)[:k].sum()
    right = gains > 0
    precision = np.cumsum(right) / np.arange(1, len(order) + 1)
    first = int(np.argmax(right))
    return (
        (gains * discount)[:k].sum() / ideal,
        (precision * right)[:k].sum() / right.sum(),
        1 / (first + 1) if first < k else 0.0,
    )


@pytest.mark.parametrize("seed", range(12))
def test_ties_count_by_the_mean_over_all_orders(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores, relevance = draw.integers(0, 3, 6), draw.integers(0, 3, 6)
    relevance[0] = 2
    orders = [list(order) for order in permutations(range(6)) if (np.diff(scores[list(order)]) <= 0).all()]
    for k in range(1, 8):
        expected = np.mean([plain(order, relevance, k) for order in orders], axis=0)
        made = [
            metrics.ndcg(scores, relevance, k),
            metrics.average_precision(scores, relevance, k),
            metrics.reciprocal_rank(scores, relevance, k),
        ]
        assert made == pytest.approx(expected.tolist())
        assert metrics.ndcg(scores, relevance, k) == pytest.approx(sk_metrics.ndcg_score([relevance], [scores], k=k))


def test_average_precision_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    scores, right = draw.standard_normal(50), draw.random(50) < 0.2
    assert metrics.average_precision(scores, right) == pytest.approx(sk_metrics.average_precision_score(right, scores))


def test_ends_of_ranked_lists() -> None:
    for metric in (metrics.ndcg, metrics.average_precision, metrics.reciprocal_rank):
        assert np.isnan(metric([1.0, 2.0], [0, 0]))
        assert metric([5], [1]) == metric([2.0, 1.0], [True, False], 1) == 1
        assert metric([-np.inf, -np.inf], [1, 0]) == 0  # nothing was retrieved
        assert metric([1.0, -np.inf], [0, 3]) == 0
        assert type(metric(np.float32([1.0, 1.0]), [1, 0])) is float
    assert metrics.ndcg(np.zeros(4), [3, 3, 3, 3], 2) == pytest.approx(1)
    many = metrics.reciprocal_rank(np.zeros(100_000), np.arange(100_000) == 7)
    assert many == pytest.approx((np.log(100_000) + np.euler_gamma) / 100_000, rel=1e-5)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.ndcg([1.0], [1, 2], 1), "the lists differ in length (scores 1, relevance 2)"),
    (lambda: metrics.ndcg([1.0], [-1], 1), "relevance is 0 or more"),
    (lambda: metrics.ndcg([np.nan], [1], 1), "scores hold NaN"),
    (lambda: metrics.ndcg([1.0], [1], 0), "k is a whole number from 1, not 0"),
    (lambda: metrics.ndcg([1.0], [1], 1, "squared"), "gain is linear or exponential"),
    (lambda: metrics.average_precision([], []), "scores are of shape (0,)"),
    (lambda: metrics.average_precision([1.0], [1], 1, "all"), "divisor is relevant or reachable"),
    (lambda: metrics.reciprocal_rank([1.0], [np.nan]), "relevance hold NaN"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        call()
    assert reason in str(caught.value)
