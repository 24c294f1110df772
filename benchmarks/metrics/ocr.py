"""Errors of text that was read: edits of characters and words, of one text or of a corpus."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from mmbench.benchmarks.metrics.answers import levenshtein
from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import flag, listed
from mmbench.harness.numerics.arrays import Floats

Texts = str | Sequence[str]
"""One text, or a list with a text for each item."""

SPACE = re.compile(r"\s+")


def cer(reference: Texts, hypothesis: Texts, fold: bool = False) -> float:
    """Return the character error rate: edits over the length of the reference in code points; it may exceed 1.

    Two lists are a corpus: summed edits over summed lengths. Spaces count and nothing is normalised; `fold` takes both
    texts in compatibility form (NFKC), without case and without white space. Of an empty reference it is the number of
    characters written. Source: as jiwer 4. Raises ArgumentError, a ValueError.

    >>> cer("abcd", "abxd"), cer(["abcd", "ab"], ["abxd", "ab"]), cer("Invoice 7", "INVOICE7", fold=True)
    (0.25, 0.16666666666666666, 0.0)
    """
    return _total([edits_of_characters(*pair) for pair in _pairs(reference, hypothesis, fold)])


def wer(reference: Texts, hypothesis: Texts) -> float:
    """Return the word error rate: edits of words, split at white space, over the words of the reference.

    Arguments and empty references as `cer`.

    >>> wer("the cat sat", "the cat sat down"), wer("a b", "ab")
    (0.3333333333333333, 1.0)
    """
    return _total([edits_of_words(*pair) for pair in _pairs(reference, hypothesis)])


def ned(reference: Texts, hypothesis: Texts, fold: bool = False) -> float:
    """Return the normalised edit distance: edits of characters over the length of the longer text, 0..1.

    0 for two empty texts. Two lists: the mean over the items. `fold` as of `cer`.

    >>> ned("ab", "abcd"), ned(["ab", "x"], ["abcd", "x"])
    (0.5, 0.25)
    """
    pairs = _pairs(reference, hypothesis, fold)
    return sum(levenshtein(*pair) / max(1, *map(len, pair)) for pair in pairs) / len(pairs)


def edits_of_characters(reference: str, hypothesis: str) -> tuple[float, float]:
    """Return the edits and the length of the reference: the statistics of `error_rate`, of one item.

    >>> edits_of_characters("abcd", "abxd")
    (1.0, 4.0)
    """
    return float(levenshtein(reference, hypothesis)), float(len(reference))


def edits_of_words(reference: str, hypothesis: str) -> tuple[float, float]:
    """Return the edits of words and the words of the reference: the statistics of `error_rate`, of one item.

    >>> edits_of_words("the cat sat", "the cat sat down")
    (1.0, 3.0)
    """
    right = reference.split()
    return float(levenshtein(right, hypothesis.split())), float(len(right))


def error_rate(statistics: Floats, weights: Floats) -> Floats:
    """Return summed edits over summed lengths. `statistics` is (n, 2), `weights` (b, n); returns (b,).

    >>> error_rate(np.array([[1.0, 4.0], [0.0, 2.0]]), np.ones((1, 2))).round(3)
    array([0.167])
    """
    edits, length = (weights @ statistics).T
    return np.asarray(edits / np.maximum(length, 1.0))


def folded(text: str) -> str:
    """Return a text in NFKC, without case and white space.

    >>> folded("ﬁne Straße")
    'finestrasse'
    """
    made = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return SPACE.sub("", made)


def _total(counts: list[tuple[float, float]]) -> float:
    return float(error_rate(np.array(counts), np.ones((1, len(counts))))[0])


def _pairs(reference: Texts, hypothesis: Texts, fold: bool = False) -> list[tuple[str, str]]:
    """Return the two texts of each item."""
    if isinstance(reference, str) != isinstance(hypothesis, str):
        raise ArgumentError("reference and hypothesis are two texts, or two lists of texts")
    right, said = ([given] if isinstance(given, str) else listed(given, "texts") for given in (reference, hypothesis))
    if len(right) != len(said) or not right:
        raise ArgumentError(f"{len(right)} references and {len(said)} hypotheses; give one of each for every item")
    if not all(isinstance(text, str) for text in (*right, *said)):
        raise ArgumentError("a reference or hypothesis is no text; an item without a reply is left out, or empty text")
    pairs = list(zip(right, said, strict=True))
    return [(folded(one), folded(other)) for one, other in pairs] if flag(fold, "fold") else pairs
