"""Ranks are no surer than their items allow, and ties are made by paired tests."""

import numpy as np
import pytest

from mmbench.harness.statistics.mcnemar import mcnemar_mid
from mmbench.harness.statistics.permutation import sign_flip
from mmbench.harness.statistics.standing import Standing, adjusted, standings


def placed(values: np.ndarray) -> list[Standing]:
    """Stand models by their (n, models) right and wrong answers."""
    means = values.mean(axis=0)
    return standings(means, np.copysign(p_values(values), means[:, None] - means))


def p_values(values: np.ndarray) -> np.ndarray:
    return np.array([[sign_flip(one - other) for one in values.T] for other in values.T])


def test_models_that_differ_are_ranked_apart() -> None:
    rng = np.random.default_rng(0)
    made = placed((rng.random((2000, 3)) < np.array([0.5, 0.9, 0.7])).astype(float))
    assert made == [Standing(3, 3, 3, 3), Standing(1, 1, 1, 1), Standing(2, 2, 2, 2)]


def test_the_same_answers_tie() -> None:
    values = np.random.default_rng(0).integers(2, size=(100, 1)).astype(float).repeat(3, axis=1)
    assert placed(values) == [Standing(1, 1, 3, 1)] * 3


def test_a_group_ends_at_the_first_that_its_best_beats() -> None:
    scores = np.array([0.70, 0.69, 0.66, 0.64])
    ps = np.ones((4, 4))
    for (i, j), p in {(0, 1): 0.5, (0, 2): 0.002, (0, 3): 0.001, (1, 2): 0.03, (1, 3): 0.001, (2, 3): 0.2}.items():
        ps[i, j], ps[j, i] = p, -p  # the first of two has the higher score
    assert adjusted(np.abs(ps))[0, 2] < 0.05 < adjusted(np.abs(ps))[1, 2]
    made = standings(scores, ps)
    assert [each.group for each in made] == [1, 1, 2, 2]
    assert [(each.rank_low, each.rank_high) for each in made] == [(1, 2), (1, 3), (2, 4), (3, 4)]
    assert [each.alone for each in made] == [0, 1, 1, 0], "the pair that differs alone is told"


def test_a_test_that_says_the_contrary_of_the_scores_tells_nothing() -> None:
    ps = np.array([[1.0, -0.001], [0.001, 1.0]])  # the second is ahead on what both were scored on
    assert [each.group for each in standings(np.array([0.7, 0.6]), ps)] == [1, 1]
    assert [each.group for each in standings(np.array([0.6, 0.7]), ps)] == [2, 1]


@pytest.mark.parametrize(("gains", "losses"), [(30, 10), (60, 40), (12, 2), (20, 20)])
def test_one_pair_agrees_with_mcnemar(gains: int, losses: int) -> None:
    values = np.zeros((1000, 2))
    values[:600] = 1
    values[600 : 600 + gains, 1] = 1
    values[:losses, 1] = 0
    assert p_values(values)[0, 1] == pytest.approx(mcnemar_mid(gains, losses), abs=0.02)


def test_one_model_stands_alone() -> None:
    (made,) = standings(np.array([0.4]), np.ones((1, 1)))
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
