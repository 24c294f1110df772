"""Distances between sets: equal to definitions written out, to scikit-learn, and to the reference figures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmbench import metrics
from mmbench.harness.metrics import distances, manifolds
from tests.lazy import linalg, sk_pairwise

Read = Callable[[str], Any]


def sets(seed: int, n: int = 70, m: int = 50, d: int = 6) -> tuple[Any, Any]:
    draw = np.random.default_rng(seed)
    return draw.standard_normal((n, d)), 0.4 + draw.standard_normal((m, d)) @ draw.standard_normal((d, d))


def test_they_are_those_of_the_reference(reference: Read) -> None:
    for case in reference("fid_kid_cmmd_prdc")["cases"]:
        given, expected = (case["real"], case["fake"]), case["expected"]
        # Scripts take the root of a product of covariances, which for n < d loses half the digits.
        assert metrics.frechet_distance(*given) == pytest.approx(expected["fid clean-fid (sqrtm)"], abs=2e-7)
        kernel = expected["kid^2 unbiased, whole sets, cubic kernel (x.y/d+1)^3"]
        assert metrics.kernel_distance(*given) == pytest.approx(kernel, abs=1e-12)
        assert metrics.cmmd(*given) == pytest.approx(expected["cmmd (unit vectors, sigma 10, x1000, biased)"], abs=1e-9)
        for k in (3, 5):
            assert metrics.prdc(*given, k) == pytest.approx(expected[f"prdc k={k}"], abs=1e-12)


def test_bias_is_that_of_the_reference(reference: Read) -> None:
    draw = np.random.default_rng(0)
    for n, mean, *_ in reference("fid_kid_cmmd_prdc")["bias_of_same_law_d16"]["rows"]:
        if n <= 400:
            made = [metrics.frechet_distance(*draw.standard_normal((2, n, 16))) for _ in range(24)]
            assert np.mean(made) == pytest.approx(mean, rel=0.2)


@pytest.mark.parametrize("block", [7, 2048])
def test_blocks_and_definitions_agree(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(distances, "_ROWS", block)
    monkeypatch.setattr(manifolds, "_ROWS", block)
    x, y = sets(1)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(s @ t).real
    frechet = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2) + np.trace(s + t - 2 * root)
    assert metrics.frechet_distance(x, y) == pytest.approx(frechet)

    def kernel(a: Any, b: Any) -> Any:
        return sk_pairwise.polynomial_kernel(a, b, degree=3)  # gamma 1 / d, coef0 1

    off = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(y, y))]
    assert metrics.kernel_distance(x, y) == pytest.approx(sum(off) - 2 * kernel(x, y).mean())

    def gauss(a: Any, b: Any) -> Any:
        return sk_pairwise.rbf_kernel(*(z / np.linalg.norm(z, axis=1, keepdims=True) for z in (a, b)), gamma=1 / 200)

    plain = 1000 * (gauss(x, x).mean() + gauss(y, y).mean() - 2 * gauss(x, y).mean())
    assert metrics.cmmd(x, y) == pytest.approx(plain, abs=1e-9)
    assert metrics.prdc(x, y, 4) == pytest.approx(balls(x, y, 4))


def balls(x: Any, y: Any, k: int) -> dict[str, float]:
    """The definition, by differences of vectors."""

    def apart(a: Any, b: Any) -> Any:
        return np.square(a[:, None] - b[None]).sum(axis=2)

    radius = [np.sort(apart(z, z), axis=1)[:, k] for z in (x, y)]
    inside = apart(x, y) < radius[0][:, None]
    return {
        "precision": inside.any(axis=0).mean(),
        "recall": (apart(x, y) < radius[1]).any(axis=1).mean(),
        "density": inside.sum() / (k * len(y)),
        "coverage": inside.any(axis=1).mean(),
    }


@pytest.mark.parametrize("k", [1, 3, 8])
def test_vectors_that_repeat_lie_on_surfaces_and_outside(k: int) -> None:
    x = np.random.default_rng(k).standard_normal((60, 5)) + 100
    same = metrics.prdc(x, x, k)
    assert same == {"precision": 1.0, "recall": 1.0, "density": 1.0, "coverage": 1.0}
    x, y = (np.random.default_rng(seed).integers(0, 3, (80, 3)) / 3 for seed in (k, k + 1))
    assert metrics.prdc(x, y, k) == balls(x, y, k)


def test_equal_sets_and_singular_ones() -> None:
    x, _ = sets(2, n=5, d=30)  # fewer vectors than numbers
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-12)
    assert metrics.frechet_distance(x, x + 2) == pytest.approx(4 * 30)
    assert metrics.frechet_distance(x, 3 * x - 2 * x.mean(axis=0)) == pytest.approx(4 * np.trace(np.cov(x.T)))
    assert metrics.frechet_distance(np.zeros((4, 3)), np.ones((2, 3))) == 3
    assert metrics.cmmd(x, x) == pytest.approx(0, abs=1e-12)
    assert metrics.cmmd(x, 7 * x) == pytest.approx(0, abs=1e-12)
    single = np.float32(x)
    assert metrics.kernel_distance(single, single + 1) == metrics.kernel_distance(np.float64(single), single + 1)


def test_moments_far_from_zero_lose_no_digits() -> None:
    x, y = sets(3)
    assert metrics.frechet_distance(x + 1e6, y + 1e6) == pytest.approx(metrics.frechet_distance(x, y), rel=1e-7)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.frechet_distance([[1.0]], [[1.0], [2.0]]), "real have 1 rows, and this needs 2 or more"),
    (lambda: metrics.frechet_distance([[1.0], [np.inf]], [[1.0], [2.0]]), "real hold an infinite number"),
    (lambda: metrics.kernel_distance([[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]]), "vectors of 1 and of 2 numbers"),
    (lambda: metrics.kernel_distance([1.0, 2.0], [1.0, 2.0]), "real are of shape (2,); give a matrix"),
    (lambda: metrics.cmmd([[0.0, 0.0]], [[1.0, 0.0]]), "row 0 of real is zero, and has no direction"),
    (lambda: metrics.prdc([[1.0], [2.0]], [[1.0], [2.0]]), "k is 5, and a set has 2 vectors"),
    (lambda: metrics.prdc([[1.0], [np.nan]], [[1.0], [2.0]], 1), "real hold NaN"),
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        call()
    assert reason in str(caught.value)
