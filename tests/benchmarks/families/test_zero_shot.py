"""Zero-shot classification agrees with scikit-learn on vectors made at random, and counts what failed apart."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records import record as records
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.run.result import Run
from mmbench.harness.run.run import run
from mmbench.harness.scores.score import score
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Outcome, Score
from tests import fakes
from tests.lazy import sk_metrics, sk_preprocessing

TEMPLATES = ["a photo of a {}.", "the {}", "{} again and again"]


def vectors_of(images: Floats, texts: dict[str, Floats]) -> fakes.Towers:
    """Look vectors up: a picture by the number in its colour, a text by its words."""
    return fakes.Towers(images.__getitem__, texts.__getitem__)


def draw(folder: Path, count: int) -> None:
    for i in range(count):
        fakes.numbered(i).save(folder / f"{i}.png")


def jsonl(folder: Path, rows: list[dict[str, Any]], keys: str = "") -> Path:
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = "name: items\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: items.jsonl}\n" + keys
    (folder / "items.yaml").write_text(text)
    return folder / "items.yaml"


def ask(model: object, task: Path) -> tuple[Run, dict[str, Score], list[Outcome]]:
    folder = task.parent
    made = run(model, task=str(task), output=folder / "results", store=folder / "store.sqlite")
    assert [str(problem.error) for problem in made.problems] == []
    (record,) = made.records
    path = folder / "results" / "runs" / record.model / record.file_name
    assert records.read(path) == record
    return made, {each.metric: each for each in record.scores}, read_outcomes(path)


def vectors(count: int, classes: Sequence[str], seed: int = 0) -> tuple[fakes.Towers, Floats]:
    """A table adapter, and the cosines that it should come to, by another road."""
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((count, 12)) * rng.uniform(0.1, 10, (count, 1))
    texts = {t.replace("{}", c): rng.standard_normal(12) * rng.uniform(0.1, 10) for c in classes for t in TEMPLATES}
    prototypes = sk_preprocessing.normalize(
        [sk_preprocessing.normalize([texts[t.replace("{}", c)] for t in TEMPLATES]).mean(axis=0) for c in classes]
    )
    return vectors_of(images, texts), sk_preprocessing.normalize(images) @ prototypes.T


def test_scores_are_those_of_scikit_learn(tmp_path: Path) -> None:
    classes = ["cat", "dog", "cow", "owl", "eel", "ant", "bee"]
    table, cosines = vectors(120, classes)
    labels = np.random.default_rng(1).integers(0, 7, 120)
    draw(tmp_path, 120)
    rows = [{"image": f"{i}.png", "label": int(label)} for i, label in enumerate(labels)]
    keys = f"classes: {json.dumps(classes)}\ntemplates: {json.dumps(TEMPLATES)}\n"
    made, scores, outcomes = ask(table, jsonl(tmp_path, rows, keys))
    assert list(scores) == ["accuracy", "accuracy@5", "mean_per_class_recall"]
    guesses = cosines.argmax(axis=1)
    assert scores["accuracy"].value == pytest.approx(sk_metrics.accuracy_score(labels, guesses))
    assert scores["accuracy@5"].value == pytest.approx(sk_metrics.top_k_accuracy_score(labels, cosines, k=5))
    assert scores["mean_per_class_recall"].value == pytest.approx(sk_metrics.balanced_accuracy_score(labels, guesses))
    assert [each.chance for each in scores.values()] == pytest.approx([1 / 7, 5 / 7, 1 / 7])
    assert all((each.n, each.coverage) == (120, 1.0) for each in scores.values())
    assert scores["accuracy"].bounds == (scores["accuracy"].value, scores["accuracy"].value)
    assert [each.prediction for each in outcomes] == [classes[i] for i in guesses]
    assert [each.target for each in outcomes] == [classes[i] for i in labels]
    assert [each.id for each in outcomes] == [str(i) for i in range(120)]
    assert {each.status for each in outcomes} == {"ok"}
    assert {each.unit for each in outcomes} == {"item"}
    assert len({each.cluster for each in outcomes}) == 120
    again = score(load_task(tmp_path / "items.yaml").family.metrics, outcomes)
    assert again == list(scores.values()), "scores follow from the outcomes on disk"
    assert made.exit_code == 0


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_multi_label_map_is_that_of_scikit_learn(tmp_path: Path, kind: str) -> None:
    classes = ["cat", "dog", "cow", "owl"]
    table, cosines = vectors(60, classes)
    rng = np.random.default_rng(2)
    targets = rng.random((60, 4)) < 0.4
    targets[np.arange(60), rng.integers(0, 4, 60)] = True
    labels = [[classes[c] for c in np.flatnonzero(row)] for row in targets]
    draw(tmp_path, 60)
    rows = [{"image": f"{i}.png", "label": names} for i, names in enumerate(labels)]
    task = jsonl(tmp_path, rows, f"classes: {json.dumps(classes)}\ntemplates: {json.dumps(TEMPLATES)}\n")
    if kind == "csv":
        cells = [json.dumps(names).replace('"', '""') for names in labels]
        (tmp_path / "items.csv").write_text(
            "image,label\n" + "".join(f'{i}.png,"{cell}"\n' for i, cell in enumerate(cells))
        )
        task.write_text(task.read_text().replace("jsonl", "csv"))
    _, scores, outcomes = ask(table, task)
    assert list(scores) == ["map"]
    assert scores["map"].value == pytest.approx(sk_metrics.average_precision_score(targets, cosines, average="macro"))
    assert scores["map"].chance == pytest.approx(targets.mean())
    assert (scores["map"].n, scores["map"].primary) == (60, True)
    assert scores["map"].low < scores["map"].value < scores["map"].high
    assert outcomes[0].target == " | ".join(labels[0])
    assert len(outcomes[0].statistics["map"]) == 8


def test_accuracy_of_multi_label_items_takes_any_right_class(tmp_path: Path) -> None:
    table, cosines = vectors(30, ["cat", "dog", "cow"])
    draw(tmp_path, 30)
    rows = [{"image": f"{i}.png", "label": ["cat", "cow"] if i % 2 else ["dog"]} for i in range(30)]
    keys = f"classes: [cat, dog, cow]\ntemplates: {json.dumps(TEMPLATES)}\nmetrics: [accuracy, mean_per_class_recall]\n"
    _, scores, _ = ask(table, jsonl(tmp_path, rows, keys))
    guesses = cosines.argmax(axis=1)
    assert scores["accuracy"].value == pytest.approx(np.mean([(g in (0, 2)) == i % 2 for i, g in enumerate(guesses)]))
    assert scores["accuracy"].chance == pytest.approx(0.5)
    assert scores["mean_per_class_recall"].value is None, "recall of a class is not defined for items of two"


def test_a_collapsed_model_scores_chance(tmp_path: Path) -> None:
    classes = ["cat", "dog", "cow", "owl"]
    draw(tmp_path, 8)
    rows = [{"image": f"{i}.png", "label": classes[i % 4]} for i in range(8)]
    table = vectors_of(np.ones((8, 3)), {f"a photo of a {name}.": np.ones(3) for name in classes})
    keys = "metrics: [accuracy, accuracy@2, mean_per_class_recall]\n"
    _, scores, _ = ask(table, jsonl(tmp_path, rows, keys))
    assert [each.value for each in scores.values()] == pytest.approx([0.25, 0.5, 0.25])
    assert [each.chance for each in scores.values()] == pytest.approx([0.25, 0.5, 0.25])


def test_an_unreadable_picture_is_no_wrong_answer(tmp_path: Path) -> None:
    table, cosines = vectors(10, ["cat", "dog"])
    draw(tmp_path, 10)
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "7.png").unlink()
    labels = np.arange(10) % 2
    rows = [{"image": f"{i}.png", "label": int(label)} for i, label in enumerate(labels)]
    keys = f"classes: [cat, dog]\ntemplates: {json.dumps(TEMPLATES)}\n"
    made, scores, outcomes = ask(table, jsonl(tmp_path, rows, keys))
    good = [i for i in range(10) if i not in (3, 7)]
    right = int((cosines.argmax(axis=1) == labels)[good].sum())
    accuracy = scores["accuracy"]
    assert (accuracy.value, accuracy.n, accuracy.coverage) == (right / 8, 8, 0.8)
    assert accuracy.bounds == (right / 10, (right + 2) / 10)
    assert scores["mean_per_class_recall"].n == 8
    assert scores["mean_per_class_recall"].bounds is None
    assert [each.status for each in outcomes].count("error") == 2
    failed = outcomes[3]
    assert (failed.status, failed.prediction, dict(failed.values)) == ("error", None, {})
    assert failed.message is not None
    assert "3.png" in failed.message
    assert (made.exit_code, made.records[0].errors) == (1, 2)


def test_an_unclear_reply_counts_as_wrong(tmp_path: Path) -> None:
    draw(tmp_path, 4)
    rows = [{"image": f"{i}.png", "label": "dog"} for i in range(4)]
    replies = ["B", "cat", "It might be a dog or a cat", "dog."]
    writer = fakes.Speaker(lambda n, prompt: replies[n])
    _, scores, outcomes = ask(
        writer, jsonl(tmp_path, rows, "classes: [cat, dog]\nmetrics: [accuracy, accuracy@2, map]\n")
    )
    assert [each.status for each in outcomes] == ["ok", "ok", "unparsed", "ok"]
    assert [each.prediction for each in outcomes] == ["dog", "cat", "It might be a dog or a cat", "dog"]
    accuracy = scores["accuracy"]
    assert (accuracy.value, accuracy.n, accuracy.coverage, accuracy.bounds) == (0.5, 4, 0.75, (0.5, 0.75))
    assert scores["accuracy@2"].value is None, "a written reply ranks nothing"
    assert scores["map"].value is None


def test_likelihood_is_averaged_over_templates(tmp_path: Path) -> None:
    draw(tmp_path, 2)
    rows = [{"image": "0.png", "label": "cat"}, {"image": "1.png", "label": "cat"}]
    scores = {"a cat": -1.0, "the cat": -5.0, "a dog": -2.0, "the dog": -3.0}, {"the cat": -3.0}
    scorer = fakes.Likely(lambda n, prompt, text: {**scores[0], **(scores[1] if n else {})}[text])
    keys = "classes: [cat, dog]\ntemplates: ['a {}', 'the {}']\nmetrics: [accuracy]\n"
    made, values, _ = ask(scorer, jsonl(tmp_path, rows, keys))
    assert made.records[0].route == "likelihood"
    assert values["accuracy"].value == 0.5


def test_facts_break_scores_down(tmp_path: Path) -> None:
    table, cosines = vectors(12, ["cat", "dog"])
    draw(tmp_path, 12)
    levels: list[Any] = [1, 2, None]
    rows = [{"image": f"{i}.png", "label": "cat", "level": levels[i % 3], "free": f"text {i}"} for i in range(12)]
    keys = f"classes: [cat, dog]\ntemplates: {json.dumps(TEMPLATES)}\nfacts: [level]\nmetrics: [accuracy]\n"
    made, _, outcomes = ask(table, jsonl(tmp_path, rows, keys))
    hits = (cosines.argmax(axis=1) == 0).astype(float)
    assert [(each.fact, each.level, each.score.value, each.score.n) for each in made.records[0].breakdown] == [
        ("level", level, hits[i::3].mean(), 4) for i, level in enumerate(levels)
    ]
    assert [dict(each.facts) for each in outcomes[:3]] == [{"level": 1}, {"level": 2}, {}]


def test_rows_are_as_the_interface_says(tmp_path: Path) -> None:
    table, _ = vectors(4, ["cat", "dog"])
    draw(tmp_path, 4)
    rows = [{"image": f"{i}.png", "label": "cat"} for i in range(4)]
    keys = f"classes: [cat, dog]\ntemplates: {json.dumps(TEMPLATES)}\nversion: 3\n"
    made, _, _ = ask(table, jsonl(tmp_path, rows, keys))
    first, second = made.rows()
    expected = "model task version family metric value low high n coverage bounds chance primary route control protocol"
    assert set(first) == {*expected.split(), "partial", "few_clusters"}
    assert {name: first[name] for name in ("model", "task", "version", "family", "metric", "route", "control")} == {
        "model": "Towers",
        "task": "items",
        "version": 3,
        "family": "zero-shot-classification",
        "metric": "accuracy",
        "route": "embed",
        "control": None,
    }
    assert (first["primary"], second["primary"], first["partial"]) == (True, False, False)
    assert list(made.table().columns) == list(first)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"image": "0.png", "label": []}, "items.jsonl line 1: no label; every row needs at least one class"),
        ({"image": "0.png", "label": 2}, "items.jsonl line 1: 2 is no class index, expected 0 to 1"),
        ({"image": "0.png", "label": None}, "items.jsonl line 1: expected a class name"),
        ({"image": None, "label": "cat"}, "items.jsonl line 1: expected a picture"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, row: dict[str, Any], expected: str) -> None:
    task = load_task(jsonl(tmp_path, [row], "classes: [cat, dog]\n"))
    with pytest.raises(DataError) as caught:
        list(task.family.samples())
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("label", "keys", "names"),
    [
        ("accuracy", "", ["accuracy", "mean_per_class_recall"]),
        (["accuracy"], "", ["map"]),
        ("accuracy", "classes: [accuracy, b, c, d, e, f]\n", ["accuracy", "accuracy@5", "mean_per_class_recall"]),
    ],
)
def test_default_metrics(tmp_path: Path, label: Any, keys: str, names: list[str]) -> None:
    rows = [{"image": "0.png", "label": label}, {"image": "0.png", "label": label}]
    task = load_task(jsonl(tmp_path, rows, keys))
    assert [metric.name for metric in task.family.metrics] == names


def test_integer_labels_need_classes(tmp_path: Path) -> None:
    task = jsonl(tmp_path, [{"image": "0.png", "label": 0}])
    with pytest.raises(DataError, match="labels in column 'label' are numbers; name the classes with the key"):
        _ = load_task(task).opened


def test_metric_names_print_as_they_are_read() -> None:
    from mmbench.benchmarks.families.zero_shot import ZeroShotClassification

    described: Callable[[str], str] = {m.name: m.description for m in ZeroShotClassification.known_metrics}.__getitem__
    assert described("accuracy@5") == "A right class is among the 5 nearest."
