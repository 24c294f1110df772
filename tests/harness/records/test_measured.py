"""What a metric is made of is read as it was written, and pairs by id."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mmbench.harness import registry
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.measured import Measured, read_measured, shared
from mmbench.harness.records.outcomes import write_outcomes
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.types import Outcome, Score

UNSCORED: Any = SimpleNamespace(outcomes_digest=None, scores=())
ACCURACY = Metric("accuracy", "")
RATIO = Metric("ratio", "", aggregate=lambda table, weights: (weights @ table[:, 0]) / (weights @ table[:, 1]))


def item(name: str, value: float, **more: Any) -> Outcome:
    statistics = {"ratio": (value, 2.0)}
    return Outcome(name, "ok", None, None, {"accuracy": value}, statistics=statistics, cluster=f"c{name}", **more)


def measured(folder: Path, outcomes: list[Outcome], metric: Metric = ACCURACY) -> Measured:
    write_outcomes(outcomes, folder / "made.parquet")
    return read_measured(folder / "made.json", UNSCORED, metric)


def test_errors_and_other_units_are_left_out(tmp_path: Path) -> None:
    outcomes = [item("a", 1.0), item("b", 0.0, unit="image"), Outcome("c", "error", None, None, {}), item("d", 0.5)]
    held = measured(tmp_path, outcomes)
    assert held.ids.to_pylist() == ["a", "d"]
    assert held.clusters.to_pylist() == ["ca", "cd"]
    assert held.table.tolist() == [[1.0], [0.5]]
    assert held.score(np.array([[1.0, 1.0], [3.0, 1.0]])).tolist() == [0.75, 0.875]


def test_a_corpus_metric_has_its_statistics(tmp_path: Path) -> None:
    held = measured(tmp_path, [item("a", 1.0), Outcome("c", "error", None, None, {}), item("b", 2.0)], RATIO)
    assert held.table.tolist() == [[1.0, 2.0], [2.0, 2.0]]
    assert held.score(np.ones((1, 2))).tolist() == [0.75]


def test_clusters_are_numbered(tmp_path: Path) -> None:
    codes = measured(tmp_path, [item("a", 1.0), item("b", 1.0), item("a", 0.0)]).codes()
    assert codes[0] == codes[2] != codes[1]


def test_shared_items_are_paired_by_id(tmp_path: Path) -> None:
    one = measured(tmp_path, [item("a", 1.0), item("b", 0.0), item("c", 0.5)])
    other = measured(tmp_path, [item("c", 0.25), item("x", 1.0), item("a", 0.75)])
    a, b = shared(one, other)
    assert a.ids.to_pylist() == b.ids.to_pylist() == ["a", "c"]
    assert (a.table[:, 0].tolist(), b.table[:, 0].tolist()) == ([1.0, 0.5], [0.75, 0.25])
    assert shared(one, one) == (one, one)
    apart, _ = shared(one, measured(tmp_path, [item("z", 1.0)]))
    assert len(apart) == 0


def test_nothing_scored(tmp_path: Path) -> None:
    failed = [Outcome("c", "error", None, None, {}), item("a", 1.0, unit="image")]
    assert len(measured(tmp_path, failed)) == 0
    assert measured(tmp_path, failed, RATIO).table.shape == (0, 1)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds nothing of map"):
        measured(tmp_path, [item("a", 1.0)], Metric("map", ""))
    with pytest.raises(DataError, match="gone.parquet is not a readable table"):
        read_measured(tmp_path / "gone.json", UNSCORED, ACCURACY)
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="bad.parquet is not a readable table"):
        read_measured(tmp_path / "bad.json", UNSCORED, ACCURACY)


def test_metrics_are_found_by_name() -> None:
    families: list[type[Family]] = [entry.load() for entry in registry.entries(registry.FAMILIES).values()]
    for family in families:
        for metric in family.known_metrics:
            assert metric_named(family.name, metric.name) == metric
    many = metric_named("probe", "16-shot/mean_per_class_recall")
    assert many.name == "16-shot/mean_per_class_recall" and many.aggregate is not None
    assert metric_named("retrieval", "text_to_image/recall@3").unit == "text"
    assert metric_named("probe", "4-shot/seed0/map").aggregate is not None
    with pytest.raises(UsageError, match="'of_a_plugin' is no metric of family 'vqa' or of a package"):
        metric_named("vqa", "of_a_plugin")


def test_reading_imports_no_pandas(tmp_path: Path) -> None:
    measured(tmp_path, [item("a", 1.0), Outcome("c", "error", None, None, {})])
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as Some\n"
        "from mmbench.harness.records.measured import *\n"
        "record = Some(outcomes_digest=None, scores=())\n"
        "held = read_measured(Path('made.json'), record, Metric('accuracy', '')); held.codes(); shared(held, held)\n"
        "assert not {'pandas', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("metric", [ACCURACY, RATIO])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_refused(tmp_path: Path, metric: Metric, value: float) -> None:
    with pytest.raises(DataError, match="other than finite numbers where scores are"):
        measured(tmp_path, [item("a", 1.0), item("b", value)], metric)


def test_items_that_come_to_another_value_than_the_record_states_are_refused(tmp_path: Path) -> None:
    write_outcomes([item("a", 1.0), item("b", 0.0)], tmp_path / "made.parquet")

    def read(value: float, metric: Metric = ACCURACY) -> Measured:
        score = Score(metric.name, value, 0, 1, 2, 1.0, None, None, primary=True)
        scored: Any = SimpleNamespace(outcomes_digest=None, scores=[score])
        return read_measured(tmp_path / "made.json", scored, metric)

    assert len(read(0.5)) == len(read(0.25, RATIO)) == 2
    with pytest.raises(DataError, match=r"states 0.75 of accuracy, and its items come to another value here"):
        read(0.75)

    def of_three(table: Floats, weights: Floats) -> Floats:
        return np.asarray(weights @ table[:, 2])

    with pytest.raises(DataError, match=r"states 0.25 of ratio, .* run the task again"):
        read(0.25, replace(RATIO, aggregate=of_three))
