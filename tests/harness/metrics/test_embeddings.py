"""Diagnostics of embeddings, agreement, groups and overlap: equal to plain formulas and to the reference figures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmbench import metrics
from mmbench.harness.metrics import embeddings
from tests.lazy import sk_metrics, stats

Read = Callable[[str], Any]


def unit(x: Any) -> Any:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_they_are_those_of_the_reference(reference: Read) -> None:
    for case in reference("embedding_diagnostics")["cases"]:
        x, y, expected = np.array(case["x"]), np.array(case["y"]), case["expected"]
        made = {
            "alignment alpha 2 (unit)": metrics.alignment(x, y),
            "alignment alpha 1": metrics.alignment(x, y, 1),
            "uniformity t 2 (x, unordered pairs, unit)": metrics.uniformity(x),
            "uniformity y": metrics.uniformity(y),
            "modality gap |mean x - mean y| (unit)": metrics.modality_gap(x, y),
            "linear CKA (centred features)": metrics.linear_cka(x, y),
            "linear CKA of unit vectors": metrics.linear_cka(unit(x), unit(y)),
            "debiased linear CKA (HSIC_1, raw Gram)": metrics.linear_cka(x, y, debiased=True),
            "siglip loss scale 10 bias -10 (sum over pairs / n)": metrics.sigmoid_loss(x, y, 10, -10),
            "anisotropy: mean cosine of distinct x": metrics.anisotropy(x),
            "linear separability proxy: share of x nearer to mean x than mean y": metrics.modality_separability(x, y).x,
            "effective rank (exp entropy of singular values, centred)": metrics.effective_rank(x),
            "effective rank (not centred)": metrics.effective_rank(x, centred=False),
            "effective rank of unit vectors, not centred (RankMe)": metrics.effective_rank(unit(x), centred=False),
        }
        assert made == pytest.approx({name: expected[name] for name in made}, abs=1e-10)
        losses = [value for name, value in expected.items() if name.startswith("infonce scale")]
        assert np.allclose([metrics.info_nce(x, y, scale) for scale in (100, 10)], losses, rtol=0, atol=1e-10)
        hubs = [value for name, value in expected.items() if name.startswith("hubness")]
        for k, held in zip((5, 1), hubs, strict=True):
            assert metrics.k_occurrence(y, x, k).tolist() == held["counts"]
            assert metrics.antihubs(y, x, k) == held["antihubs_share"]
            skewness = np.nan if held["skewness"] is None else held["skewness"]
            assert metrics.hubness(y, x, k) == pytest.approx(skewness, abs=1e-10, nan_ok=True)


@pytest.mark.parametrize("block", [7, 1024])
def test_blocks_and_formulas_agree(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(embeddings, "_ROWS", block)
    draw = np.random.default_rng(block)
    x, y = draw.standard_normal((2, 40, 9))
    logits = 20 * unit(x) @ unit(y).T
    forth = sk_metrics.log_loss(range(40), np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    back = sk_metrics.log_loss(range(40), (np.exp(logits) / np.exp(logits).sum(axis=0)).T)
    assert metrics.info_nce(x, y, 20) == pytest.approx((forth, back, (forth + back) / 2))
    belongs = np.eye(40).ravel()
    chances = 1 / (1 + np.exp(5 - logits.ravel()))
    assert metrics.sigmoid_loss(x, y, 20, -5) == pytest.approx(40 * sk_metrics.log_loss(belongs, chances))
    pairs = [np.exp(-2 * np.sum((a - b) ** 2)) for i, a in enumerate(unit(x)) for b in unit(x)[:i]]
    assert metrics.uniformity(x) == pytest.approx(np.log(np.mean(pairs)))
    counts = np.bincount((unit(x) @ unit(y).T).argsort(axis=1)[:, -4:].ravel(), minlength=40)
    assert metrics.k_occurrence(x, y, 4).tolist() == counts.tolist()
    assert metrics.antihubs(x, y, 4) == np.mean(counts == 0)
    cosines = [a @ b for i, a in enumerate(unit(x)) for b in unit(x)[:i]]
    assert metrics.anisotropy(x) == pytest.approx(np.mean(cosines))
    assert metrics.hubness(x, y, 4) == pytest.approx(stats.skew(counts))
    centre = np.eye(40) - 1 / 40
    k, h = x @ x.T, y @ y.T
    hsic = [np.trace(centre @ a @ centre @ b) for a, b in ((k, h), (k, k), (h, h))]
    assert metrics.linear_cka(x, y) == pytest.approx(hsic[0] / np.sqrt(hsic[1] * hsic[2]))
    unbiased = [song(a, b) for a, b in ((k, h), (k, k), (h, h))]
    assert metrics.linear_cka(x, y, True) == pytest.approx(unbiased[0] / np.sqrt(unbiased[1] * unbiased[2]))
    values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    assert metrics.effective_rank(x) == pytest.approx(np.exp(stats.entropy(values)))


def song(k: Any, h: Any) -> float:
    """The unbiased estimate as the paper writes it, by tables of items."""
    n = len(k)
    k, h = (a - np.diag(np.diag(a)) for a in (k, h))
    middle = k.sum() * h.sum() / ((n - 1) * (n - 2))
    return float((np.trace(k @ h) + middle - 2 * (k @ h).sum() / (n - 2)) / (n * (n - 3)))


def test_ends_of_diagnostics() -> None:
    x = np.random.default_rng(0).standard_normal((50, 20))
    same = np.ones((50, 4))
    assert metrics.info_nce(same, same, 100).mean == pytest.approx(np.log(50))
    assert metrics.info_nce([[3.0]], [[2.0]], 100) == (0, 0, 0)
    assert metrics.alignment(x, 5 * x) == pytest.approx(0, abs=1e-15)
    assert metrics.uniformity(same) == pytest.approx(0, abs=1e-12)
    assert metrics.modality_gap(x, 3 * x) == pytest.approx(0, abs=1e-15)
    assert metrics.modality_gap(same, same[:7]) == pytest.approx(0, abs=1e-15)
    assert metrics.k_occurrence(x[:, :4], same, 5).tolist() == pytest.approx([5.0] * 50)  # all tie, and share
    assert np.isnan(metrics.hubness(x[:, :4], same, 5))
    assert metrics.effective_rank(same, centred=False) == pytest.approx(1)
    assert np.isnan(metrics.effective_rank(0.1 * same))
    assert np.isnan(metrics.linear_cka(0.1 * same, x))
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((20, 20)))[0]
    for debiased in (False, True):
        assert metrics.linear_cka(x, 7 * x @ turn + 3, debiased) == pytest.approx(1)
        assert metrics.linear_cka(1e200 * x, 1e-200 * x, debiased) == pytest.approx(1)
    noise = np.random.default_rng(2).standard_normal((50, 200))
    assert metrics.linear_cka(x, noise) > 0.4 > 0.2 > abs(metrics.linear_cka(x, noise, True))


def test_modalities_are_parted_by_means_that_a_vector_is_no_part_of() -> None:
    x, y = np.random.default_rng(3).standard_normal((2, 12, 60))
    one, other = unit(x), unit(y)
    by_fold = []
    for own, others in ((one, other), (other, one)):
        right = [
            np.linalg.norm(own[i] - own[np.arange(12) % 3 != i % 3].mean(axis=0))
            < np.linalg.norm(own[i] - others[np.arange(12) % 3 != i % 3].mean(axis=0))
            for i in range(12)
        ]
        by_fold.append(np.mean(right))
    made = metrics.modality_separability(x, y, folds=3)
    assert made == pytest.approx((*by_fold, np.mean(by_fold)))
    assert metrics.modality_separability(x, y).mean > 0.8 > made.mean  # noise alone parts what it has seen
    assert metrics.modality_separability(x, x) == (0.5, 0.5, 0.5)


def test_error_consistency(reference: Read) -> None:
    for case in reference("error_consistency")["kappa"]:
        made = metrics.error_consistency(case["a"], case["b"])
        assert made == pytest.approx(case["expected"]["error_consistency"], abs=1e-12)


def test_error_consistency_is_cohens_kappa() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        a, b = draw.random((2, 30)) < draw.random((2, 1))
        if (a != b).any():
            assert metrics.error_consistency(a, b) == pytest.approx(sk_metrics.cohen_kappa_score(a, b))
    assert metrics.error_consistency([1, 1], [1, 1]) == metrics.error_consistency([False], [0]) == 1
    assert metrics.error_consistency([1], [0]) == 0
    assert metrics.error_consistency([1, 0], [0, 1]) == -1


def test_groups_are_those_of_the_reference(reference: Read) -> None:
    for case in reference("attribution_fairness_agreement")["groups"]:
        made = metrics.worst_group(np.equal(case["label"], case["prediction"]), case["group"])
        expected = case["expected"]
        assert made["by_group"] == pytest.approx(expected["by_group"], abs=1e-12)
        names = {"worst": "worst_group", "gap": "best_minus_worst", "ratio": "worst_over_best"}
        held: dict[str, Any] = {**made}
        assert {name: held[name] for name in names} == pytest.approx(
            {a: expected[b] for a, b in names.items()}, abs=1e-12
        )


def test_groups_of_every_kind() -> None:
    assert metrics.worst_group([1, 0], [2, 1])["by_group"] == {1: 0.0, 2: 1.0}
    assert metrics.worst_group([True], ["a"]) == {"worst": 1.0, "gap": 0.0, "ratio": 1.0, "by_group": {"a": 1.0}}
    assert np.isnan(metrics.worst_group([0, 0], ["a", "b"])["ratio"])
    assert metrics.worst_group(np.array([0.25, 0.75]), np.array(["x", "x"]))["worst"] == 0.5
    assert metrics.worst_group([1, 0], ["a", 3])["by_group"] == {"a": 1.0, 3: 0.0}


def test_overlap_is_that_of_the_reference(reference: Read) -> None:
    for case in reference("boxes_points_counts")["iou"]:
        expected = case["expected"]
        plain = metrics.iou(case["a"], case["b"])
        assert plain == pytest.approx(float(expected["iou"]), abs=1e-12, nan_ok=True)
        assert metrics.iou(case["a"], case["b"], True) == pytest.approx(
            expected["iou_with_inclusive_pixels"], abs=1e-12
        )


def test_overlap_is_a_share_of_pixels() -> None:
    draw = np.random.default_rng(0)
    first = draw.integers(0, 20, (60, 2, 2))
    a, b = np.concatenate([first, first + draw.integers(1, 15, (60, 2, 2))], axis=2).transpose(1, 0, 2)
    masks = [np.zeros((60, 40, 40), bool) for _ in range(2)]
    for mask, boxes in zip(masks, (a, b), strict=True):
        for i, (x1, y1, x2, y2) in enumerate(boxes):
            mask[i, y1:y2, x1:x2] = True
    shared, union = (masks[0] & masks[1]).sum(axis=(1, 2)), (masks[0] | masks[1]).sum(axis=(1, 2))
    assert np.allclose(metrics.iou(a, b), shared / union)
    assert np.allclose(metrics.iou(a, b - [0, 0, 1, 1], True), metrics.iou(a + [0, 0, 1, 1], b))
    assert np.allclose(metrics.iou(a[0], b), [metrics.iou(a[0], one) for one in b])
    assert metrics.iou([0, 0, 0, 5], [0, 0, 2, 5]) == 0  # a line has no area


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.info_nce([[1.0]], [[1.0], [2.0]], 1), "the lists differ in length (x 1, y 2)"),
    (lambda: metrics.info_nce([[1.0]], [[0.0]], 1), "row 0 of y is zero"),
    (lambda: metrics.info_nce([[1.0]], [[1.0]], np.nan), "scale is a number, not nan"),
    (lambda: metrics.alignment([[1.0]], [[1.0, 2.0]]), "vectors of 1 and of 2 numbers"),
    (lambda: metrics.uniformity([[1.0]]), "x have 1 rows, and this needs 2 or more"),
    (lambda: metrics.hubness([[1.0]], [[1.0]], 2), "k is 2, and the gallery has 1 vectors"),
    (lambda: metrics.hubness([[1.0]], [[1.0]], 0), "k is a whole number from 1"),
    (lambda: metrics.sigmoid_loss([[1.0]], [[1.0]], 1, np.inf), "bias is a number, not inf"),
    (lambda: metrics.anisotropy([[1.0]]), "x have 1 rows, and this needs 2 or more"),
    (lambda: metrics.antihubs([[1.0]], [[1.0]], 2), "k is 2, and the gallery has 1 vectors"),
    (lambda: metrics.modality_separability([[1.0]] * 2, [[1.0]] * 3, 3), "folds are 3, and there are 2 rows"),
    (lambda: metrics.effective_rank([]), "x are of shape (0,)"),
    (lambda: metrics.linear_cka(np.ones((3, 1)), np.ones((3, 1)), True), "x have 3 rows, and this needs 4"),
    (lambda: metrics.error_consistency([1, 0.5], [1, 0]), "a are of 0 and 1"),
    (lambda: metrics.error_consistency([1], [1, 0]), "the lists differ in length (a 1, b 2)"),
    (lambda: metrics.worst_group([1, 0], ["a", None]), "an item has no group"),
    (lambda: metrics.worst_group([1, 0], ["a", float("nan")]), "an item has no group"),
    (lambda: metrics.worst_group([1, 0], ["a", pd.NA]), "an item has no group"),
    (lambda: metrics.worst_group([1, 0], ["a", pd.NaT]), "an item has no group"),
    (lambda: metrics.worst_group([1, 0], "ab"), "groups are a list with one for each item, not str"),
    (lambda: metrics.worst_group([1], [["a"]]), "a group is a name or a number"),  # type: ignore[list-item]
    (lambda: metrics.worst_group([], []), "right are of shape (0,)"),
    (lambda: metrics.worst_group([2, 1], ["a", "b"]), "right lie in 0 to 1"),
    (lambda: metrics.iou([0, 0, 1], [0, 0, 1, 1]), "a is of shape (3,)"),
    (lambda: metrics.iou([5, 0, 1, 1], [0, 0, 1, 1]), "left of or above the first"),
    (lambda: metrics.iou([0, 0, np.nan, 1], [0, 0, 1, 1]), "a holds NaN"),
    (lambda: metrics.iou([[0, 0, 1, 1]] * 2, [[0, 0, 1, 1]] * 3), "a has 2 boxes and b 3"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        call()
    assert reason in str(caught.value)
