"""ROUGE-L: credit for words in the right order, even with other words between them."""

from collections.abc import Iterator

import numpy as np

from mmbench.benchmarks.metrics.caption.ngrams import Captions, Ints
from mmbench.harness.numerics.arrays import Floats

BETA = 1.2
"""Weight of recall against precision in the COCO scorer."""
CELLS = 2**16
"""Padded tokens of one side that a batch of pairs may have."""


def rouge_l(captions: Captions) -> Floats:
    """Return (n,) ROUGE-L in 0..1 (Lin 2004), as `Rouge` of pycocoevalcap does.

    Precision and recall of the longest common subsequence are each the best over the references, then combined with
    beta 1.2. A text without tokens counts there as one empty word, which matches another such text.

    >>> captions = Captions.of([["a", "cat", "sat"]], [[["a", "big", "cat"], ["sat", "cat"]]])
    >>> rouge_l(captions).round(6)  # precision 2/3, recall 2/3
    array([0.666667])
    """
    reference = np.flatnonzero(~captions.is_candidate)
    candidate = captions.candidate[captions.item[reference]]
    common = _common(captions, candidate, reference)
    length = np.maximum(captions.length, 1)
    first = captions.candidate - np.arange(len(captions))  # of an item's references, once the candidates are gone
    if len(first) == 0:
        return np.zeros(0)
    precision = np.maximum.reduceat(common / length[candidate], first)
    recall = np.maximum.reduceat(common / length[reference], first)
    both = (1 + BETA**2) * precision * recall
    return np.asarray(np.divide(both, recall + BETA**2 * precision, out=np.zeros_like(both), where=both > 0))


def _common(captions: Captions, left: Ints, right: Ints) -> Ints:
    """Return the lengths of the longest common subsequences of pairs of texts."""
    length = captions.length
    begin = np.cumsum(length) - length

    def padded(text: Ints, padding: int) -> Ints:
        """Return (longest, pairs) tokens, padded at the end."""
        place = np.arange(length[text].max())[:, None]
        inside = place < length[text]
        return np.where(inside, captions.tokens[np.where(inside, begin[text] + place, 0)], padding)

    found: Ints = ((length[left] == 0) & (length[right] == 0)).astype(np.int64)
    for pairs in _batches(length[left], length[right]):
        found[pairs] = _longest(padded(left[pairs], -1), padded(right[pairs], -2))
    return found


def _batches(left: Ints, right: Ints) -> Iterator[Ints]:
    """Yield the pairs without empty texts, those of like lengths together, so that little of a batch is padding."""
    longer = np.maximum(left, right)
    order = np.lexsort((left, right, longer))
    order = order[np.minimum(left, right)[order] > 0]
    longer = longer[order]
    start = 0
    while start < len(order):
        widest = 2 * int(longer[start])
        alike = np.searchsorted(longer, widest, side="right")
        stop = min(int(alike), start + max(1, CELLS // widest))
        yield order[start:stop]
        start = stop


def _longest(left: Ints, right: Ints) -> Ints:
    """Return the last entries of the table of Wagner and Fischer, one of its rows for all pairs at a time.

    Within a row an entry is the largest of those above it and the matches up to it: a running maximum.
    """
    row = np.zeros((len(left) + 1, left.shape[1]), dtype=np.int32)
    for token in right:
        step = row[:-1] + (left == token)
        np.maximum(step, row[1:], out=step)
        np.maximum.accumulate(step, axis=0, out=row[1:])
    return np.asarray(row[-1], dtype=np.int64)
