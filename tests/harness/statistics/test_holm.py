"""Holm's adjustment agrees with its definition, step by step."""

import numpy as np
import pytest

from mmbench.harness.statistics.holm import holm


def step_down(ps: list[float], alpha: float) -> list[bool]:
    """Reject the smallest p at alpha / m, the next at alpha / (m - 1), and stop at the first that fails."""
    rejected = [False] * len(ps)
    for k, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        if ps[i] > alpha / (len(ps) - k):
            break
        rejected[i] = True
    return rejected


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_it_rejects_what_the_procedure_rejects(alpha: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        ps = (rng.random(12) ** 4).tolist()
        assert (holm(ps) <= alpha).tolist() == step_down(ps, alpha)


def test_it_is_that_of_r() -> None:
    """p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")."""
    assert holm([0.05, 0.01, 0.04, 0.02, 0.03]).tolist() == pytest.approx([0.09, 0.05, 0.09, 0.08, 0.09])


def test_what_could_not_be_tested_does_not_count() -> None:
    adjusted = holm([None, 0.02, float("nan"), 0.9])
    assert np.isnan(adjusted[[0, 2]]).all()
    assert adjusted[[1, 3]].tolist() == [0.04, 0.9]
    assert holm([]).tolist() == []
    assert np.isnan(holm([None])).all()
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
