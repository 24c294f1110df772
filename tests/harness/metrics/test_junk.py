"""Whatever is given, a function answers or refuses it in a sentence, without a warning."""

import random
import warnings
from inspect import Parameter, signature
from typing import Any

import numpy as np
import pytest

from mmbench import metrics
from mmbench.harness.errors import ArgumentError

FUNCTIONS = """
alignment augrc aurc average_precision brier calibration_error cer chair cmmd coverage_at_risk effective_rank
error_consistency fit_psychometric fit_temperature frame_indices frechet_distance hubness info_nce iou k_occurrence
kernel_distance linear_cka modality_gap ndcg ned negative_log_likelihood prdc read_boxes read_count read_points
reciprocal_rank reliability risk_at_coverage risk_coverage uniformity wer worst_group
accuracy anls area_under_shots bleu cider clipscore exact_match f1 length_ratio levenshtein mean_average_precision
mean_per_class_recall median_rank pair_values precision recall recall_at_k ref_clipscore relaxed_accuracy rouge_l
shots_to_reach token_f1 group_accuracy mme vqa_accuracy vqa_accuracy_lenient
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
