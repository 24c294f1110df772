"""Ranks are no surer than their items allow, and ties are made of the same resampled pictures."""

import numpy as np
import pytest

from mmbench.harness.board.replicates import cluster_keys, poisson_weights
from mmbench.harness.statistics.mcnemar import mcnemar_mid
from mmbench.harness.statistics.standing import Standing, pairwise, standings
from mmbench.harness.statistics.wilson import wilson

WEIGHTS = poisson_weights(cluster_keys([str(i) for i in range(2000)], ""), 0, 400).T.astype(np.float64)


def placed(values: np.ndarray) -> list[Standing]:
    """Stand models by their (n, models) right and wrong answers."""
    return standings(*arguments(values))


def arguments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ends = np.array([wilson(column.sum(), len(column)) for column in values.T])
    weights = WEIGHTS[:, : len(values)]
    weights = weights[weights.any(axis=1)]
    return values.mean(axis=0), ends, weights @ values / weights.sum(axis=1, keepdims=True)


def test_models_that_differ_are_ranked_apart() -> None:
    rng = np.random.default_rng(0)
    made = placed((rng.random((2000, 3)) < np.array([0.5, 0.9, 0.7])).astype(float))
    assert made == [Standing(3, 3, 3, 3), Standing(1, 1, 1, 1), Standing(2, 2, 2, 2)]


def test_the_same_answers_tie() -> None:
    values = np.random.default_rng(0).integers(2, size=(100, 1)).astype(float).repeat(3, axis=1)
    assert placed(values) == [Standing(1, 1, 3, 1)] * 3


def test_a_group_ends_at_the_first_that_its_best_beats() -> None:
    scores = np.array([0.70, 0.69, 0.66, 0.64])
    ends = np.stack([scores - 0.02, scores + 0.02], axis=1)
    replicates = scores + np.random.default_rng(0).normal(0, 0.01, (2000, 4))
    adjusted = pairwise(scores, ends, replicates)
    assert adjusted[0, 1] > 0.05 and adjusted[0, 2] < 0.05 and adjusted[1, 2] > 0.05
    made = standings(scores, ends, replicates)
    assert [each.group for each in made] == [1, 1, 2, 2]
    assert [(each.rank_low, each.rank_high) for each in made] == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_pairs_are_compared_on_the_same_resamples() -> None:
    """What moves all models together does not hide a difference."""
    shift = np.random.default_rng(0).normal(0, 0.1, (2000, 1))
    scores = np.array([0.5, 0.52])
    ends = np.stack([scores - 0.2, scores + 0.2], axis=1)
    replicates = scores + shift + np.random.default_rng(1).normal(0, 0.002, (2000, 2))
    assert [each.group for each in standings(scores, ends, replicates)] == [2, 1]


def test_few_items_that_do_not_vary_are_no_proof() -> None:
    """All right against all wrong has no spread over resamples, and on three items no meaning either."""
    assert pairwise(*arguments(np.array([[1.0, 0.0]] * 2)))[0, 1] > 0.03
    assert pairwise(*arguments(np.array([[1.0, 0.0]] * 30)))[0, 1] < 0.001


@pytest.mark.parametrize(("gains", "losses"), [(30, 10), (60, 40), (12, 2), (20, 20)])
def test_one_pair_agrees_with_mcnemar(gains: int, losses: int) -> None:
    values = np.zeros((1000, 2))
    values[:600] = 1
    values[600 : 600 + gains, 1] = 1
    values[:losses, 1] = 0
    assert pairwise(*arguments(values))[0, 1] == pytest.approx(mcnemar_mid(gains, losses), abs=0.03)


def test_one_model_stands_alone() -> None:
    (made,) = standings(np.array([0.4]), np.array([[0.3, 0.5]]), np.full((10, 1), 0.4))
    assert made == Standing(1, 1, 1, 1)


@pytest.mark.parametrize("gap", [0.0, 0.01, 0.03])
def test_rank_intervals_hold_for_all_models_together(gap: float) -> None:
    """Six models on 200 items, as near as that; all true ranks are inside in 95 % of 200 runs, less two errors."""
    rng = np.random.default_rng(0)
    share = 0.6 + gap * np.arange(6)
    truth = 1 + (share[None, :] > share[:, None]).sum(axis=1)
    held = torn = 0
    for _ in range(200):
        ease = rng.random((200, 1))
        # Models agree more than chance would have it: half of the luck is the item's.
        luck = np.where(rng.random((200, 6)) < 0.5, ease, rng.random((200, 6)))
        made = placed((luck < share).astype(float))
        held += all(each.rank_low <= rank <= each.rank_high for each, rank in zip(made, truth, strict=True))
        torn += max(each.group for each in made) > 1
    assert held / 200 >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 200)
    if gap == 0:
        assert torn / 200 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)
