"""Metrics of whole sets in one call, by the functions that score tasks; arguments that cannot be meant are refused."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.benchmarks.metrics import classification, yes_no
from mmbench.benchmarks.metrics import retrieval as ranks_of
from mmbench.benchmarks.metrics.caption import bleu as blocks
from mmbench.benchmarks.metrics.caption.all_at_once import (
    CaptionScores,
    language_scores,
    tokenize_lines,
    tokenize_references,
)
from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import Ranks, flatten, queries_of

Labels: TypeAlias = Sequence[int] | Sequence[Sequence[int]] | npt.NDArray[np.integer]
"""The right class or item of each of n, or several of each."""


def accuracy(scores: npt.ArrayLike, labels: Labels, k: int = 1) -> float:
    """Return the share of n items with a right class among the k best; ties count by their expectation.

    `scores` is (n, classes), `labels` the 0-based right class of each, or several of each. Raises DataError.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]], [1, 1, 0])  # right, wrong, a tie
    0.5
    """
    made, right = _scored(scores, labels)
    _check_k(k)
    return float(np.mean([classification.top_k_hits(row, own, [k])[0] for row, own in zip(made, right, strict=True)]))


def mean_per_class_recall(scores: npt.ArrayLike, labels: Sequence[int] | npt.NDArray[np.integer]) -> float:
    """Return the accuracy over the items of each class, averaged over the classes that occur. Arguments as `accuracy`.

    >>> mean_per_class_recall([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], [0, 0, 0, 1])
    0.5
    """
    made, right = _scored(scores, labels)
    if any(len(own) > 1 for own in right):
        raise DataError("mean_per_class_recall needs one class for each item")
    pairs = zip(made, right, strict=True)
    table = np.array([(own[0], classification.top_k_hits(row, own, [1])[0]) for row, own in pairs], np.float64)
    return _total(classification.mean_per_class_recall, table)


def mean_average_precision(scores: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """Return the average precision of each class over the items, averaged over the classes with a positive item.

    `scores` and `targets` are (n, classes), targets of 0 and 1. nan without a positive. Raises DataError.

    >>> round(mean_average_precision([[0.9], [0.8], [0.7]], [[1], [0], [1]]), 4)
    0.8333
    """
    made, right = _matrix(scores), _matrix(targets, "targets")
    if made.shape != right.shape or not np.isin(right, (0, 1)).all():
        raise DataError(f"scores are of shape {made.shape}, targets of {right.shape}: of one shape, with 0 and 1 alone")
    return _total(classification.mean_average_precision, np.hstack([made, right]))


def recall_at_k(scores: npt.ArrayLike, relevant: Labels, k: int) -> float:
    """Return the share of n queries with a relevant item among the k best of the gallery; ties by their expectation.

    `scores` is (n, gallery), `relevant` the 0-based relevant item of each query, or several of each. Raises DataError.

    >>> recall_at_k([[0.9, 0.1, 0.3], [0.2, 0.1, 0.3]], [0, [0, 1]], 1)
    0.5
    """
    _check_k(k)
    return float(_ranks(scores, relevant).hit(k).mean())


def median_rank(scores: npt.ArrayLike, relevant: Labels) -> float:
    """Return the median of the expected 1-based ranks of the first relevant item. Arguments as `recall_at_k`.

    >>> median_rank([[0.9, 0.1, 0.3], [0.2, 0.1, 0.3]], [0, 1])
    2.0
    """
    return _total(ranks_of.median_rank, _ranks(scores, relevant).expected()[:, None])


def precision(said: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Return right yes / all yes of n answers, nan where nothing was answered yes; both are (n,) of True and False.

    >>> precision([True, True, False], [True, False, True])
    0.5
    """
    return _total(yes_no.precision, _answers(said, true))


def recall(said: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Return right yes / all that are yes, nan where nothing is. Arguments as `precision`.

    >>> recall([True, False, False, False], [True, True, True, True])
    0.25
    """
    return _total(yes_no.recall, _answers(said, true))


def f1(said: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Return the harmonic mean of precision and recall of yes. Arguments as `precision`.

    >>> f1([True, True, False], [True, False, True])
    0.5
    """
    return _total(yes_no.f1, _answers(said, true))


def bleu(candidates: Sequence[str], references: Sequence[Sequence[str]], k: int = 4) -> float:
    """Return corpus BLEU-k of n captions, 0..1, k from 1 to 4, as COCO's script does after the PTB tokenizer.

    `references` has one or more texts for each caption. Raises DataError.

    >>> round(bleu(["a cat sat"], [["The cat sat.", "A cat sat down."]], 2), 6)
    1.0
    """
    if k not in (1, 2, 3, 4):
        raise DataError(f"k is 1, 2, 3 or 4, not {k!r}")
    statistics = _captions(f"bleu@{k}", candidates, references).statistics
    return float(blocks.bleu(_held(statistics), np.ones((1, len(candidates))), k)[0])


def rouge_l(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean ROUGE-L of n captions, 0..1, beta 1.2, as COCO's script does. Arguments as `bleu`.

    >>> round(rouge_l(["a cat sat"], [["a big cat", "sat cat"]]), 6)
    0.666667
    """
    return float(_held(_captions("rouge_l", candidates, references).values).mean())


def cider(
    candidates: Sequence[str], references: Sequence[Sequence[str]], frequencies: DocumentFrequencies | None = None
) -> float:
    """Return the mean CIDEr-D of n captions, 0..10, as COCO's script does. Arguments as `bleu`.

    `frequencies` None: those of these references. Raises DataError, also for fewer than two captions without a table.

    >>> cider(["a cat", "a big dog"], [["a cat"], ["a big dog"]])
    6.25
    """
    return float(_held(_captions("cider", candidates, references, frequencies).values).mean())


def length_ratio(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return words written over words of the closest references. Arguments as `bleu`.

    >>> length_ratio(["a cat sat"], [["a cat"]])
    1.5
    """
    return _total(blocks.length_ratio, _held(_captions("length_ratio", candidates, references).statistics))


def _total(aggregate: Callable[[Floats, Floats], Floats], statistics: Floats) -> float:
    return float(aggregate(statistics, np.ones((1, len(statistics))))[0])


def _held(made: Floats | None) -> Floats:
    if made is None:
        raise DataError("this metric has no value of its own")
    return made


def _matrix(scores: npt.ArrayLike, what: str = "scores") -> Floats:
    made = np.asarray(scores, np.float64)
    if made.ndim != 2 or not made.size or np.isnan(made).any():
        raise DataError(f"{what} of shape {made.shape} are no matrix without NaN")
    return made


def _scored(scores: npt.ArrayLike, labels: Labels) -> tuple[Floats, list[tuple[int, ...]]]:
    made = _matrix(scores)
    if len(labels) != len(made):
        raise DataError(f"scores of {len(made)} items and labels of {len(labels)}: give one of each")
    right = [_indices(each, i, made.shape[1]) for i, each in enumerate(labels)]
    return made, right


def _indices(label: Any, item: int, most: int) -> tuple[int, ...]:
    found = np.atleast_1d(np.asarray(label))
    if not found.size or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= most:
        raise DataError(f"the label {label!r:.60} of item {item} is no index, or indices, in 0..{most - 1}")
    return tuple(dict.fromkeys(found.ravel().tolist()))


def _ranks(scores: npt.ArrayLike, relevant: Labels) -> Ranks:
    made, right = _scored(scores, relevant)
    rows, columns = flatten(right, (made.shape[0], made.shape[1]))
    values = made[rows, columns]
    negatives = made.copy()
    negatives[rows, columns] = np.nan  # neither greater nor equal
    queries = queries_of("query", rows, values, np.zeros(len(made)), made.shape[1])
    best = queries.best[:, None]
    return queries.ranks((negatives > best).sum(axis=1), (negatives == best).sum(axis=1))


def _check_k(k: object) -> None:
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise DataError(f"k is a whole number from 1, not {k!r:.60}")


def _answers(said: npt.ArrayLike, true: npt.ArrayLike) -> Floats:
    """Return the (n, 4) statistics of `yes_no.precision`."""
    one, other = np.asarray(said), np.asarray(true)
    if (
        one.shape != other.shape
        or one.ndim != 1
        or not one.size
        or not all(np.isin(x, (0, 1)).all() for x in (one, other))
    ):
        raise DataError("answers and truth are two lists of one length, of True and False alone")
    yes, right = one.astype(bool), other.astype(bool)
    return np.stack([yes & right, yes & ~right, ~yes & right, np.ones_like(yes)], axis=1).astype(np.float64)


def _captions(
    name: str,
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    frequencies: DocumentFrequencies | None = None,
) -> CaptionScores:
    if isinstance(candidates, str) or not all(isinstance(text, str) for text in candidates):
        raise DataError("candidates are a list of texts, one for each item")
    if isinstance(references, str) or any(isinstance(given, str) for given in references):
        raise DataError("references are a list with a list of texts for each item; put a single text into brackets")
    if not len(candidates):
        raise DataError("there is no caption to score")
    texts = [list(given) for given in references]
    return language_scores([name], list(tokenize_lines(candidates)), tokenize_references(texts), frequencies)[name]
