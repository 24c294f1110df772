"""Calibration and selective prediction: equal to plain loops, to scikit-learn and to the reference figures."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from mmbench import metrics
from mmbench.harness.errors import ArgumentError
from tests.lazy import sk_metrics

Read = Callable[[str], Any]


def softmax(logits: Any) -> Any:
    made = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return made / made.sum(axis=1, keepdims=True)


def test_calibration_is_that_of_the_reference(reference: Read) -> None:
    for case in reference("calibration")["cases"]:
        logits, labels, expected = np.array(case["logits"]), np.array(case["labels"]), case["expected"]
        probabilities = softmax(logits)
        given = (probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
        for bins in (10, 15):
            made = {
                f"ece_equal_width_{bins}": metrics.calibration_error(*given, bins),
                f"mce_equal_width_{bins}": metrics.calibration_error(*given, bins, norm="max"),
                f"ece_equal_mass_{bins}": metrics.calibration_error(*given, bins, "mass"),
                f"debiased_squared_l2_equal_mass_{bins}": metrics.calibration_error(
                    *given, bins, "mass", debiased=True
                ),
            }
            held = {name: value for name, value in made.items() if name in expected}
            assert len(held) >= 3
            assert held == pytest.approx({name: expected[name] for name in held}, abs=1e-12)
            if probabilities.max() < 1 - 1e-6:  # torchmetrics puts a confidence of 1 above the last bin
                root = metrics.calibration_error(*given, bins, norm="l2")
                assert root == pytest.approx(expected[f"torchmetrics_l2_{bins}"], abs=2e-6)
            rows = [[one.bin, one.count, one.confidence, one.accuracy] for one in metrics.reliability(*given, bins)]
            assert np.allclose(rows, expected[f"reliability_{bins}: bin,count,mean_conf,accuracy"], rtol=0, atol=6e-9)
        assert metrics.brier(probabilities, labels) == pytest.approx(expected["brier_multiclass_sum (0..2)"], abs=1e-12)
        nats = metrics.negative_log_likelihood(probabilities, labels)
        assert nats == pytest.approx(expected["nll_natural_log"], abs=1e-12)
        temperature = metrics.fit_temperature(logits, labels)
        assert temperature == pytest.approx(expected["temperature_min_nll_on_these"], rel=1e-6)
        cooled = softmax(logits / temperature)
        assert metrics.negative_log_likelihood(cooled, labels) == pytest.approx(expected["nll_at_T"], abs=1e-12)
        made_ece = metrics.calibration_error(cooled.max(axis=1), cooled.argmax(axis=1) == labels)
        assert made_ece == pytest.approx(expected["ece15_at_T"], abs=1e-7)


def test_edges_and_two_classes_are_those_of_the_reference(reference: Read) -> None:
    held = reference("calibration")
    for case in held["edges"]:
        made = metrics.calibration_error(case["conf"], case["correct"], 10)
        assert made == pytest.approx(case["expected"]["right_closed (l,u] (Guo 2017)"], abs=1e-12)
    probabilities, labels = np.array(held["binary"]["probabilities"]), np.array(held["binary"]["labels"])
    expected = held["binary"]["expected"]
    yes = metrics.calibration_error(probabilities, labels)
    assert yes == pytest.approx(expected["ece15 of p(1) against y"], abs=1e-12)
    surest = np.maximum(probabilities, 1 - probabilities), (probabilities >= 0.5) == labels
    assert metrics.calibration_error(*surest) == pytest.approx(
        expected["ece15 of max(p,1-p) against correct"], abs=1e-12
    )
    assert metrics.brier(probabilities, labels) == pytest.approx(expected["brier_sklearn"], abs=1e-12)
    nats = metrics.negative_log_likelihood(probabilities, labels)
    assert nats == pytest.approx(expected["log_loss_sklearn"], abs=1e-12)


@pytest.mark.parametrize("bins", [1, 3, 10, 15, 500])
def test_bins_are_those_of_a_plain_loop(bins: int) -> None:
    draw = np.random.default_rng(bins)
    confidence = draw.integers(0, 101, 200) / 100
    correct = draw.random(200) < confidence
    gaps, counts = [], []
    for k in range(bins):
        inside = [i for i, c in enumerate(confidence) if k / bins < c <= (k + 1) / bins or (k == 0 and c == 0)]
        if inside:
            gaps.append(abs(confidence[inside].mean() - correct[inside].mean()))
            counts.append(len(inside))
    assert sum(counts) == 200
    assert metrics.calibration_error(confidence, correct, bins) == pytest.approx(np.dot(counts, gaps) / 200)
    root = np.sqrt(np.dot(counts, np.square(gaps)) / 200)
    assert metrics.calibration_error(confidence, correct, bins, norm="l2") == pytest.approx(root)
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
    equal = [abs(confidence[part].mean() - correct[part].mean()) * len(part) / 200 for part in parts]
    assert metrics.calibration_error(confidence, correct, bins, "mass") == pytest.approx(sum(equal))


def test_written_decimals_on_edges_go_below() -> None:
    for bins in (5, 10, 15, 20, 100):
        for k in range(1, bins + 1):
            for kind in (np.float64, np.float32, np.float16):
                assert metrics.reliability(np.array([k / bins], kind), [1], bins)[0].bin == k - 1
    assert metrics.reliability([0.0, 1.0], [0, 1], 10)[0].bin == 0


def test_the_debiased_error_has_no_bias() -> None:
    draw = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(400):
        confidence = draw.uniform(0.4, 1.0, 200)
        correct = draw.random(200) < confidence
        plain.append(metrics.calibration_error(confidence, correct, norm="l2") ** 2)
        debiased.append(metrics.calibration_error(confidence, correct, norm="l2", debiased=True))
    assert abs(np.mean(debiased)) < 4 * np.std(debiased) / 20 < np.mean(plain) / 5


def test_scores_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    probabilities, labels = draw.dirichlet(np.ones(4), 100), draw.integers(0, 4, 100)
    assert metrics.negative_log_likelihood(probabilities, labels) == pytest.approx(
        sk_metrics.log_loss(labels, probabilities, labels=range(4))
    )
    truth = np.eye(4)[labels]
    assert metrics.brier(probabilities, labels) == pytest.approx(((probabilities - truth) ** 2).sum(axis=1).mean())
    yes, true = probabilities[:, 0], labels == 0
    assert metrics.brier(yes, true) == pytest.approx(sk_metrics.brier_score_loss(true, yes))
    two = np.stack([1 - yes, yes], axis=1)
    assert metrics.brier(two, true) == pytest.approx(2 * metrics.brier(yes, true))
    assert metrics.negative_log_likelihood([[0.0, 1.0]], [0]) == pytest.approx(-np.log(1e-12))
    assert metrics.negative_log_likelihood([[1e-30, 1.0]], [0]) == pytest.approx(30 * np.log(10))
    single = np.float32(probabilities)
    assert metrics.brier(single, labels) == pytest.approx(metrics.brier(probabilities, labels), abs=1e-6)


def test_no_other_temperature_is_likelier() -> None:
    draw = np.random.default_rng(2)
    for scale in (0.2, 1.0, 30.0):
        logits = draw.standard_normal((300, 5))
        labels = (logits / 1.5 + draw.gumbel(size=(300, 5))).argmax(axis=1)
        found = metrics.fit_temperature(scale * logits, labels)
        assert found == pytest.approx(scale * metrics.fit_temperature(logits, labels), rel=1e-9)
        best = metrics.negative_log_likelihood(softmax(scale * logits / found), labels)
        for other in (0.999, 1.001):
            assert metrics.negative_log_likelihood(softmax(scale * logits / (other * found)), labels) > best
    assert found == pytest.approx(45, rel=0.3)


def test_temperatures_at_the_ends() -> None:
    assert metrics.fit_temperature([[3.0, 1.0], [0.0, 2.0]], [0, 1]) == pytest.approx(np.exp(-5))  # all right
    assert metrics.fit_temperature([[3.0, 1.0], [0.0, 2.0]], [1, 0]) == pytest.approx(np.exp(5))  # all wrong
    assert metrics.fit_temperature([[1.0, 1.0]], [1]) == 1.0
    logits, labels = [2.0, -1.0, 0.5, 3.0], [1, 0, 0, 1]
    assert metrics.fit_temperature(logits, labels) == metrics.fit_temperature([[0.0, each] for each in logits], labels)
    ruled_out = metrics.fit_temperature([[2.0, 0.0, -np.inf]] * 4, [0, 0, 0, 1])
    assert ruled_out == pytest.approx(2 / np.log(3))
    assert metrics.fit_temperature([[1e4, 0.0]] * 4, [0, 0, 0, 1]) == pytest.approx(np.exp(5))


def test_selective_prediction_is_that_of_the_reference(reference: Read) -> None:
    for case in reference("selective_prediction")["cases"]:
        given, expected = (case["confidence"], case["error"]), case["expected"]
        assert metrics.aurc(*given) == pytest.approx(expected["aurc_ties_in_expectation"], abs=1e-12)
        assert metrics.aurc(*given, ties="stable") == pytest.approx(expected["aurc_mean_over_n_coverages"], abs=1e-12)
        optimal = metrics.aurc(-np.array(case["error"]), case["error"])
        assert optimal == pytest.approx(expected["optimal_aurc"], abs=1e-12)
        tied = len(set(case["confidence"])) < len(case["error"])
        for ties in ("stable",) if tied else ("stable", "expected"):  # these figures are of the order given
            assert metrics.augrc(*given, ties) == pytest.approx(expected["augrc"], abs=1e-12)
            for share, risk in expected["risk_at_coverage"].items():
                assert metrics.risk_at_coverage(*given, float(share), ties) == pytest.approx(risk, abs=1e-12)
            for risk, share in expected["coverage_at_risk"].items():
                assert metrics.coverage_at_risk(*given, float(risk), ties) == pytest.approx(share, abs=1e-12)
    for case in reference("selective_prediction")["torch_uncertainty"]:
        probabilities = np.array(case["probabilities"])
        given = probabilities.max(axis=1), probabilities.argmax(axis=1) != case["labels"]
        assert metrics.aurc(*given) == pytest.approx(case["expected"]["own aurc"], abs=1e-12)
        assert metrics.augrc(*given) == pytest.approx(case["expected"]["own augrc"], abs=1e-12)


def test_ties_count_by_the_mean_over_all_orders() -> None:
    confidence, error = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.1]), np.array([0, 1, 0, 0, 1, 0])
    orders = [list(order) for order in permutations(range(6)) if (np.diff(confidence[list(order)]) <= 0).all()]
    risks = [np.cumsum(error[order]) / np.arange(1, 7) for order in orders]
    mean = np.mean(risks, axis=0)
    curve = metrics.risk_coverage(confidence, error)
    assert np.allclose(curve.risk, mean)
    assert metrics.aurc(confidence, error) == pytest.approx(mean.mean())
    assert metrics.augrc(confidence, error) == pytest.approx((mean * np.arange(1, 7) / 6).mean())
    assert metrics.risk_at_coverage(confidence, error, 0.5) == pytest.approx(mean[2])
    assert metrics.coverage_at_risk(confidence, error, mean[3]) == pytest.approx(4 / 6)


def test_ends_of_selective_prediction() -> None:
    for share in (0.01, 0.55, 1.0):
        assert metrics.risk_at_coverage(np.arange(100), np.zeros(100), share) == 0
    errors = np.arange(100) < 45  # the surest 55 are right
    assert metrics.risk_at_coverage(np.arange(100), errors, 0.55) == 0  # 0.55 * 100 is a little above 55
    assert metrics.coverage_at_risk([1.0], [1], 0.5) == 0
    assert metrics.coverage_at_risk([1.0], [0], 0.0) == 1
    assert metrics.aurc([3], [True]) == metrics.augrc([3], [True]) == 1
    assert metrics.aurc([-np.inf, 0.0], [1, 0]) == 0.25


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.calibration_error([], []), "of shape (0,)"),
    (lambda: metrics.calibration_error([0.5, np.nan], [0, 1]), "confidences hold NaN"),
    (lambda: metrics.calibration_error([0.5, None], [0, 1]), "confidences hold something that is no number"),
    (lambda: metrics.calibration_error([0.5, 1.5], [0, 1]), "confidences lie in 0 to 1, and one is 1.5"),
    (lambda: metrics.calibration_error([0.5], [0, 1]), "the lists differ in length (confidences 1, right and wrong 2)"),
    (lambda: metrics.calibration_error([0.5], [2]), "of 0 and 1 (or False and True) alone, and one is 2"),
    (lambda: metrics.calibration_error([[0.5]], [[1]]), "of shape (1, 1)"),
    (lambda: metrics.calibration_error(["0.5"], [1]), "confidences are of type <U3; give numbers"),
    (lambda: metrics.calibration_error([0.5], [1], 0), "bins is a whole number from 1, not 0"),
    (lambda: metrics.calibration_error([0.5], [1], 15, "equal"), "scheme is width or mass, not 'equal'"),
    (lambda: metrics.calibration_error([0.5], [1], norm="l3"), "norm is l1, l2 or max, not 'l3'"),
    (lambda: metrics.calibration_error([0.5], [1], norm="max", debiased=True), "only the squared l2 error"),
    (lambda: metrics.brier([[0.5, 0.2]], [0]), "the probabilities of item 0 sum to 0.7; divide each row by its sum"),
    (lambda: metrics.brier([[2.5, -1.5]], [0]), "probabilities lie in 0 to 1"),
    (lambda: metrics.brier([[0.5, 0.5]], [2]), "whole numbers from 0 to 1"),
    (lambda: metrics.brier([[0.5, 0.5]], [0.5]), "whole numbers from 0 to 1"),
    (lambda: metrics.negative_log_likelihood([[0.5, 0.5], [1.0]], [0, 1]), "probabilities are a ragged list"),
    (lambda: metrics.fit_temperature([[0.0, -np.inf]], [1]), "no temperature fits"),
    (lambda: metrics.aurc([0.1, 0.2], [0]), "the lists differ in length"),
    (lambda: metrics.aurc([np.nan], [0]), "confidences hold NaN"),
    (lambda: metrics.risk_at_coverage([0.1], [0], 1.5), "coverage is a number from 0 to 1, not 1.5"),
    (lambda: metrics.coverage_at_risk([0.1], [0], -1), "risk is a number from 0 to 1, not -1"),
    (lambda: metrics.aurc([0.1], [0], "first"), "ties is expected or stable"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert isinstance(caught.value, ArgumentError)
    assert reason in str(caught.value)
