"""CLIPScore and RefCLIPScore are those of the paper, one item at a time, at any length and precision of vectors."""

import math

import numpy as np
import pytest

from mmbench.benchmarks.metrics.caption.clipscore import PREFIX, clipscore, ref_clipscore
from mmbench.harness.errors import DataError


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    dot = math.fsum(float(a) * float(b) for a, b in zip(left, right, strict=True))
    return dot / math.sqrt(math.fsum(float(a) ** 2 for a in left) * math.fsum(float(b) ** 2 for b in right))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_are_the_plain_ones(dtype: type, shift: float) -> None:
    rng = np.random.default_rng(0)
    images, candidates = (10 * (rng.standard_normal((30, 6)) + shift).astype(dtype) for _ in range(2))
    references = [(rng.standard_normal((rng.integers(1, 6), 6)) + shift).astype(dtype) for _ in range(30)]
    plain = [2.5 * max(cosine(a, b), 0) for a, b in zip(images, candidates, strict=True)]
    made = clipscore(images, candidates)
    assert made == pytest.approx(plain, abs=1e-12)
    best = [max(0, *(cosine(c, r) for r in many)) for c, many in zip(candidates, references, strict=True)]
    expected = [2 / (1 / a + 1 / b) if a and b else 0 for a, b in zip(plain, best, strict=True)]
    assert ref_clipscore(made, candidates, references) == pytest.approx(expected, abs=1e-12)


def test_a_zero_vector_fits_nothing() -> None:
    zero, one = np.zeros((1, 3)), np.ones((1, 3))
    assert clipscore(zero, one).tolist() == [0]
    assert ref_clipscore(np.zeros(1), zero, [one]).tolist() == [0]


def test_no_captions_at_all() -> None:
    assert ref_clipscore(np.zeros(0), np.zeros((0, 3)), []).shape == (0,)


def test_an_item_without_reference_is_named() -> None:
    with pytest.raises(DataError, match="position 1 has no reference"):
        ref_clipscore(np.ones(2), np.ones((2, 3)), [np.ones((1, 3)), np.ones((0, 3))])


def test_prefix_is_followed_by_the_caption() -> None:
    assert PREFIX + "a cat" == "A photo depicts a cat"
