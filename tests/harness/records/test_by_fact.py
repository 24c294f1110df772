"""Scores of a record by a fact: those of its items alone, or the reason why there are none."""

from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.errors import UsageError
from mmbench.harness.records.by_fact import by_fact, check_fact, fact_table, levels_below, rows_by
from mmbench.harness.records.record import Record, read, write
from mmbench.harness.scores.breakdown import break_down
from mmbench.harness.scores.score import score
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome
from tests.builders import measured, outcome, record

ACCURACY = Metric("accuracy", "")
SHARE = Metric("share", "", aggregate=lambda table, weights: weights @ table[:, 0] / (weights @ table[:, 1]))
KINDS = ("yes/no", "number", "other", "other")


def items() -> list[Outcome]:
    """Forty items of twenty pictures: all yes/no right, no number, of the others each second one."""
    right = {"yes/no": 1.0, "number": 0.0}
    return [
        outcome(
            i,
            right.get(kind := KINDS[i % 4], float(i // 4 % 2)),
            cluster=f"picture {i // 2}",
            facts={"kind": kind, "uid": f"u{i}", "tags": ["a", "b"]},
        )
        for i in range(60 * 4)
    ]


def put(folder: Path, made: list[Outcome], *metrics: Metric, **changes: object) -> tuple[Record, Path]:
    divided = break_down(metrics, made)
    held = record(
        scores=tuple(score(metrics, made)),
        breakdown=tuple(divided.levels),
        extremes=tuple(divided.extremes),
        **changes,
    )
    path = write(held, made, folder)
    return read(path), path.with_suffix(".parquet")


def test_values_are_those_of_the_items_alone(tmp_path: Path) -> None:
    made = items()
    held, _ = put(tmp_path, made, ACCURACY)
    found = by_fact(held, "kind")
    assert [(each.level, each.score.value, each.score.n) for each in found.of("accuracy")] == [
        ("number", 0.0, 60),
        ("other", 0.5, 120),
        ("yes/no", 1.0, 60),
    ]
    for level, each in ((one.level, one.score) for one in found.of("accuracy")):
        (alone,) = score([ACCURACY], [one for one in made if one.facts["kind"] == level])
        assert each == alone, "same interval, same clusters"
        assert each.low is not None
        assert each.high is not None
        assert each.low <= float(each.value or 0) <= each.high
    assert found.of("accuracy")[1].score.clusters == 60, "two others share a picture"


def test_a_corpus_metric_is_aggregated_again(tmp_path: Path) -> None:
    made = [measured(SHARE, i, (float(i % 2 * 2), 1.0 + i % 2), 100, facts={"odd": bool(i % 2)}) for i in range(40)]
    held, _ = put(tmp_path, made, SHARE)
    assert held.scores[0].value == pytest.approx(2 / 3)
    assert [(each.level, each.score.value) for each in by_fact(held, "odd").of("share")] == [(False, 0.0), (True, 1.0)]


def test_errors_leave_value_and_n_of_their_level(tmp_path: Path) -> None:
    made = [*items(), outcome("lost", status="error", message="unreadable", facts={"kind": "number"})]
    held, _ = put(tmp_path, made, ACCURACY)
    number = by_fact(held, "kind").of("accuracy")[0].score
    assert (number.value, number.n, number.coverage) == (0.0, 60, 60 / 61)


def test_true_and_1_are_two_values_and_levels_stand_in_order(tmp_path: Path) -> None:
    facts = [True, 1, 10, 9, None, "b", float("nan"), False, "a"]
    made = [outcome(i, 1.0, facts={"f": fact}) for i, fact in enumerate(facts)]
    levels = [level.level for level in break_down([ACCURACY], made).levels]
    assert len(levels) == 8
    held = record(scores=tuple(score([ACCURACY], made)), breakdown=tuple(break_down([ACCURACY], made).levels))
    assert [str(each.level) for each in by_fact(held, "f").of("accuracy")] == [
        "1", "9", "10", "a", "b", "False", "True", "None",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        ("knd", "these tasks have no fact 'knd'; did you mean 'kind'? (there are: kind)"),
        ("uid", "fact 'uid' of digits@1 has 240 values, and at most 50 are scored one by one"),
        ("tags", "fact 'tags' of digits@1 has several values for an item, which divide nothing"),
    ],
)
def test_why_a_fact_has_no_scores(tmp_path: Path, fact: str, why: str) -> None:
    held, path = put(tmp_path, items(), ACCURACY)
    with pytest.raises(UsageError) as caught:
        check_fact(fact, [held], [path])
    assert str(caught.value).startswith(why)
    found = by_fact(held, fact, path)
    assert not found.levels
    assert found.reason
    check_fact("kind", [held], [path])


def test_without_any_fact_the_message_says_how_to_have_one(tmp_path: Path) -> None:
    held, path = put(tmp_path, [outcome(i, 1.0) for i in range(3)], ACCURACY)
    with pytest.raises(UsageError, match="have no fact 'kind'; `facts` in a task file names columns to score by"):
        check_fact("kind", [held], [path])


def test_rows_and_lines(tmp_path: Path) -> None:
    held, path = put(tmp_path, items(), ACCURACY)
    (row,) = rows_by(held, "kind", path)
    assert {name: cell for name, cell in row.items() if name != "by"} == held.rows()[0]
    assert row["by"]["fact"] == "kind"
    assert set(row["by"]["levels"][0]) < {*row, "level", "low_adjusted", "high_adjusted"}
    lines = levels_below([row])
    assert [(line["fact"], line["level"], line["value"], line["n"]) for line in lines] == [
        (None, None, 0.5, 240),
        ("kind", "number", 0.0, 60),
        ("kind", "other", 0.5, 120),
        ("kind", "yes/no", 1.0, 60),
    ]
    assert levels_below(rows_by(held, "knd", path)) == [{**held.rows()[0], "fact": None, "level": None}]


def test_models_stand_side_by_side_where_one_lacks_a_value(tmp_path: Path) -> None:
    one, _ = put(tmp_path, items(), ACCURACY)
    other, _ = put(tmp_path, [each for each in items() if each.facts["kind"] != "number"], ACCURACY, model="b")
    made = fact_table("digits@1", "accuracy", "kind", [("a", one), ("b", other)])
    assert made is not None
    assert [level for level, _ in made.rows] == ["number", "other", "yes/no"]
    assert made.rows[0][1][1] is None
    assert np.isclose(made.whole[1].value or 0, 2 / 3)
    assert fact_table("digits@1", "accuracy", "uid", [("a", one)]) is None
