"""Failures of the model count 0, failures of the run leave value and n, and both show in coverage and bounds."""

import json
import math
from typing import Any

import numpy as np
import pytest

from mmbench.harness.scores.breakdown import MOST_LEVELS, break_down
from mmbench.harness.scores.score import as_json, score, scored
from mmbench.harness.statistics.estimate import chance_corrected
from mmbench.harness.statistics.wilson import wilson
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome, Status

ACCURACY = Metric("accuracy", "")
RANK = Metric("rank", "", best=None, proportion=False, higher_is_better=False)
TOTAL = Metric("total", "", aggregate=lambda statistics, weights: weights @ statistics[:, 0])
UNDEFINED = Metric("undefined", "", aggregate=lambda statistics, weights: np.full(len(weights), np.nan))


def item(i: int, status: Status = "ok", value: float = 0.0, **more: Any) -> Outcome:
    values = {} if status == "error" else {"accuracy": value, "rank": 10 * value}
    statistics = {} if status == "error" else {"total": (value,), "undefined": (0.0,)}
    alone = {"cluster": str(i), **more}
    return Outcome(str(i), status, None, None, values, statistics=statistics, **alone)


def test_all_four_statuses() -> None:
    outcomes = [item(0, value=1.0), item(1), item(2, "unparsed"), item(3, "refused"), item(4, "error")]
    (made,) = score([ACCURACY], outcomes)
    assert (made.value, made.n, made.coverage) == (0.25, 4, 0.4)
    assert made.bounds == (0.2, 0.8)
    assert (made.low, made.high) == wilson(1, 4)
    assert made.primary


def test_expected_hits_are_no_whole_numbers() -> None:
    (made,) = score([ACCURACY], [item(0, value=0.25), item(1, value=0.5)])
    assert (made.value, made.bounds) == (0.375, (0.375, 0.375))
    assert made.low is not None and made.high is not None and made.low < 0.375 < made.high


def test_fractional_values_have_an_interval_of_their_own_spread() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, 400).clip(0, 1)
    (made,) = score([ACCURACY], [item(i, value=value) for i, value in enumerate(values.tolist())])
    assert made.low is not None and made.high is not None
    assert made.high - made.low == pytest.approx(2 * 1.966 * values.std() / 20, rel=0.03)


def test_only_errors() -> None:
    made, rank, total = score([ACCURACY, RANK, TOTAL], [item(0, "error"), item(1, "error")])
    for each in (made, rank, total):
        assert (each.value, each.low, each.high, each.n, each.coverage, each.bounds) == (None, None, None, 0, 0.0, None)


def test_no_outcomes() -> None:
    (made,) = score([ACCURACY], [])
    assert (made.value, made.n, made.coverage) == (None, 0, 0.0)


def test_a_metric_without_range_has_no_bounds() -> None:
    rank, total, undefined = score([RANK, TOTAL, UNDEFINED], [item(0, value=1.0), item(1), item(2, "error")])
    assert (rank.value, rank.bounds) == (5.0, None)
    assert (total.value, total.bounds) == (1.0, None)
    assert (undefined.value, undefined.low) == (None, None)


def test_surer_intervals_reach_no_further_than_values_can() -> None:
    """Beyond 95 % ends of resamples are moved out, and a jackknife knows no bounds."""
    rate = Metric(
        "cer",
        "",
        higher_is_better=False,
        best=0.0,
        proportion=False,
        aggregate=lambda statistics, weights: (weights @ statistics[:, 0]) / (weights @ statistics[:, 1]),
    )
    words = Metric(
        "words",
        "",
        higher_is_better=None,
        best=None,
        proportion=False,
        aggregate=lambda statistics, weights: weights @ statistics[:, 0],
        varies=lambda statistics: statistics[:, 0],
    )
    edits = [(3.0, 10.0), (0.0, 4.0), (1.0, 9.0), (0.0, 12.0)]
    outcomes = [
        Outcome(str(i), "ok", None, None, {}, statistics={"cer": each, "words": each}, cluster=str(i))
        for i, each in enumerate(edits)
    ]
    for made in scored([rate, words], outcomes):
        for confidence in (0.95, 0.99, 0.999):
            low, high = made.at(confidence) or (-1.0, -1.0)
            assert made.score.value is not None and 0 <= low <= made.score.value <= high


def test_every_kind_of_metric_has_an_interval_that_is_that_of_its_textbook() -> None:
    values = np.random.default_rng(0).integers(0, 2, 400).astype(float)
    accuracy, rank, total = score([ACCURACY, RANK, TOTAL], [item(i, value=value) for i, value in enumerate(values)])
    assert (accuracy.low, accuracy.high) == wilson(values.sum(), 400)
    error = 10 * values.std(ddof=1) / 20
    assert (rank.low, rank.high) == pytest.approx((rank.value - 1.966 * error, rank.value + 1.966 * error), abs=0.02)
    spread = values.std(ddof=1) * 20  # of a sum of 400
    assert (total.low, total.high) == pytest.approx(
        (total.value - 1.97 * spread, total.value + 1.97 * spread), rel=0.02
    )


def test_copies_of_an_item_are_worth_no_more_than_the_item() -> None:
    values = [float(i % 3 == 0) for i in range(100)]
    (once,) = score([ACCURACY], [item(i, value=value) for i, value in enumerate(values)])
    (twice,) = score([ACCURACY], [item(i, value=values[i // 2], cluster=str(i // 2)) for i in range(200)])
    assert (once.clusters, twice.clusters, twice.n) == (100, 100, 200)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=0.003)
    assert not twice.few_clusters


def test_few_clusters_are_flagged_and_one_has_no_interval() -> None:
    (few,) = score([ACCURACY], [item(i, value=i % 2, cluster=str(i % 19)) for i in range(190)])
    (one,) = score([ACCURACY], [item(i, value=i % 2, cluster="film") for i in range(10)])
    assert few.few_clusters and few.low is not None
    assert (one.clusters, one.low, one.few_clusters) == (1, None, True)


def test_bounds_of_a_corpus_metric_are_known_only_when_all_was_scored() -> None:
    (made,) = score([TOTAL], [item(0, value=1.0), item(1, value=1.0)])
    assert made.bounds == (2.0, 2.0)


def test_units_are_scored_apart() -> None:
    images = [item(0, value=1.0, unit="image"), item(1, "error", unit="image")]
    texts = [item(i, value=0.0, unit="text") for i in range(3)]
    other = Metric("accuracy", "", unit="text")
    first, second = score([Metric("accuracy", "", unit="image"), other], images + texts)
    assert (first.value, first.n, first.coverage) == (1.0, 1, 0.5)
    assert (second.value, second.n, second.coverage) == (0.0, 3, 1.0)


def test_chance_is_the_mean_over_items_or_the_cards_for_the_primary() -> None:
    outcomes = [item(0, chances={"accuracy": 0.5, "total": 0.1}), item(1, "error", chances={"accuracy": 0.25})]
    assert [each.chance for each in score([ACCURACY, TOTAL], outcomes)] == [0.375, 0.1]
    assert [each.chance for each in score([ACCURACY, TOTAL], outcomes, chance=0.2)] == [0.2, 0.1]
    assert score([RANK], outcomes)[0].chance is None


def ratio(statistics: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums divided by sums, as in BLEU: not the mean of per-item ratios."""
    with np.errstate(invalid="ignore"):
        return (weights @ statistics[:, 0]) / (weights @ statistics[:, 1])


def test_chance_of_a_corpus_metric_is_aggregated_from_guesses() -> None:
    corpus = Metric("corpus", "", aggregate=ratio)
    guesses = [(1.0, 2.0), (0.0, 6.0), (3.0, 4.0)]
    outcomes = [
        Outcome(str(i), "ok", None, None, {}, {"corpus": 0.9}, {"corpus": (1.0, 1.0)}, {"corpus": guess})
        for i, guess in enumerate(guesses)
    ]
    assert score([corpus], outcomes)[0].chance == pytest.approx(4 / 12)
    assert score([corpus], outcomes, chance=0.2)[0].chance == 0.2
    error = Outcome("3", "error", None, None, {}, guesses={"corpus": (8.0, 8.0)})
    assert score([corpus], [*outcomes, error])[0].chance == pytest.approx(12 / 20), "of all items, as other chances"
    apart = Outcome(
        "4", "ok", None, None, {}, statistics={"corpus": (0.0, 1.0)}, guesses={"corpus": (9.0, 9.0)}, unit="text"
    )
    assert score([corpus], [*outcomes, apart])[0].chance == pytest.approx(4 / 12)


def test_guesses_without_a_value_are_no_chance() -> None:
    corpus = Metric("corpus", "", aggregate=ratio)
    nothing = Outcome("0", "ok", None, None, {}, {}, {"corpus": (1.0, 1.0)}, {"corpus": (0.0, 0.0)})
    (made,) = score([corpus], [nothing])
    assert (made.value, made.chance) == (1.0, None)
    mean = Outcome("0", "ok", None, None, {"accuracy": 1.0}, {"accuracy": 0.25}, {}, {"accuracy": (1.0,)})
    assert score([ACCURACY], [mean])[0].chance == 0.25, "a mean of items has its chance from the items"


def test_a_value_that_some_items_lack_is_not_defined() -> None:
    outcomes = [item(0, value=1.0), Outcome("1", "ok", None, None, {})]
    assert [each.value for each in score([ACCURACY, TOTAL], outcomes)] == [None, None]


def test_breakdown_by_every_value_of_a_fact() -> None:
    outcomes = [
        item(i, value=float(i % 2), facts={"level": level, "free": str(i)})
        for i, level in enumerate([1, 2, 2, None, math.nan, math.inf, 1] * 10)
    ]
    levels = break_down([ACCURACY], outcomes).levels
    assert {each.fact for each in levels} == {"level"}, "a fact of 70 values is no breakdown"
    assert MOST_LEVELS == 50
    at_the_limit = [item(n, value=1.0, facts={"shade": n % MOST_LEVELS}) for n in range(100)]
    assert len(break_down([ACCURACY], at_the_limit).levels) == MOST_LEVELS
    assert [(each.level, each.score.n) for each in levels] == [(1, 20), (2, 20), (None, 30)]
    json.dumps([each.level for each in levels], allow_nan=False)


def test_json_never_holds_nan() -> None:
    for made in score([ACCURACY, UNDEFINED], [item(0, "error")]):
        text = json.dumps(as_json(made), allow_nan=False)
        assert json.loads(text)["value"] is None


@pytest.mark.parametrize(("value", "expected"), [(0.1, 0.0), (1.0, 1.0), (0.55, 0.5), (0.0, -1 / 9)])
def test_chance_corrected(value: float, expected: float) -> None:
    assert chance_corrected(value, 0.1, 1.0) == pytest.approx(expected)


DRAWN = Metric("accuracy", "", draws=True)


def drawn(i: int, *values: float, cluster: str | None = None) -> Outcome:
    mean = sum(values) / len(values)
    return Outcome(
        str(i), "ok", None, None, {"accuracy": mean}, statistics={"accuracy": values}, cluster=cluster or str(i)
    )


def interval(outcomes: list[Outcome]) -> tuple[float, float]:
    (made,) = score([DRAWN], outcomes)
    assert made.low is not None
    assert made.high is not None
    assert made.value is not None
    assert made.low <= made.value <= made.high
    return made.low, made.high


def width(outcomes: list[Outcome]) -> float:
    low, high = interval(outcomes)
    return high - low


def test_an_interval_over_draws_knows_how_few_they_are() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        table = (rng.random((60, 3)) < rng.beta(12, 12, 3)).astype(float)
        low, high = interval([drawn(i, *row) for i, row in enumerate(table.tolist())])
        covered += low <= 0.5 <= high
    assert 0.92 <= covered / 300 <= 0.99


def test_draws_that_differ_more_have_the_wider_interval() -> None:
    alike = [drawn(i, *[float(i % 2)] * 5) for i in range(100)]
    unlike = [drawn(i, 0.0, 1.0, 0.0, 1.0, float(i % 2)) for i in range(100)]
    assert np.mean([o.values["accuracy"] for o in unlike]) == pytest.approx(0.5)
    assert width(unlike) > 2 * width(alike)
    low, high = wilson(50, 100)
    assert width(alike) == pytest.approx(high - low, rel=0.1)


def test_draws_and_items_that_are_all_alike_are_as_unsure_as_one_draw() -> None:
    assert interval([drawn(i, 1.0, 0.0) for i in range(20)])[1] <= 1.0
    assert interval([drawn(i, 1.0, 1.0) for i in range(20)]) == wilson(20, 20)


def test_items_of_one_cluster_are_drawn_together() -> None:
    apart = [drawn(i, float(i % 2), float(i % 2)) for i in range(100)]
    together = [drawn(i, float(i % 2), float(i % 2), cluster=str(i % 4)) for i in range(100)]
    assert width(together) > 2 * width(apart)


def test_a_metric_of_draws_that_some_items_lack_is_not_defined() -> None:
    (made,) = score([DRAWN], [drawn(0, 1.0, 0.0), item(1, value=1.0)])
    assert (made.value, made.low, made.high) == (None, None, None)


def test_no_interval_reaches_where_no_value_can_lie() -> None:
    lower = Metric("brier", "", higher_is_better=False, best=0.0, proportion=False)
    rare = [Outcome(str(i), "ok", "", "", {"brier": 2.0 if i == 7 else 0.0}, cluster=str(i)) for i in range(60)]
    (made,) = score([lower], rare)
    assert made.low == 0.0 and made.high is not None and made.high > made.value > 0
    free = Metric("bias", "", higher_is_better=None, best=None, proportion=False)
    (made,) = score([free], [Outcome(str(i), "ok", "", "", {"bias": i - 30.0}, cluster=str(i)) for i in range(60)])
    assert made.low is not None and made.low < 0
