"""CHAIR in captioning: the same figures as the function, and nothing gained by what was not read."""

import json
from pathlib import Path
from typing import Any

import pytest

import mmbench
from mmbench import metrics
from tests.builders import SHARED, fails

CHAIR = ["chair_i", "chair_s", "chair_recall"]
WORDS = {"dog": ["puppy"], "cat": [], "bus": []}


def scored(tmp_path: Path, rows: list[dict[str, Any]], said: list[str], **keys: Any) -> dict[str, Any]:
    made = mmbench.task("captioning", rows, synonyms=keys.pop("synonyms", WORDS), metrics=CHAIR)
    lines = [json.dumps({"id": str(n), "prediction": each}) for n, each in enumerate(said)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    return {score.metric: score for score in mmbench.score(made, tmp_path / "p.jsonl").record.scores}


def test_the_figures_are_those_of_the_function(tmp_path: Path) -> None:
    file = SHARED / "reference" / "hallucination.json"
    if not file.is_file():
        pytest.skip("the official figures are not here")
    held = json.loads(file.read_text(encoding="utf-8"))["chair"]
    table = next(value for name, value in held.items() if name.startswith("synonyms"))
    rows = [{"references": ["it"], "objects": item["ground_truth"]} for item in held["items"]]
    found = scored(tmp_path, rows, [item["caption"] for item in held["items"]], synonyms=table)
    for name, key in (("chair_i", "chair_i"), ("chair_s", "chair_s"), ("chair_recall", "recall")):
        assert found[name].value == pytest.approx(held["expected"][key])
        assert found[name].low <= found[name].value <= found[name].high
    assert found["chair_i"].primary


def test_the_table_of_coco_by_its_name(tmp_path: Path) -> None:
    rows = [{"references": ["A locomotive."], "objects": ["person"]}] * 2
    found = scored(tmp_path, rows, ["a kid on a tramway", "a puppy"], synonyms="coco")
    assert (found["chair_i"].value, found["chair_recall"].value) == (pytest.approx(1 / 3), 0.5)
    fails(lambda: mmbench.task("captioning", rows, synonyms="cooc"), "did you mean 'coco'")


def test_references_tell_what_is_there_too(tmp_path: Path) -> None:
    rows = [{"references": ["A puppy by a bus."], "objects": ["cat"]}] * 2
    found = scored(tmp_path, rows, ["a dog and a bus", "a cat"])
    assert (found["chair_i"].value, found["chair_recall"].value) == (0, 0.5)
    expected = metrics.chair(["a dog and a bus", "a cat"], [["cat", "dog", "bus"]] * 2, WORDS)
    assert expected["recall"] == found["chair_recall"].value


def test_silence_is_not_best(tmp_path: Path) -> None:
    rows = [{"references": ["it"], "objects": ["dog", "bus"]}] * 2
    made = mmbench.task("captioning", rows, synonyms=WORDS, metrics=["chair_f1", "chair_i"])

    def scores(*said: str) -> dict[str, float]:
        lines = [json.dumps({"id": str(n), "prediction": each}) for n, each in enumerate(said)]
        (tmp_path / "p.jsonl").write_text("\n".join(lines))
        return {score.metric: score.value for score in mmbench.score(made, tmp_path / "p.jsonl").record.scores}

    assert scores("Hm.", "Hm.") == {"chair_f1": 0, "chair_i": 0}
    assert scores("A dog, a dog and a cat.", "A bus and a dog.")["chair_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert scores("<think>Hm", "A bus and a dog.")["chair_f1"] == pytest.approx(2 * 2 / (2 * 2 + 2))


def test_what_was_not_read_is_not_free_of_hallucination(tmp_path: Path) -> None:
    rows = [{"references": ["it"], "objects": ["dog"]}] * 2
    found = scored(tmp_path, rows, ["a cat", "<think>a dog"])
    assert (found["chair_s"].value, found["chair_s"].coverage) == (1, 0.5)


def test_the_synonyms_are_part_of_the_protocol_and_the_objects_too() -> None:
    rows = [{"references": ["it"], "objects": ["dog"]}]
    one, other = (mmbench.task("captioning", rows, synonyms={**WORDS, **more}) for more in ({}, {"cow": []}))
    third = mmbench.task("captioning", [{**rows[0], "objects": ["cat"]}], synonyms=WORDS)
    plain = mmbench.task("captioning", rows)
    assert len({str(task.protocol) for task in (one, other, third, plain)}) == 4
    assert "chair_i" not in [metric.name for metric in plain.family.metrics]
    fails(lambda: mmbench.task("captioning", rows, metrics=["chair_i"]), "needs `synonyms`")
    fails(lambda: mmbench.task("captioning", [{"references": ["it"]}], synonyms=WORDS), "objects")
    fails(lambda: mmbench.task("captioning", rows, synonyms={"dog": "puppy"}), "synonyms")
    wrong = mmbench.task("captioning", [{**rows[0], "objects": ["dgo"]}], synonyms=WORDS)
    fails(lambda: wrong.protocol, "did you mean 'dog'", kind=ValueError)
