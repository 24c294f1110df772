"""Metrics of whole sets in one call, by the functions that score tasks; arguments that cannot be meant are refused."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.benchmarks.metrics import classification, yes_no
from mmbench.benchmarks.metrics import retrieval as ranks_of
from mmbench.benchmarks.metrics.caption import bleu as blocks
from mmbench.benchmarks.metrics.caption import meteor as meteors
from mmbench.benchmarks.metrics.caption.all_at_once import (
    CaptionScores,
    language_scores,
    meteor_scores,
    tokenize_lines,
    tokenize_references,
)
from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies
from mmbench.harness.errors import ArgumentError, DataError
from mmbench.harness.metrics.arguments import listed, matrix, same_length, shown, truths, whole
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import Ranks, flatten, queries_of

Labels: TypeAlias = Sequence[int] | Sequence[Sequence[int]] | npt.NDArray[np.integer]
"""The right class or item of each of n, or several of each."""


def accuracy(scores: npt.ArrayLike, labels: Labels, k: int = 1) -> float:
    """Return the share of n items with a right class among the k best; ties count by their expectation.

    `scores` is (n, classes), `labels` the 0-based right class of each, or several of each. Raises ArgumentError.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]], [1, 1, 0])  # right, wrong, a tie
    0.5
    """
    made, right = _scored(scores, labels)
    first = whole(k, "k")
    return float(
        np.mean([classification.top_k_hits(row, own, [first])[0] for row, own in zip(made, right, strict=True)])
    )


def mean_per_class_recall(scores: npt.ArrayLike, labels: Sequence[int] | npt.NDArray[np.integer]) -> float:
    """Return the accuracy over the items of each class, averaged over the classes that occur. Arguments as `accuracy`.

    >>> mean_per_class_recall([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], [0, 0, 0, 1])
    0.5
    """
    made, right = _scored(scores, labels)
    if any(len(own) > 1 for own in right):
        raise ArgumentError("mean_per_class_recall needs one class for each item")
    pairs = zip(made, right, strict=True)
    table = np.array([(own[0], classification.top_k_hits(row, own, [1])[0]) for row, own in pairs], np.float64)
    return _total(classification.mean_per_class_recall, table)


def mean_average_precision(scores: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """Return the average precision of each class over the items, averaged over the classes with a positive item.

    `scores` and `targets` are (n, classes), targets of 0 and 1. nan without a positive. Raises ArgumentError.

    >>> round(mean_average_precision([[0.9], [0.8], [0.7]], [[1], [0], [1]]), 4)
    0.8333
    """
    made, right = matrix(scores, "scores", finite=False), matrix(targets, "targets")
    if made.shape != right.shape or not np.isin(right, (0, 1)).all():
        raise ArgumentError(
            f"scores are of shape {made.shape}, targets of {right.shape}: of one shape, with 0 and 1 alone"
        )
    return _total(classification.mean_average_precision, np.hstack([made, right]))


def recall_at_k(scores: npt.ArrayLike, relevant: Labels, k: int) -> float:
    """Return the share of n queries with a relevant item among the k best of the gallery; ties by their expectation.

    `scores` is (n, gallery), `relevant` the 0-based relevant item of each query, or several of each. Raises
    ArgumentError.

    >>> recall_at_k([[0.9, 0.1, 0.3], [0.2, 0.1, 0.3]], [0, [0, 1]], 1)
    0.5
    """
    first = whole(k, "k")
    return float(_ranks(scores, relevant).hit(first).mean())


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

    `references` has one or more texts for each caption. Raises ArgumentError.

    >>> round(bleu(["a cat sat"], [["The cat sat.", "A cat sat down."]], 2), 6)
    1.0
    """
    statistics = _held(_captions(f"bleu@{whole(k, 'k', most=4)}", candidates, references).statistics)
    return float(blocks.bleu(statistics, np.ones((1, len(statistics))), k)[0])


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

    `frequencies` None: those of these references. Raises ArgumentError, also for one caption without a table.

    >>> cider(["a cat", "a big dog"], [["a cat"], ["a big dog"]])
    6.25
    """
    return float(_held(_captions("cider", candidates, references, frequencies).values).mean())


def meteor(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return corpus METEOR 1.5 of n captions, 0..1, by its authors' Java program. Arguments as `bleu`.

    Needs the extra `mmbench[meteor]` and a Java runtime, and raises UsageError where one is lacking.
    """
    return _total(meteors.meteor, _held(meteor_scores(*_texts(candidates, references)).statistics))


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
        raise ArgumentError("this metric has no value of its own")
    return made


def _scored(scores: npt.ArrayLike, labels: Labels) -> tuple[Floats, list[tuple[int, ...]]]:
    made = matrix(scores, "scores", finite=False)
    given = listed(labels, "labels")
    if len(given) != len(made):
        raise ArgumentError(f"scores of {len(made)} items and labels of {len(given)}: give one of each")
    right = [_indices(each, i, made.shape[1]) for i, each in enumerate(given)]
    return made, right


def _indices(label: Any, item: int, most: int) -> tuple[int, ...]:
    try:
        found = np.atleast_1d(np.asarray(label))
    except ValueError:  # a ragged list
        found = np.zeros(0)
    if not found.size or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= most:
        raise ArgumentError(f"the label {shown(label)} of item {item} is no index, or indices, in 0..{most - 1}")
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


def _answers(said: npt.ArrayLike, true: npt.ArrayLike) -> Floats:
    """Return the (n, 4) statistics of `yes_no.precision`."""
    one, other = truths(said, "answers"), truths(true, "the truth")
    same_length(("answers", one), ("the truth", other))
    yes, right = one.astype(bool), other.astype(bool)
    return np.stack([yes & right, yes & ~right, ~yes & right, np.ones_like(yes)], axis=1).astype(np.float64)


def _captions(
    name: str,
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    frequencies: DocumentFrequencies | None = None,
) -> CaptionScores:
    tokens = _texts(candidates, references)
    if not isinstance(frequencies, DocumentFrequencies | None):
        raise ArgumentError(f"frequencies are metrics.DocumentFrequencies, or None, not {shown(frequencies)}")
    try:
        return language_scores([name], *tokens, frequencies)[name]
    except DataError as error:
        raise ArgumentError(str(error)) from None


def _texts(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[str]], list[list[list[str]]]]:
    """Return the tokens of the captions and those of the references."""
    written = [] if isinstance(candidates, str) else listed(candidates, "candidates")
    if isinstance(candidates, str) or not all(isinstance(text, str) for text in written):
        raise ArgumentError("candidates are a list of texts, one for each item")
    given = listed(references, "references") if not isinstance(references, str) else [references]
    if isinstance(references, str) or any(isinstance(each, str) for each in given):
        raise ArgumentError("references are a list with a list of texts for each item; put a single text into brackets")
    held = [listed(each, "the references of an item") for each in given]
    if not all(isinstance(text, str) for each in held for text in each):
        raise ArgumentError("a reference is no text")
    if not written:
        raise ArgumentError("there is no caption to score")
    if len(written) != len(held):
        raise ArgumentError(f"{len(written)} candidates and references of {len(held)} items: give one of each")
    return list(tokenize_lines(written)), tokenize_references(held)
