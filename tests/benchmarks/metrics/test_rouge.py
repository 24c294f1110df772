"""ROUGE-L is that of the paper in plain loops, with the choices of COCO's evaluation, and of pycocoevalcap itself."""

from functools import cache

import numpy as np
import pytest

from mmbench.benchmarks.metrics.caption.ngrams import Captions
from mmbench.benchmarks.metrics.caption.rouge import rouge_l


def longest(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """Return the length of the longest common subsequence by its definition."""

    @cache
    def upto(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return 0
        if left[i - 1] == right[j - 1]:
            return upto(i - 1, j - 1) + 1
        return max(upto(i - 1, j), upto(i, j - 1))

    return upto(len(left), len(right))


def plain(candidate: list[str], references: list[list[str]]) -> float:
    mine = tuple(candidate) or ("",)
    theirs = [tuple(text) or ("",) for text in references]
    precision = max(longest(mine, text) / len(mine) for text in theirs)
    recall = max(longest(mine, text) / len(text) for text in theirs)
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision) if precision else 0.0


def test_is_the_plain_one(captions) -> None:
    expected = [plain(*item) for item in zip(*captions, strict=True)]
    assert rouge_l(Captions.of(*captions)) == pytest.approx(expected, abs=1e-12)


def test_captions_of_any_length() -> None:
    rng = np.random.default_rng(0)
    texts = [[str(word) for word in rng.integers(0, 9, length)] for length in (63, 64, 65, 200, 1, 128, 300, 5)]
    references = [[texts[(i + 1) % 8], texts[(i + 3) % 8]] for i in range(8)]
    expected = [plain(*item) for item in zip(texts, references, strict=True)]
    assert rouge_l(Captions.of(texts, references)) == pytest.approx(expected, abs=1e-12)


def test_more_pairs_than_a_batch_holds() -> None:
    words = [list("abcdab"), list("cabdeab")]
    expected = [plain(words[0], [words[1]]), plain(words[1], [words[0]])]
    made = rouge_l(Captions.of(words * 5000, [[words[1]], [words[0]]] * 5000))
    assert made == pytest.approx(np.tile(expected, 5000), abs=1e-12)


def test_no_captions_at_all() -> None:
    assert rouge_l(Captions.of([], [])).shape == (0,)
