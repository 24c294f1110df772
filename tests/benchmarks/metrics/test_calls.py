"""The public functions give what tasks are scored by, agree with scikit-learn, and refuse what cannot be meant."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mmbench
from mmbench import metrics
from mmbench.benchmarks.metrics.caption.meteor import available
from mmbench.harness.errors import DataError
from tests.lazy import sk_metrics, sk_preprocessing

CAPTIONS = ["A red bus in the rain.", "two men sit on a bench", "dog", ""]
REFERENCES = [
    ["a red bus on a wet street", "a bus in the rain"],
    ["two men sit on a wooden bench"],
    ["a dog runs", "the dog"],
    ["a cat"],
]


def predicted(tmp_path: Path, family: str, rows: list[dict[str, Any]], said: list[object], **keys: object) -> Any:
    """The scores of a task over rows, of predictions."""
    file = tmp_path / "said.jsonl"
    file.write_text("".join(json.dumps({"id": i, "prediction": each}) + "\n" for i, each in enumerate(said)))
    scored = mmbench.score(mmbench.task(family, rows, **keys), file)
    return {row["metric"]: row["value"] for row in scored.rows()}


def test_captions_score_as_their_task(tmp_path: Path) -> None:
    names = ["cider", "bleu@1", "bleu@4", "rouge_l", "length_ratio"]
    rows = [{"references": each} for each in REFERENCES[:3]]
    held = predicted(tmp_path, "captioning", rows, list(CAPTIONS[:3]), metrics=names)
    given = (CAPTIONS[:3], REFERENCES[:3])
    made = [metrics.cider(*given), metrics.bleu(*given, k=1), metrics.bleu(*given), metrics.rouge_l(*given)]
    assert [*made, metrics.length_ratio(*given)] == pytest.approx([held[name] for name in names])


def test_answers_score_as_their_task(tmp_path: Path) -> None:
    names = ["vqa_accuracy", "vqa_accuracy_lenient", "exact_match", "anls", "relaxed_accuracy", "token_f1"]
    answers = ["two", "2", "two dogs", "two"]
    held = predicted(tmp_path, "vqa", [{"question": "q", "answers": answers}], ["Two"], metrics=names)
    assert [getattr(metrics, name)("Two", answers) for name in names] == [held[name] for name in names]


def test_classes_and_answers_score_as_their_tasks(tmp_path: Path) -> None:
    scores = [[0.9, 0.1, 0.0], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]
    labels = [0, 1, 1, 2]
    rows = [{"label": label} for label in labels]
    names = ["accuracy", "accuracy@2", "mean_per_class_recall"]
    held = predicted(tmp_path, "zero-shot-classification", rows, list(scores), classes=["a", "b", "c"], metrics=names)
    made = [metrics.accuracy(scores, labels), metrics.accuracy(scores, labels, 2)]
    assert [*made, metrics.mean_per_class_recall(scores, labels)] == pytest.approx([held[name] for name in names])

    said, true = [True, True, False, False, True], [True, False, True, False, True]
    names = ["precision", "recall", "f1"]
    rows = [{"question": "q", "target": "yes" if each else "no"} for each in true]
    held = predicted(tmp_path, "yes-no", rows, list(said), metrics=names)
    assert [getattr(metrics, name)(said, true) for name in names] == pytest.approx([held[name] for name in names])


def test_they_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    scores, labels = draw.standard_normal((60, 5)), draw.integers(0, 5, 60)
    targets = sk_preprocessing.label_binarize(labels, classes=range(5))
    for k in (1, 2):
        assert metrics.accuracy(scores, labels, k) == pytest.approx(
            sk_metrics.top_k_accuracy_score(labels, scores, k=k)
        )
    balanced = sk_metrics.balanced_accuracy_score(labels, scores.argmax(axis=1))
    assert metrics.mean_per_class_recall(scores, labels) == pytest.approx(balanced)
    average = sk_metrics.average_precision_score(targets, scores, average="macro")
    assert metrics.mean_average_precision(scores, targets) == pytest.approx(average)
    said, true = scores[:, 0] > 0, targets[:, 0].astype(bool)
    for name in ("precision", "recall", "f1"):
        assert getattr(metrics, name)(said, true) == pytest.approx(getattr(sk_metrics, f"{name}_score")(true, said))


def test_retrieval_counts_queries_and_shares_ties() -> None:
    draw = np.random.default_rng(1)
    scores = draw.standard_normal((40, 30))
    relevant = [sorted(draw.choice(30, draw.integers(1, 4), replace=False).tolist()) for _ in range(40)]
    ranks = [1 + min(int((row > row[i]).sum()) for i in own) for row, own in zip(scores, relevant, strict=True)]
    for k in (1, 5, 10):
        assert metrics.recall_at_k(scores, relevant, k) == pytest.approx(np.mean([rank <= k for rank in ranks]))
    assert metrics.median_rank(scores, relevant) == np.median(ranks)
    assert metrics.recall_at_k(np.zeros((2, 10)), [3, 4], 1) == pytest.approx(0.1)
    assert metrics.recall_at_k([[0.0, 1.0]], np.array([1]), 5) == 1.0


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.accuracy([[1, 2]], [-1]), "the label -1 of item 0 is no index, or indices, in 0..1"),
    (lambda: metrics.accuracy([[1, 2]], [2]), "the label 2 of item 0"),
    (lambda: metrics.accuracy([[1, 2]], [0.0]), "the label 0.0 of item 0"),  # type: ignore[list-item]
    (lambda: metrics.accuracy([[1, 2]], [True]), "the label True of item 0"),
    (lambda: metrics.accuracy([[1, 2]], [1, 1]), "scores of 1 items and labels of 2: give one of each"),
    (lambda: metrics.accuracy([1, 2], [1]), "scores are of shape (2,); give a matrix"),
    (lambda: metrics.accuracy([[1, float("nan")]], [1]), "scores hold NaN"),
    (lambda: metrics.accuracy([[1, 2]], [1], 0), "k is a whole number from 1, not 0"),
    (lambda: metrics.recall_at_k([[1, 2]], [[]], 1), "the label [] of item 0"),
    (lambda: metrics.mean_per_class_recall([[1, 2]], [[0, 1]]), "needs one class for each item"),  # type: ignore[list-item]
    (lambda: metrics.mean_average_precision([[1, 2]], [[0, 2]]), "of one shape, with 0 and 1 alone"),
    (lambda: metrics.mean_average_precision([[1, 2]], [[0], [1]]), "of one shape, with 0 and 1 alone"),
    (lambda: metrics.precision(["yes"], ["no"]), "answers are of type <U3; give numbers"),
    (lambda: metrics.f1([True], [True, False]), "the lists differ in length (answers 1, the truth 2)"),
    (lambda: metrics.bleu("a cat", [["a cat"]]), "candidates are a list of texts, one for each item"),
    (lambda: metrics.bleu(["a cat"], ["a cat"]), "put a single text into brackets"),
    (lambda: metrics.bleu(["a cat"], []), "1 candidates and references of 0 items"),
    (lambda: metrics.bleu(["a cat"], [["a cat"]], 5), "k is a whole number from 1 to 4, not 5"),
    (lambda: metrics.rouge_l([], []), "there is no caption to score"),
    (lambda: metrics.cider(["a"], [["a"]]), "score more items or give a table of document frequencies"),
    (lambda: metrics.vqa_accuracy("a", "a cat"), "the answers are one text; put it into a list"),
    (lambda: metrics.anls("a", "a cat"), "the answers are one text"),
    (lambda: metrics.anls("a", []), "a question has no answers"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert isinstance(caught.value, ValueError)
    assert reason in str(caught.value)


def test_the_namespace_is_lazy_and_needs_no_torch() -> None:
    assert sorted(metrics.__all__) == metrics.__all__ == dir(metrics)
    with pytest.raises(AttributeError, match=r"module 'mmbench\.metrics' has no attribute 'cidr'"):
        metrics.cidr  # noqa: B018
    code = (
        "import sys; from mmbench import metrics; print('numpy' in sys.modules);"
        "[getattr(metrics, name) for name in metrics.__all__];"
        "print([name for name in ('torch', 'pandas', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False", "[]"]


def test_captions_score_as_the_official_scripts(coco: dict[str, Any]) -> None:
    given = [item["candidate"] for item in coco["items"]], [item["references"] for item in coco["items"]]
    expected = coco["corpus"]
    for k in (1, 2, 3, 4):
        assert metrics.bleu(*given, k) == pytest.approx(expected[f"bleu_{k}"], abs=1e-9)
    assert metrics.rouge_l(*given) == pytest.approx(expected["rouge_l"], abs=1e-9)
    assert metrics.cider(*given) == pytest.approx(expected["cider"], abs=1e-9)


@pytest.mark.long
@pytest.mark.skipif(available() is not None, reason="METEOR is not available")
def test_meteor_is_one_of_equal_captions() -> None:
    assert metrics.meteor(["a red bus in the rain"], [["a red bus in the rain", "rain"]]) == pytest.approx(1)
