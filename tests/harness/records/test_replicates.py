"""The same picture is drawn as often for every record, and the spread over replicates is the error of a score."""

import numpy as np
import pytest

from mmbench.harness.digest import digest_bytes
from mmbench.harness.records import arrow as columns
from mmbench.harness.records.changes import cluster_keys
from mmbench.harness.records.measured import Measured
from mmbench.harness.records.replicates import REPLICATES, poisson_weights, replicates
from mmbench.harness.statistics.bootstrap import cluster_weights
from mmbench.harness.tasks.metric import Metric

ACCURACY = Metric("accuracy", "")


def pictures(count: int, first: int = 0) -> list[str]:
    return [digest_bytes(str(i).encode()) for i in range(first, first + count)]


def measured(table: np.ndarray, clusters: list[str], metric: Metric = ACCURACY) -> Measured:
    ids = columns.texts([str(i) for i in range(len(clusters))])
    return Measured(metric, ids, columns.texts(clusters), np.asarray(table, np.float64).reshape(len(clusters), -1))


def test_weights_are_poisson_and_independent() -> None:
    weights = poisson_weights(cluster_keys(pictures(400), ""), 0, REPLICATES)
    assert weights.shape == (400, REPLICATES)
    shares = np.bincount(weights.astype(int).ravel(), minlength=4)[:4] / weights.size
    assert shares == pytest.approx(np.exp(-1) / np.array([1, 1, 2, 6]), abs=0.002)
    assert (weights.mean(), weights.var()) == pytest.approx((1, 1), abs=0.01)
    for table in (weights, weights.T):
        among = np.corrcoef(table)[np.triu_indices(len(table), 1)]
        assert among.mean() == pytest.approx(0, abs=0.001)
        assert among.std() == pytest.approx(1 / np.sqrt(table.shape[1]), rel=0.05)


def test_weights_depend_on_cluster_and_replicate_alone() -> None:
    keys = cluster_keys(pictures(7), "")
    whole = poisson_weights(keys, 0, 40)
    assert (poisson_weights(keys[::-1], 0, 40) == whole[::-1]).all()
    for start in range(6):
        assert (poisson_weights(keys[3:], start, 9) == whole[3:, start : start + 9]).all()


def test_replicates_are_centred_on_the_score_and_spread_like_its_error() -> None:
    values = np.random.default_rng(0).random((2, 500))
    made = replicates([measured(each, pictures(500)) for each in values], "")
    assert made.shape == (2, REPLICATES) and made.dtype == np.float32
    assert made.mean(axis=1) == pytest.approx(values.mean(axis=1), abs=0.002)
    assert made.std(axis=1) == pytest.approx(values.std(axis=1) / np.sqrt(500), rel=0.08)


def test_the_spread_is_that_of_the_multinomial_bootstrap_over_clusters() -> None:
    rng = np.random.default_rng(0)
    shared = [name for name in pictures(100) for _ in range(5)]
    values = (rng.random(100).repeat(5) + rng.random(500)) / 2
    drawn = np.concatenate(list(cluster_weights(shared, 2000, 0)))
    expected = (drawn @ values / drawn.sum(axis=1)).std()
    assert replicates([measured(values, shared)], "").std() == pytest.approx(expected, rel=0.08)


def test_records_that_share_pictures_go_together_across_tasks_and_models() -> None:
    values = np.random.default_rng(0).random(300)
    noisy = values + np.random.default_rng(1).normal(0, values.std(), 300)
    (one,) = replicates([measured(values, pictures(300))], "task")
    (same,) = replicates([measured(values[::-1], pictures(300)[::-1])], "another task")
    (like,) = replicates([measured(noisy, pictures(300))], "another task")
    (half,) = replicates([measured(values[:150], pictures(150))], "another task")
    (apart,) = replicates([measured(values, pictures(300, first=300))], "task")
    assert same == pytest.approx(one, abs=1e-5)
    assert np.corrcoef(one, like)[0, 1] == pytest.approx(np.corrcoef(values, noisy)[0, 1], abs=0.1)
    assert 0.5 < np.corrcoef(one, half)[0, 1] < 0.9
    assert abs(np.corrcoef(one, apart)[0, 1]) < 0.1


def test_names_that_are_no_digests_mean_something_within_their_data_alone() -> None:
    rows = [str(i) for i in range(200)]
    values = np.random.default_rng(0).random(200)
    made = [replicates([measured(values, rows)], scope)[0] for scope in ("a", "a", "b")]
    assert (made[0] == made[1]).all()
    assert abs(np.corrcoef(made[0], made[2])[0, 1]) < 0.1


def test_a_record_has_the_same_replicates_whichever_others_there_are() -> None:
    rng = np.random.default_rng(0)
    many = [measured(rng.random(60), pictures(60)), measured(rng.random(50), pictures(50, first=7))]
    many += [measured(rng.random(40), pictures(20) * 2)]
    together = replicates(many, "")
    assert [replicates([each], "")[0].tolist() for each in many] == [
        pytest.approx(row.tolist(), abs=1e-6) for row in together
    ]


def test_many_items_are_weighed_in_parts() -> None:
    names, values = pictures(9000), np.random.default_rng(0).random(9000)
    weights = poisson_weights(cluster_keys(names, ""), 0, REPLICATES).astype(np.float64)
    assert replicates([measured(values, names)], "")[0] == pytest.approx(
        values @ weights / weights.sum(axis=0), abs=1e-5
    )


def test_corpus_metrics_are_aggregated_again() -> None:
    ratio = Metric("ratio", "", aggregate=lambda table, weights: weights @ table[:, 0] / (weights @ table[:, 1]))
    table = np.random.default_rng(0).random((9000, 2))
    names = pictures(4500) * 2
    weights = poisson_weights(cluster_keys(names, ""), 0, REPLICATES).astype(np.float64)
    (made, mean) = replicates([measured(table, names, ratio), measured(table[:, :1], names)], "")
    assert made == pytest.approx(table[:, 0] @ weights / (table[:, 1] @ weights), abs=1e-6)
    assert mean == pytest.approx(table[:, 0] @ weights / weights.sum(axis=0), abs=1e-5)


def test_a_resample_without_items_is_undefined() -> None:
    (made,) = replicates([measured(np.array([1.0]), pictures(1))], "")
    assert np.isnan(made).mean() == pytest.approx(np.exp(-1), abs=0.05)
    assert (made[np.isfinite(made)] == 1).all()
    assert replicates([], "").shape == (0, REPLICATES)
