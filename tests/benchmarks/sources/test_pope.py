"""POPE of any data with objects: three samplings, seeded and balanced, and its reader beside ours."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

import mmbench
from mmbench.benchmarks.metrics.yes_no import official_yes
from mmbench.harness.tasks.task_file import load_task
from tests.builders import SHARED, fails

NAMES = ["person", "dog", "car", "cup", "kite", "bus", "cat", "tie"]


@pytest.fixture
def task(tmp_path: Path) -> Any:
    """Dog and person stand together, with a car mostly; a kite is rare."""
    shown = [["person", "dog", "car"]] * 6 + [["person", "dog", "cup"]] * 3 + [["bus", "cat", "tie"], ["kite"], []]
    lines = [json.dumps({"id": f"p{n}", "image": f"{n}.png", "things": each}) for n, each in enumerate(shown)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))

    def make(**keys: Any) -> Any:
        source = {"kind": "pope", "of": {"kind": "jsonl", "path": "rows.jsonl"}, "objects": "things", "each": 2, **keys}
        file = tmp_path / "pope.yaml"
        file.write_text(yaml.safe_dump({"name": "pope", "family": "yes-no", "source": source}))
        return load_task(file)

    return make


def asked(made: Any) -> list[tuple[str, str, str]]:
    samples = list(made.family.samples())
    return [(s.id.rpartition("-")[0], s.question, s.options[s.target[0]].label) for s in samples]


@pytest.mark.parametrize("sampling", ["random", "popular", "adversarial"])
def test_half_is_there_and_no_object_is_asked_twice(task: Any, sampling: str) -> None:
    found = asked(task(sampling=sampling))
    assert Counter(target for *_, target in found) == {"yes": 20, "no": 20}
    assert len(set(found)) == len(found) == task(sampling=sampling).size
    assert found == asked(task(sampling=sampling)) != asked(task(sampling=sampling, seed=1))
    for picture in {picture for picture, *_ in found}:
        assert Counter(t for p, _, t in found if p == picture) == {"yes": 2, "no": 2}


def absent(made: Any, picture: str) -> set[str]:
    return {q.removesuffix(" in the image?").split()[-1] for p, q, t in asked(made) if (p, t) == (picture, "no")}


def test_the_samplings_are_what_they_are_called(task: Any) -> None:
    assert absent(task(sampling="popular"), "p9") == {"person", "dog"}
    assert absent(task(sampling="adversarial"), "p0") <= {"cup", "bus", "cat", "tie", "kite"}
    assert "cup" in absent(task(sampling="adversarial"), "p0")
    assert "car" in absent(task(sampling="adversarial"), "p6")
    assert absent(task(sampling="popular"), "p0") == {"cup", "bus"}


def test_what_is_left_out_is_told(task: Any) -> None:
    notes = task(sampling="random").opened.notes
    assert any("pictures left out, with too few or too many objects for 2 of each: 2" in note for note in notes)
    assert task(sampling="random", pictures=3).size == 12


def test_what_cannot_be_asked_is_refused(task: Any) -> None:
    fails(lambda: task(sampling="random", each=4).size, "no picture shows 4", "`each`")
    fails(lambda: task(sampling="rare").opened, "random")
    fails(lambda: task(sampling="random", question="Is it?").opened, "{thing}")
    fails(lambda: task(sampling="random", objects="thing").size, "things")


def test_the_official_reader_and_ours_side_by_side(tmp_path: Path) -> None:
    file = SHARED / "reference" / "hallucination.json"
    if not file.is_file():
        pytest.skip("the official figures are not here")
    held = json.loads(file.read_text(encoding="utf-8"))["pope"]
    rows = [{"question": "Is it there?", "target": label} for label in held["labels"]]
    names = ["accuracy", "f1", "yes_rate", "official_accuracy", "official_f1", "official_yes_rate"]
    made = mmbench.task("yes-no", rows, metrics=names)
    lines = [json.dumps({"id": str(n), "prediction": each}) for n, each in enumerate(held["replies"])]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    scores = {score.metric: score for score in mmbench.score(made, tmp_path / "p.jsonl").record.scores}
    official = held["expected"]["official"]
    assert scores["official_accuracy"].value == pytest.approx(official["accuracy"])
    assert scores["official_f1"].value == pytest.approx(official["f1"])
    assert scores["official_yes_rate"].value == pytest.approx(official["yes_ratio"])
    assert scores["accuracy"].coverage < 1, "ours takes no `I cannot tell` for a yes"
    assert sum(map(official_yes, held["replies"])) == official["tp"] + official["fp"]
