"""Figures of groups are those of the official scripts: HallusionBench, NaturalBench, MME."""

import random
from typing import Any

import numpy as np
import pytest

from mmbench import metrics
from mmbench.benchmarks.metrics.mme import COGNITION, PERCEPTION
from mmbench.harness.errors import ArgumentError, UsageError
from tests import fakes
from tests.builders import fails

DRAW = random.Random(3)


def hallusion(right: list[int], rows: list[dict[str, Any]], part: str) -> float:
    """As the official script counts: by the parts of a name, right where as many are right as there are."""
    counted: dict[tuple[str, ...], tuple[int, int]] = {}
    for hit, row in zip(right, rows, strict=True):
        name = (row["category"], row["subcategory"], row["set_id"], row[part])
        hits, total = counted.get(name, (0, 0))
        counted[name] = hits + hit, total + 1
    return sum(hits == total for hits, total in counted.values()) / len(counted)


def natural(right: list[int]) -> dict[str, float]:
    """As the official script counts: four in turn, question 0 of both pictures, then question 1."""
    fours = [right[i : i + 4] for i in range(0, len(right), 4)]
    return {
        "question": sum((a and b) + (c and d) for a, b, c, d in fours) / (2 * len(fours)),
        "image": sum((a and c) + (b and d) for a, b, c, d in fours) / (2 * len(fours)),
        "group": sum(all(four) for four in fours) / len(fours),
    }


def asked(bench: Any, rows: list[dict[str, Any]], right: list[int], keys: str, name: str) -> Any:
    own = {"image": bench.picture(0), "target": "yes"}
    given = [{**own, "question": f"Is it {i}?", **row} for i, row in enumerate(rows)]
    said = fakes.Speaker(lambda _, prompt: "yes" if right[int(prompt.split("?")[0][6:])] else "no")
    return bench.ask(said, bench.task("yes-no", given, keys, name=name), route="generate")


def test_hallusionbench(bench: Any) -> None:
    rows = [
        {
            "category": "VD",
            "subcategory": kind,
            "set_id": str(which),
            "figure_id": str(figure),
            "question_id": str(question),
        }
        for kind in ("chart", "map")
        for which in range(3)
        for figure in range(3)
        for question in range(2 + which % 2)
    ]
    right = [int(DRAW.random() < 0.8) for _ in rows]
    keys = (
        "facts: [category, subcategory, set_id, figure_id, question_id]\n"
        "group:\n  question: [category, subcategory, set_id, question_id]\n"
        "  figure: [category, subcategory, set_id, figure_id]\n"
    )
    made = asked(bench, rows, right, keys, "hallusion")
    expected = {part: hallusion(right, rows, f"{part}_id") for part in ("question", "figure")}
    assert {part: made.values[f"group_accuracy:{part}"] for part in expected} == pytest.approx(expected)
    assert made.values["accuracy"] == pytest.approx(np.mean(right)) and 0 < expected["figure"] < 1
    for part, value in expected.items():
        names = [(row["category"], row["subcategory"], row["set_id"], row[f"{part}_id"]) for row in rows]
        assert metrics.group_accuracy(right, names) == pytest.approx(value)
    # What shares a figure or a question with another is one cluster: a set of the data.
    assert made.scores["group_accuracy:figure"].clusters == 1  # all show one picture here


def test_naturalbench(bench: Any) -> None:
    right = [int(DRAW.random() < 0.8) for _ in range(40)]
    keys = "group: {group: 4, question: [[0, 1], [2, 3]], image: [[0, 2], [1, 3]]}\n"
    made = asked(bench, [{}] * 40, right, keys, "natural")
    assert {part: made.values[f"group_accuracy:{part}"] for part in natural(right)} == pytest.approx(natural(right))
    assert made.scores["group_accuracy:image"].chance == pytest.approx(0.25)
    assert made.scores["group_accuracy:group"].chance == pytest.approx(1 / 16)
    whole = [f"{i // 4}" for i in range(40)]
    assert metrics.group_accuracy(right, whole) == pytest.approx(natural(right)["group"])


def test_an_incomplete_four_counts_in_the_pairs_that_are_whole(bench: Any) -> None:
    keys = "group: {question: [[0, 1], [2, 3]], image: [[0, 2], [1, 3]]}\n"
    made = asked(bench, [{}] * 6, [1, 1, 1, 0, 1, 1], keys, "part")
    assert made.values["group_accuracy:question"] == pytest.approx(2 / 3)
    assert made.values["group_accuracy:image"] == pytest.approx(1 / 2)
    assert "groups by image that count nothing since not all of their items were asked: 2 of 4" in made.record.notes


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("group: {question: [[0, 1], [3]]}", "does not name each of 3 rows in turn once"),
        ("group: {question: [[0, 1], [1]]}", "does not name each of"),
        ("group: {question: 2}\nmetrics: [group_accuracy]", "which makes group_accuracy:question"),
        ("group: 2\nmetrics: ['group_accuracy:image']", "which makes group_accuracy"),
        ("metrics: ['group_accuracy:image']", "needs the key 'group'"),
        ("group: {}", "'group'"),
    ],
)
def test_what_cannot_be_grouped_is_refused(bench: Any, keys: str, said: str) -> None:
    task = bench.task("yes-no", [{"image": bench.picture(0), "question": "Is it?", "target": "yes"}], keys + "\n")
    fails(lambda: bench.run(fakes.Speaker(lambda *_: "yes"), task), said, kind=UsageError)


def test_mme(bench: Any) -> None:
    subtasks = [*PERCEPTION, *COGNITION]
    rows = [{"category": each, "picture": f"{each}/{n}"} for each in subtasks for n in range(5) for _ in range(2)]
    rows = [{**row, "image": bench.picture(i // 2)} for i, row in enumerate(rows)]
    right = [int(DRAW.random() < 0.7) for _ in rows]
    total = {"perception": 0.0, "cognition": 0.0}
    for number, each in enumerate(subtasks):
        pairs = np.reshape(right[number * 10 : number * 10 + 10], (5, 2)).sum(axis=1)
        part = "perception" if each in PERCEPTION else "cognition"
        total[part] += float(np.mean(100 * pairs / 2 + 100 * (pairs == 2)))  # as the official tool sums pictures
    keys = "facts: [category, picture]\ngroup: [picture]\nmetrics: [mme_score, mme_perception, mme_cognition]\n"
    made = asked(bench, rows, right, keys + "card: {chance: 1050}\n", "mme")
    score = total["perception"] + total["cognition"]
    assert made.values == pytest.approx(
        {"mme_score": score, "mme_perception": total["perception"], "mme_cognition": total["cognition"]}
    )
    assert made.scores["mme_score"].low is not None and made.scores["mme_score"].chance == 1050
    found = metrics.mme(right, [row["category"] for row in rows], [row["picture"] for row in rows])
    assert (found["score"], found["cognition"]) == pytest.approx((score, total["cognition"]))
    assert (
        metrics.mme([1] * len(rows), [row["category"] for row in rows], [row["picture"] for row in rows])["score"]
        == 2800
    )


def test_a_sum_of_mme_without_a_subtask_is_none(bench: Any) -> None:
    rows = [{"category": each, "picture": each} for each in COGNITION for _ in range(2)]
    keys = "facts: [category, picture]\ngroup: [picture]\nmetrics: [accuracy, mme_score, mme_cognition]\n"
    made = asked(bench, rows, [1] * 8, keys, "some")
    assert (made.values["mme_score"], made.values["mme_cognition"]) == (None, 800)
    assert any(note.startswith("mme_score is -: nothing of existence, count") for note in made.record.notes)
    with pytest.raises(ArgumentError, match="has 1 questions, and MME asks two"):
        metrics.mme([1], ["count"], ["1.png"])
    with pytest.raises(ArgumentError, match="no subtask 'counting'"):
        metrics.mme([1, 1], ["counting"] * 2, ["1.png"] * 2)
