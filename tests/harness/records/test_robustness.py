"""Means under corruptions and the share that is retained are of one task, model, protocol and route."""

from collections.abc import Sequence
from typing import Any

import pytest

from mmbench.harness.records.record import Record
from mmbench.harness.records.robustness import robustness
from mmbench.harness.records.unscored import Lost
from mmbench.harness.types import Score
from tests.builders import SHARED, record


def score(metric: str, value: float | None, *, primary: bool = True) -> Score:
    return Score(metric, value, None, None, 10, 1.0, None, 0.1, primary=primary)


def under(control: str | None, value: float | None, metric: str = "accuracy", **changes: Any) -> Record:
    return record(control=control, scores=(score(metric, value),), **changes)


def test_means_are_over_severities_then_over_corruptions() -> None:
    (made,) = robustness(
        [
            under(None, 0.9),
            under("pixelate@1", 0.6),
            under("fog@4", 0.2),
            under("uncorrupted", 0.8),
            under("fog@2", 0.4),
            under("shuffled", 0.1),
        ]
    )
    fog, pixelate = made.corrupted
    assert (fog.name, dict(fog.by_severity), pixelate.name) == ("fog", {2: 0.4, 4: 0.2}, "pixelate")
    assert (fog.mean, fog.retained) == pytest.approx((0.3, 0.375))
    assert (made.mean, made.retained) == pytest.approx((0.45, 0.5625))
    assert made.lines([1, 2]) == [
        ("fog", [None, 0.4, fog.mean, fog.retained]),
        ("pixelate", [0.6, None, 0.6, pixelate.retained]),
        ("all", [None, None, made.mean, made.retained]),
        ("uncorrupted", [None, None, 0.8, None]),
    ]
    assert made.about == "accuracy"


def test_others_never_enter() -> None:
    clean = [under("uncorrupted", 0.8)]
    assert robustness([under(None, 0.9), under("fog@1", 0.5)]) == [], "nothing to hold it against"
    assert robustness([under(None, 0.9), *clean]) == []
    changes: Sequence[dict[str, Any]] = [
        {"model": "b"},
        {"task": "other"},
        {"version": 2},
        {"protocol": "q"},
        {"route": "generate"},
        {"dataset": {"digest": "d", "n": 10, "partial": True}},
    ]
    for change in changes:
        assert robustness([*clean, under("fog@1", 0.5, **change)]) == [], change
        (made,) = robustness([*clean, under("fog@2", 0.4), under("fog@1", 0.5, **change)])
        assert made.mean == 0.4


def test_a_missing_score_makes_no_mean_of_the_rest() -> None:
    (made,) = robustness(
        [under("uncorrupted", 0.8), under("fog@1", None), under("fog@2", 0.4), under("contrast@1", 0.4)]
    )
    assert [each.mean for each in made.corrupted] == [None, 0.4]
    assert (made.mean, made.retained) == (None, None)


def test_a_severity_that_failed_makes_no_mean_of_the_rest() -> None:
    records = [under("uncorrupted", 0.8), under("fog@1", 0.4), under("fog@2", 0.2), under("contrast@1", 0.4)]
    lost = [Lost("a", "digits@1", "fog@3"), Lost("a", "digits@1", "fog@2"), Lost("a", "digits@1", None)]
    lost += [Lost("b", "digits@1", "contrast@2"), Lost("a", "other@1", "contrast@2"), Lost("a", "digits@1", "blind")]
    fog, contrast = robustness(records, lost)[0].corrupted
    assert dict(fog.by_severity) == {1: 0.4, 2: 0.2, 3: None}, "fog@2 has a record all the same"
    assert (fog.mean, contrast.mean) == (None, 0.4)


def test_another_order_of_metrics_mixes_none() -> None:
    turned = record(control="fog@1", scores=(score("accuracy@5", 0.9), score("accuracy", 0.3, primary=False)))
    (made,) = robustness([under("uncorrupted", 0.6), turned])
    assert (made.mean, made.retained) == (0.3, 0.5)


@pytest.mark.parametrize(
    ("family", "metric", "value", "retained"),
    [
        ("counting", "mae", 2.0, None),
        ("retrieval", "image_to_text/median_rank", 2.0, None),
        ("captioning", "cider", 1.0, 0.5),
        ("zero-shot-classification", "accuracy", 0.0, None),
        ("no-such-family", "accuracy", 1.0, None),
    ],
)
def test_a_share_is_of_scores_that_begin_at_zero(
    family: str, metric: str, value: float, retained: float | None
) -> None:
    (made,) = robustness([under(name, value / (1 + (name == "fog@1")), metric, family=family) for name in CONTROLS])
    assert made.retained == retained
    assert made.mean == value / 2


CONTROLS = ("uncorrupted", "fog@1")


def test_a_part_of_the_items_is_said() -> None:
    cut = {"digest": "d", "n": 20, "partial": True}
    (made,) = robustness([under(name, 0.5, dataset=cut) for name in CONTROLS])
    assert made.about == "accuracy, 20 items"


@pytest.mark.skipif(not (SHARED / "reference").is_dir(), reason="the reference figures are not here")
def test_figures_are_those_of_the_reference() -> None:
    import json

    held = json.loads((SHARED / "reference" / "corruptions.json").read_text(encoding="utf-8"))["mce"]
    given = {name: each for name, each in held["accuracy_by_severity"].items() if name in ("fog", "contrast")}
    records = [under(f"{name}@{i}", value) for name, each in given.items() for i, value in enumerate(each, 1)]
    (made,) = robustness([under("uncorrupted", held["clean_accuracy"]), *records])
    flat = [value for each in given.values() for value in each]
    assert made.mean == pytest.approx(sum(flat) / 10)
    assert made.retained == pytest.approx(sum(flat) / 10 / 0.76)
