"""Attribute metrics: which colours, counts and textures a caption names, and how many of them are true."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from mmbench.benchmarks.metrics.caption.ngrams import Tokens
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.shares import Shares


def attribute_counts(tokens: Tokens, true: Sequence[Tokens], vocabulary: Sequence[Tokens]) -> tuple[int, int, int]:
    """Return how many attributes a caption names rightly, how many it names, and how many are true of the picture.

    An attribute is a phrase of one or more tokens; a caption names it by holding these tokens in a row, unless that
    place is part of a longer attribute: "dark red" does not also name "red". However often, it counts once. Raises
    DataError for a true attribute that the vocabulary lacks.

    >>> known = [["red"], ["dark", "red"], ["round"]]
    >>> attribute_counts("a dark red ball".split(), [["dark", "red"], ["round"]], known)
    (1, 1, 2)
    """
    phrases = frozenset(map(tuple, vocabulary))
    right = frozenset(map(tuple, true))
    for phrase in right - phrases:
        raise DataError(f"the attribute {' '.join(phrase)!r} of an item is not in the vocabulary: add it there")
    mentioned = frozenset(_mentioned(tuple(tokens), phrases))
    return len(mentioned & right), len(mentioned), len(right)


def expected_counts(
    captions: Sequence[Tokens], true: Sequence[Sequence[Tokens]], vocabulary: Sequence[Tokens]
) -> Floats:
    """Return the mean of `attribute_counts` over m captions for each of n items, as (n, 3).

    >>> expected_counts([["red"], ["round", "red"]], [[["red"]], [["round"]]], [["red"], ["round"]]).tolist()
    [[1.0, 1.5, 1.0], [0.5, 1.5, 1.0]]
    """
    phrases = frozenset(map(tuple, vocabulary))
    naming = Counter(phrase for caption in captions for phrase in set(_mentioned(tuple(caption), phrases)))
    named = naming.total() / len(captions)
    items = [{tuple(phrase) for phrase in mine} for mine in true]
    right = [sum(naming[phrase] for phrase in mine) / len(captions) for mine in items]
    return np.array([(hits, named, len(mine)) for hits, mine in zip(right, items, strict=True)]).reshape(-1, 3)


def _mentioned(tokens: tuple[str, ...], phrases: frozenset[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    lengths = _lengths(phrases)
    covered = 0  # where the phrase that reaches furthest ends; one that ends no later and begins later is within it
    for start in range(len(tokens)):
        for length in lengths:
            phrase = tokens[start : start + length]
            if start + length > covered and phrase in phrases:
                covered = start + length
                yield phrase
                break  # shorter ones that begin here are within it


@lru_cache(maxsize=8)  # asked for every caption, of one vocabulary
def _lengths(phrases: frozenset[tuple[str, ...]]) -> list[int]:
    return sorted({len(phrase) for phrase in phrases} - {0}, reverse=True)


def attribute_precision(statistics: Floats, weights: Floats) -> Floats:
    """Return the share of named attributes that are true, over all items together; nan where none is named.

    `statistics` is (n, 3): rightly named, named, true; `weights` is (b, n). Returns (b,) in 0..1.

    >>> attribute_precision(np.array([[1.0, 1.0, 2.0], [1.0, 3.0, 1.0]]), np.ones((1, 2)))
    array([0.5])
    """
    return _share(statistics[:, [0, 1]], weights)


def precision_shares(statistics: Floats) -> Shares:
    """Return what (n, 3) items, as of `attribute_precision`, add to it."""
    return Shares(statistics[:, 0], statistics[:, 1], coins=statistics[:, 1])


def recall_shares(statistics: Floats) -> Shares:
    """Return what (n, 3) items add to `attribute_recall`."""
    return Shares(statistics[:, 0], statistics[:, 2], coins=statistics[:, 2])


def attribute_recall(statistics: Floats, weights: Floats) -> Floats:
    """Return the share of true attributes that are named, over all items together; nan where none is true.

    `statistics` is (n, 3): rightly named, named, true; `weights` is (b, n). Returns (b,) in 0..1.

    >>> attribute_recall(np.array([[1.0, 1.0, 2.0], [1.0, 3.0, 2.0]]), np.ones((1, 2)))
    array([0.5])
    """
    return _share(statistics[:, [0, 2]], weights)


def _share(statistics: Floats, weights: Floats) -> Floats:
    part, whole = (weights @ statistics).T
    return np.asarray(np.divide(part, whole, out=np.full(len(weights), np.nan), where=whole > 0))
