"""Ranks and ties come from the same resampled pictures for all models and tasks."""

import numpy as np
import pytest

from mmbench.harness.standing import Part, macro_replicates, mean_scores, pairwise, standings


def part(values: np.ndarray, prefix: str = "", **scale: float) -> Part:
    return Part([f"{prefix}{i}" for i in range(len(values))], mean_scores(values, **scale))


def test_replicates_are_centred_on_the_scores_and_spread_like_their_error() -> None:
    values = np.random.default_rng(0).random((400, 3))
    replicates = macro_replicates([part(values, "a", chance=0.5), part(values[:100], "b", chance=0.5)])
    expected = ((values.mean(axis=0) - 0.5) / 0.5 + (values[:100].mean(axis=0) - 0.5) / 0.5) / 2
    error = np.sqrt(values.var(axis=0) / 400 + values[:100].var(axis=0) / 100)
    assert replicates.shape == (2000, 3)
    assert replicates.mean(axis=0) == pytest.approx(expected, abs=0.005)
    assert replicates.std(axis=0) == pytest.approx(error, rel=0.1)


def test_pictures_that_tasks_share_are_drawn_together() -> None:
    values = np.random.default_rng(0).random((200, 1))
    shared = macro_replicates([part(values), part(values)]).std()
    apart = macro_replicates([part(values, "a"), part(values, "b")]).std()
    assert shared == pytest.approx(macro_replicates([part(values)]).std())
    assert apart == pytest.approx(shared / np.sqrt(2), rel=0.1)


def test_items_that_a_model_was_not_scored_on_leave_its_mean() -> None:
    values = np.array([[1.0, 0.0], [np.nan, 1.0], [0.0, 1.0]])
    assert mean_scores(values)(np.ones((1, 3))).tolist() == [[0.5, pytest.approx(2 / 3)]]
    replicates = macro_replicates([part(np.array([[1.0], [np.nan]]))], resamples=400)
    assert 0 < len(replicates) < 400 and (replicates == 1).all()


def test_models_that_differ_are_ranked_apart() -> None:
    rng = np.random.default_rng(0)
    values = (rng.random((2000, 3)) < np.array([0.5, 0.9, 0.7])).astype(float)
    made = standings(values.mean(axis=0), macro_replicates([part(values)]))
    assert [each.rank for each in made] == [3, 1, 2]
    assert [(each.rank_low, each.rank_high, each.group) for each in made] == [(3, 3, 3), (1, 1, 1), (2, 2, 2)]
    assert all(each.low < score < each.high for each, score in zip(made, values.mean(axis=0), strict=True))


def test_the_same_answers_tie() -> None:
    values = np.random.default_rng(0).integers(2, size=(100, 1)).astype(float).repeat(3, axis=1)
    made = standings(values.mean(axis=0), macro_replicates([part(values)]))
    assert [(each.rank, each.rank_low, each.rank_high, each.group) for each in made] == [(1, 1, 1, 1)] * 3


def test_a_group_ends_at_the_first_that_its_best_beats() -> None:
    scores = np.array([0.70, 0.69, 0.66, 0.64])
    replicates = scores + np.random.default_rng(0).normal(0, 0.01, (2000, 4))
    adjusted = pairwise(scores, replicates)
    assert adjusted[0, 1] > 0.05 and adjusted[0, 2] < 0.05 and adjusted[1, 2] > 0.05
    assert [each.group for each in standings(scores, replicates)] == [1, 1, 2, 2]


def test_pairs_are_compared_on_the_same_resamples() -> None:
    """What moves all models together does not hide a difference."""
    shift = np.random.default_rng(0).normal(0, 0.1, (2000, 1))
    replicates = np.array([0.5, 0.52]) + shift + np.random.default_rng(1).normal(0, 0.002, (2000, 2))
    assert [each.group for each in standings(np.array([0.5, 0.52]), replicates)] == [2, 1]


def test_one_model_stands_alone() -> None:
    (made,) = standings(np.array([0.4]), np.full((10, 1), 0.4))
    assert (made.rank, made.rank_low, made.rank_high, made.group) == (1, 1, 1, 1)


def test_equal_models_seldom_fall_into_groups() -> None:
    rng = np.random.default_rng(0)
    torn = 0
    for _ in range(60):
        values = (rng.random((200, 5)) < 0.6).astype(float)
        made = standings(values.mean(axis=0), macro_replicates([part(values)], resamples=300))
        torn += max(each.group for each in made) > 1
    assert torn / 60 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)
