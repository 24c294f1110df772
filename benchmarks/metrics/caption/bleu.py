"""BLEU and the length ratio, equal to the figures that caption papers print."""

import numpy as np

from mmbench.benchmarks.metrics.caption.ngrams import ORDERS, Captions, NgramCounts
from mmbench.harness.numerics.arrays import Floats

TINY, SMALL = 1e-15, 1e-9
"""Smoothing constants that the COCO scorer adds to numerators and denominators; published figures contain both."""


def bleu_statistics(captions: Captions) -> Floats:
    """Return the (n, 10) counts that BLEU is made of (Papineni et al. 2002).

    Columns: matches of orders 1 to 4, each n-gram of the candidate counting at most as often as in the reference that
    has it most; n-grams of the candidate of orders 1 to 4; its length; the length of the reference closest to it, of
    two equally close the shorter.

    >>> captions = Captions.of([["a", "a", "cat"]], [[["a", "cat"], ["a", "cat", "and", "a", "dog"]]])
    >>> bleu_statistics(captions)
    array([[3., 1., 0., 0., 3., 2., 1., 0., 3., 2.]])
    """
    matches = [_matches(captions, ngrams) for ngrams in captions.ngrams]
    length = captions.length[captions.candidate]
    possible = [np.maximum(length - order + 1, 0) for order in ORDERS]
    return np.stack([*matches, *possible, length, _closest(captions)], axis=1).astype(np.float64)


def _matches(captions: Captions, ngrams: NgramCounts) -> Floats:
    own = captions.is_candidate[ngrams.text]
    if len(own) == 0:
        return np.zeros(len(captions))
    most = np.maximum.reduceat(np.where(own, 0, ngrams.count), ngrams.group)
    mine = np.where(own, ngrams.count, 0)[ngrams.group]
    items = captions.item[ngrams.text[ngrams.group]]
    return np.asarray(np.bincount(items, np.minimum(mine, most), len(captions)), dtype=np.float64)


def _closest(captions: Captions) -> Floats:
    apart = np.abs(captions.length - captions.length[captions.candidate][captions.item])
    apart[captions.candidate] = np.iinfo(np.int64).max  # a candidate is no reference of its own
    order = np.lexsort((captions.length, apart, captions.item))
    return captions.length[order[captions.candidate]].astype(np.float64)


def bleu(statistics: Floats, weights: Floats, k: int) -> Floats:
    """Return corpus BLEU-k in 0..1, as `Bleu(4)` of pycocoevalcap does with the closest reference length.

    `statistics` is (n, 10), see `bleu_statistics`; `weights` is (b, n), how often each item counts. Returns (b,).

    >>> captions = Captions.of([["a", "a", "cat"]], [[["a", "cat"], ["a", "cat", "and", "a", "dog"]]])
    >>> bleu(bleu_statistics(captions), np.ones((1, 1)), 2).round(6)  # (3/3 x 1/2) ** 1/2
    array([0.707107])
    """
    return _bleu(weights @ statistics)[:, k - 1]


def bleu_of_each(statistics: Floats) -> Floats:
    """Return (n, 4) BLEU-1 to BLEU-4 of each item alone, in 0..1; an order without a match gives nearly 0.

    >>> captions = Captions.of([["a", "cat"]], [[["a", "cat", "sat", "down"]]])
    >>> bleu_of_each(bleu_statistics(captions)).round(6)  # brevity exp(1 - 4/2)
    array([[0.367879, 0.367879, 0.003679, 0.000368]])
    """
    return _bleu(statistics)


def _bleu(totals: Floats) -> Floats:
    precision = (totals[:, :4] + TINY) / (totals[:, 4:8] + SMALL)
    mean = np.cumprod(precision, axis=1) ** (1 / np.array(ORDERS))
    ratio = (totals[:, 8] + TINY) / (totals[:, 9] + SMALL)
    brevity: Floats = np.exp(np.minimum(1 - 1 / ratio, 0))
    return np.asarray(mean * brevity[:, None])


def length_ratio(statistics: Floats, weights: Floats) -> Floats:
    """Return the length of all candidates over that of their closest references; nan where those are all empty.

    `statistics` is (n, 2): the last two columns of `bleu_statistics`; `weights` is (b, n). Returns (b,).

    >>> length_ratio(np.array([[6.0, 4.0], [3.0, 2.0]]), np.array([[1.0, 1.0], [1.0, 0.0]]))
    array([1.5, 1.5])
    """
    lengths = weights @ statistics
    undefined = np.full(len(lengths), np.nan)
    return np.asarray(np.divide(lengths[:, 0], lengths[:, 1], out=undefined, where=lengths[:, 1] > 0))
