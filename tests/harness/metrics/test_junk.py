"""Whatever is given, a function answers or refuses it in a sentence, without a warning."""

import random
import warnings
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmbench import metrics
from mmbench.harness.errors import ArgumentError

FUNCTIONS = """
alignment anisotropy antihubs augrc aurc average_precision brier calibration_error cer chair cmmd coverage_at_risk
effective_rank error_consistency fit_psychometric fit_temperature frame_indices frechet_distance hubness info_nce iou
k_occurrence kernel_distance linear_cka modality_gap modality_separability ndcg ned negative_log_likelihood prdc
read_boxes read_count read_points reciprocal_rank reliability risk_at_coverage risk_coverage sigmoid_loss uniformity
wer worst_group accuracy anls area_under_shots bleu cider clipscore exact_match f1 length_ratio levenshtein
mean_average_precision mean_per_class_recall median_rank pair_values precision recall recall_at_k ref_clipscore
relaxed_accuracy rouge_l shots_to_reach token_f1 group_accuracy mme vqa_accuracy vqa_accuracy_lenient
"""
NAN, INF = float("nan"), float("inf")
JUNK: list[Any] = [
    *(None, 0, 1, -1, 1.5, NAN, INF, True, "", "abc", b"x", 1j, object(), {}, {"a": ["b"]}, {1, 2}, range(3), 10**30),
    *(
        [],
        [0],
        [1],
        [0, 1, 1],
        [0.5, 0.25, 1.0],
        [1, None],
        ["a", "b"],
        [[0, 1], [1, 0]],
        [[0.5, 0.5], [0.2, 0.8]],
        [[1], []],
    ),
    *([NAN, 1, 2], [INF, 1, 2], [-INF, 1, 2], [1j], [[["a"]]], [["a"], ["b"]], ["a cat", "a dog"], [10**30, 1]),
    *(np.zeros((3, 4)), np.ones((5, 4)), np.eye(4), np.zeros((0, 4)), np.zeros(0), np.arange(24.0).reshape(6, 4) ** 2),
    *(10**400, [10**400, 1], np.array(0.5), np.ma.masked_equal([0, 1, 1], 0), pd.DataFrame({"a": [0, 1], "b": [1, 0]})),
    *(pd.Series([1, 0, 1], index=[5, 6, 7]), pd.Series([True, None]), (each for each in (1, 0))),
    *(np.full((3, 4), 1e308), np.full((3, 4), 1e-308), np.array(["2026-01-01"], "datetime64[D]")),
]


def test_all_are_tried() -> None:
    assert {*FUNCTIONS.split(), "meteor"} == {name for name in metrics.__all__ if name.islower()}  # a program is slow


@pytest.mark.parametrize("name", FUNCTIONS.split())
def test_junk_is_refused_in_a_sentence(name: str) -> None:
    function = getattr(metrics, name)
    needed = [each for each in signature(function).parameters.values() if each.default is Parameter.empty]
    draw = random.Random(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(1500):
            given = [draw.choice(JUNK) for _ in needed]
            try:
                function(*given)
            except ArgumentError as error:
                assert 10 < len(str(error)) < 800
                assert "\n" not in str(error)


RIGHT: dict[str, tuple[Any, ...]] = {
    "bleu": (["a cat"], [["a cat"]]),
    "calibration_error": ([0.5], [1]),
    "cer": ("a", "b"),
    "cider": (["a cat", "a dog"], [["a cat"], ["a dog"]]),
    "effective_rank": (np.eye(3),),
    "frame_indices": ("uniform", 10, 4, 25.0),
    "iou": ([0, 0, 1, 1], [0, 0, 1, 1]),
    "linear_cka": (np.eye(5), np.eye(5)),
    "ndcg": ([0.5, 0.4], [1, 0]),
    "ned": ("a", "b"),
    "read_boxes": ("[1, 2, 3, 4]", "pixels", 10, 10),
    "recall_at_k": ([[0.9, 0.1]], [0]),
    "reliability": ([0.5], [1]),
}
"""Arguments that can be meant, before the others that a function has."""


@pytest.mark.parametrize("name", RIGHT)
def test_junk_in_one_other_argument_is_refused_in_a_sentence(name: str) -> None:
    function, held = getattr(metrics, name), RIGHT[name]
    others = [*signature(function).parameters][len(held) :]
    assert others
    for other in others:
        for junk in JUNK:
            try:
                function(*held, **({"k": 1} if name == "recall_at_k" else {}) | {other: junk})
            except ArgumentError as error:
                assert 10 < len(str(error)) < 800


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: metrics.recall([1, 1, 0], np.ma.masked_equal([1, 0, 1], 0)), "masked"),
        (lambda: metrics.worst_group([1, 0], pd.DataFrame({"a": [1, 2], "b": [3, 4]})), "not DataFrame"),
        (lambda: metrics.iou([0, 0, 1, 1], [0, 0, 1, 1], "no"), "inclusive is True or False, not 'no'"),
        (lambda: metrics.cer("a", "A", [1]), "fold is True or False"),
        (lambda: metrics.aurc([10**400], [1]), "too large"),
        (lambda: metrics.frame_indices("fps", 10, 4, 25.0, bound=(1, 2, 3)), "from a time to a later one"),
        (lambda: metrics.calibration_error([0.5], [1], 10**30), "bins is a whole number from 1 to 1048576"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ArgumentError, match=reason):
        call()


def test_kinds_of_lists_have_one_value() -> None:
    right = metrics.worst_group([1, 0, 1], ["a", "a", "b"])
    assert metrics.worst_group(pd.Series([1, 0, 1]), pd.Categorical(["a", "a", "b"])) == right
    assert metrics.accuracy([[0.9, 0.1]] * 2, (each for each in (0, 1)), np.int64(1)) == 0.5
    assert metrics.rouge_l((text for text in ["a cat"]), np.array([["a cat"]])) == 1.0  # type: ignore[arg-type]
