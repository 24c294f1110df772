"""Intervals of proportions of all kinds cover as often as they say, near the edge too, and are as narrow as can be."""

import numpy as np
import pytest

from mmbench.benchmarks.metrics.classification import mean_per_class_recall, per_class_shares
from mmbench.benchmarks.metrics.yes_no import f1, f1_shares, precision, precision_shares, recall, recall_shares
from mmbench.harness.statistics.clusters import student_share
from mmbench.harness.statistics.shares import Shares, share_changes, share_interval
from mmbench.harness.statistics.wilson import wilson

DRAWS = 300
LEAST = 0.95 - 3 * np.sqrt(0.95 * 0.05 / DRAWS)


def answers(rng: np.random.Generator, n: int, rate: float) -> np.ndarray:
    """Return statistics of n items, half of them yes, of which so many are answered rightly."""
    yes, right = rng.random(n) < 0.5, rng.random(n) < rate
    return np.column_stack([yes & right, ~yes & ~right, yes & ~right, np.ones(n)]).astype(float)


@pytest.mark.parametrize("rate", [0.9, 0.99])
@pytest.mark.parametrize("shares", [precision_shares, recall_shares, f1_shares])
def test_precision_recall_and_f1_cover(shares, rate: float) -> None:
    rng = np.random.default_rng(0)
    ends = np.array([share_interval(shares(answers(rng, 200, rate)), np.arange(200)) for _ in range(DRAWS)])
    assert np.mean((ends[:, 0] <= rate) & (rate <= ends[:, 1])) >= LEAST
    assert (ends[:, 1] > ends[:, 0]).all()


@pytest.mark.parametrize("rate", [0.7, 0.9, 0.98])
@pytest.mark.parametrize("sizes", [[5, 5, 10, 10, 20, 20, 30, 30, 35, 35], [2, 2, 3, 3, 5, 5, 7, 7, 8, 8]])
def test_mean_per_class_recall_covers(rate: float, sizes: list[int]) -> None:
    """Small classes tell their variance badly, which as many degrees of freedom as items would not know."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(10), sizes)
    draws, covered, width = 3 * DRAWS, 0, []
    for each in rng.uniform(2 * rate - min(1, rate + 0.05), min(1, rate + 0.05), draws):
        right = rng.random(len(classes)) < each
        shares = per_class_shares(np.column_stack([classes, right]).astype(float))
        low, high = share_interval(shares, np.arange(len(classes))) or (0.0, 0.0)
        covered += low <= each <= high
        width.append(high - low)
    assert 0.93 <= covered / draws <= 0.99  # near the edge nothing wrong is common, and covered
    assert np.mean(width) < (0.2 if len(classes) == 200 else 0.34)


def test_attributes_of_a_caption_count_each() -> None:
    """With nothing wrong there is no telling whether they would be wrong together, as of items that share a picture."""
    named = np.array([1.0, 2.0, 3.0] * 10)
    assert share_interval(Shares(named, named, coins=named), np.arange(30)) == wilson(
        *[60 * student_share(0.95, 29)] * 2
    )
    right = named - (np.arange(30) % 5 == 0)
    low, high = share_interval(Shares(right, named, coins=named), np.arange(30)) or (0.0, 0.0)
    each = np.repeat(np.arange(30), named.astype(int))
    flat = np.concatenate([np.arange(n) < hit for n, hit in zip(named, right, strict=True)]).astype(float)
    assert share_interval(Shares(flat, np.ones(60)), each) == pytest.approx((low, high), abs=0.03)


def test_nothing_wrong_is_not_certain() -> None:
    for shares in (precision_shares, recall_shares):
        right = np.tile([[1.0, 0, 0, 1], [0, 0, 0, 1]], (20, 1))
        assert share_interval(shares(right), np.arange(40)) == wilson(20, 20)


def test_values_between_right_and_wrong_are_worth_more() -> None:
    values = np.random.default_rng(0).normal(0.4, 0.05, 100)
    low, high = share_interval(Shares(values, np.ones(100)), np.arange(100)) or (0, 0)
    assert high - low == pytest.approx(2 * 1.98 * values.std() / 10, rel=0.05)


def test_no_items_no_interval() -> None:
    assert share_interval(Shares(np.zeros(3), np.zeros(3)), np.arange(3)) is None
    assert share_interval(Shares(np.ones(3), np.ones(3)), np.zeros(3, int)) is None


@pytest.mark.parametrize(
    ("metric", "shares"), [(precision, precision_shares), (recall, recall_shares), (f1, f1_shares)]
)
def test_changes_add_up_to_the_difference(metric, shares) -> None:
    rng = np.random.default_rng(0)
    yes = rng.random(300) < 0.5
    tables = []
    for rate in (0.7, 0.8):
        right = rng.random(300) < rate
        tables.append(np.column_stack([yes & right, ~yes & ~right, yes & ~right, np.ones(300)]).astype(float))
    once = np.ones((1, 300))
    expected = float(metric(tables[1], once)[0] - metric(tables[0], once)[0])
    assert share_changes(*map(shares, tables)).mean() == pytest.approx(expected)


def test_changes_of_mean_per_class_recall() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 7, 200)
    tables = [np.column_stack([classes, rng.random(200) < rate]).astype(float) for rate in (0.6, 0.8)]
    once = np.ones((1, 200))
    changes = share_changes(*map(per_class_shares, tables))
    expected = float((mean_per_class_recall(tables[1], once) - mean_per_class_recall(tables[0], once))[0])
    assert changes.mean() == pytest.approx(expected)
    assert (changes[tables[0][:, 1] == tables[1][:, 1]] == 0).all()


@pytest.mark.parametrize("sizes", [[45, 1, 1, 1, 1, 1], [180, *[2] * 9]])
@pytest.mark.parametrize("rate", [0.7, 0.9])
def test_wrong_items_of_a_large_class_tell_nothing_of_small_ones(sizes: list[int], rate: float) -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    covered = 0
    for _ in range(DRAWS):
        right = rng.random(len(classes)) < rate
        shares = per_class_shares(np.column_stack([classes, right]).astype(float))
        low, high = share_interval(shares, np.arange(len(classes))) or (0.0, 0.0)
        covered += low <= rate <= high
    assert covered / DRAWS >= LEAST


@pytest.mark.parametrize(("n", "other"), [(12, 0.05), (20, 0.02), (50, 0.02)])
def test_what_is_common_to_a_few_is_not_all_there_is(n: int, other: float) -> None:
    """Nearly all values are .6, and the rest 0; of few items most draws hold no 0 at all."""
    rng = np.random.default_rng(0)
    truth = 0.6 * (1 - other)
    covered = 0
    for _ in range(DRAWS):
        low, high = share_interval(Shares(0.6 * (rng.random(n) >= other), np.ones(n)), np.arange(n)) or (0.0, 0.0)
        covered += low <= truth <= high
    assert covered / DRAWS >= LEAST
    low, high = share_interval(Shares(np.full(1000, 0.6), np.ones(1000)), np.arange(1000)) or (0.0, 1.0)
    assert high - low < 0.02, "a thousand do say that little else is there"


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_one_picture_with_most_of_the_items(rate: float) -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(101), [500, *[1] * 100])
    covered = 0
    for _ in range(DRAWS):
        right = (rng.random(600) < rate).astype(float)
        low, high = share_interval(Shares(right, np.ones(600)), codes) or (0.0, 0.0)
        covered += low <= rate <= high
    assert covered / DRAWS >= LEAST
