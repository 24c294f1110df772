"""Attributes are found as an exhaustive search finds them, and their shares are those of all items together."""

from random import Random

import numpy as np
import pytest

from mmbench.benchmarks.metrics.caption.attributes import attribute_counts, attribute_precision, attribute_recall
from mmbench.harness.errors import DataError

KNOWN = [["red"], ["dark", "red"], ["dark"], ["red", "brick"], ["very", "dark", "red"], ["two"]]


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("a dark red wall", 1),
        ("a red wall of dark red", 2),
        ("a dark red brick wall", 2),  # neither phrase is within the other
        ("very dark red brick", 2),
        ("two two two", 1),
        ("redder than twofold", 0),
        ("", 0),
    ],
)
def test_the_longest_phrase_wins(caption: str, named: int) -> None:
    assert attribute_counts(caption.split(), [], KNOWN) == (0, named, 0)


def plain(tokens: list[str], true: list[list[str]], vocabulary: list[list[str]]) -> tuple[int, int, int]:
    spans = [
        (i, i + len(phrase), tuple(phrase))
        for phrase in vocabulary
        for i in range(len(tokens))
        if tokens[i : i + len(phrase)] == phrase
    ]
    named = {phrase for a, b, phrase in spans if not any(c <= a and b <= d and (a, b) != (c, d) for c, d, _ in spans)}
    right = {tuple(phrase) for phrase in true}
    return len(named & right), len(named), len(right)


@pytest.mark.parametrize("seed", range(100))
def test_is_the_exhaustive_search(seed: int) -> None:
    rng = Random(seed)
    vocabulary = [[rng.choice("abc") for _ in range(rng.randint(1, 4))] for _ in range(6)]
    tokens = [rng.choice("abcd") for _ in range(rng.randint(0, 15))]
    true = rng.sample(vocabulary, 3)
    assert attribute_counts(tokens, true, vocabulary) == plain(tokens, true, vocabulary)


def test_a_true_attribute_outside_the_vocabulary_is_named() -> None:
    with pytest.raises(DataError, match="'pale pink' of an item is not in the vocabulary"):
        attribute_counts(["red"], [["pale", "pink"]], KNOWN)


def test_shares_are_of_all_items_together() -> None:
    statistics = np.array([[1.0, 1.0, 4.0], [1.0, 3.0, 1.0], [0.0, 0.0, 0.0]])
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 5.0], [0.0, 0.0, 1.0]])
    assert attribute_precision(statistics, weights) == pytest.approx([2 / 4, 1, np.nan], nan_ok=True)
    assert attribute_recall(statistics, weights) == pytest.approx([2 / 5, 1 / 4, np.nan], nan_ok=True)
