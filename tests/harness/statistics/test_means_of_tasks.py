"""The interval of a mean over tasks covers the truth, with shared pictures and without, and where all is right."""

import numpy as np
import pytest

from mmbench.harness.records.replicates import cluster_keys, poisson_weights
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.statistics.means_of_tasks import correlation, macro_average
from mmbench.harness.statistics.wilson import wilson


def scored(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), *wilson(float(values.sum()), len(values)))


def test_one_task_keeps_its_interval() -> None:
    made = macro_average([Estimate(0.8, 0.7, 0.95)], np.eye(1))
    assert (made.value, made.low, made.high) == pytest.approx((0.8, 0.7, 0.95))


@pytest.mark.parametrize(("shared", "half"), [(1.0, 0.1), (0.0, 0.1 / np.sqrt(2)), (-1.0, 0.0)])
def test_what_tasks_share_does_not_cancel(shared: float, half: float) -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 20_000))
    replicates = np.stack([one, shared * one + (1 - abs(shared)) * other], axis=1)
    made = macro_average([Estimate(0.5, 0.4, 0.6), Estimate(0.7, 0.6, 0.8)], correlation(replicates, unknown=1.0))
    assert made.low is not None and made.high is not None
    assert (made.value - made.low, made.high - made.value) == pytest.approx((half, half), abs=0.002)


def test_what_is_not_known_is_taken_to_go_together() -> None:
    scores = [Estimate(1.0, 0.8, 1.0), Estimate(1.0, 0.6, 1.0)]
    for replicates in (np.ones((50, 2)), np.full((50, 2), np.nan)):
        made = macro_average(scores, correlation(replicates, unknown=1.0))
        assert (made.value, made.low, made.high) == pytest.approx((1.0, 0.7, 1.0))


def test_no_interval_without_that_of_each_task() -> None:
    made = macro_average([Estimate(0.5, None, None), Estimate(0.7, 0.6, 0.8)], np.eye(2))
    assert made == Estimate(0.6, None, None)


def test_correlation_is_that_of_the_rows_in_which_all_are_known() -> None:
    table = np.random.default_rng(0).normal(size=(200, 4))
    table[:, 1] += table[:, 0]
    table[::3, 0] = np.nan
    table[:, 2] = 0.7
    table[10:, 3] = np.nan
    made = correlation(table, unknown=1.0)
    rows = np.isfinite(table[:, 0])
    assert made[0, 1] == pytest.approx(np.corrcoef(table[rows, 0], table[rows, 1])[0, 1])
    assert made[2].tolist() == [0, 0, 1, 1] == made[3].tolist()
    assert (made == made.T).all() and np.linalg.eigvalsh(made).min() > -1e-9


@pytest.mark.parametrize(("items", "share"), [(400, 0.7), (60, 0.95), (12, 0.97)])
@pytest.mark.parametrize("together", [True, False])
def test_intervals_cover_the_true_mean(items: int, share: float, together: bool) -> None:
    """Five tasks, on the same pictures or on five times as many; 1000 runs, so that two errors are 1.4 points."""
    rng = np.random.default_rng(0)
    keys = cluster_keys([str(i) for i in range(5 * items)], "")
    weights = poisson_weights(keys, 0, 200).astype(np.float64).T
    shown = [weights[:, :items]] * 5 if together else np.split(weights, 5, axis=1)
    totals = [each.sum(axis=1) + 1e-9 for each in shown]
    spread = 2 * min(0.25, 1 - share)
    covered = 0
    for _ in range(1000):
        # A hard picture is hard in every task that shows it.
        hard = [rng.random(items)] * 5 if together else list(rng.random((5, items)))
        values = [(rng.random(items) < share + (0.5 - each) * spread).astype(float) for each in hard]
        drawn = [each @ value / total for each, value, total in zip(shown, values, totals, strict=True)]
        made = macro_average([scored(value) for value in values], correlation(np.stack(drawn, axis=1), unknown=1.0))
        assert made.low is not None and made.high is not None
        covered += made.low <= share <= made.high
    assert covered / 1000 >= 0.936
