"""N-gram counts of captions as integers, computed once so that the caption metrics are array operations."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats

Tokens: TypeAlias = Sequence[str]
"""A caption as `mmbench.benchmarks.metrics.caption.ptb` splits it."""
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

NO_BREAK = "\xa0"


def words(tokens: Tokens) -> Tokens:
    """Return the tokens as BLEU and CIDEr of COCO's scripts see them, which join them and split at every blank.

    A token such as that of "5 1/2" holds a no-break space, and becomes two.

    >>> words(["5\\xa01/2", "inches"])
    ['5', '1/2', 'inches']
    """
    return " ".join(tokens).split() if any(NO_BREAK in token for token in tokens) else tokens


ORDERS = (1, 2, 3, 4)
"""Lengths of the n-grams of BLEU-4 and CIDEr."""


@dataclass(frozen=True, slots=True)
class NgramCounts:
    """Counts of each n-gram of one order in each text: m rows, sorted by item, n-gram and text."""

    text: Ints
    """(m,) which text."""
    ngram: Ints
    """(m,) which n-gram, 0 to d - 1."""
    count: Ints
    """(m,) how often, at least once."""
    group: Ints
    """(g,) first rows of the runs that share item and n-gram; within a run the candidate, if any, comes first."""
    example: Ints
    """(d,) where each distinct n-gram stands among the tokens, one place of those it has."""

    def spread(self, of_group: Floats) -> Floats:
        """Return (m,) what holds for each row's run, from (g,) what holds for each run."""
        return np.repeat(of_group, np.diff(self.group, append=len(self.text)))


@dataclass(frozen=True, slots=True)
class Captions:
    """n items, each a candidate caption and its references, as integers; texts stand one after the other by item."""

    words: tuple[str, ...]
    """The vocabulary."""
    tokens: Ints
    """All texts, as positions in the vocabulary."""
    length: Ints
    """(texts,) number of tokens."""
    item: Ints
    """(texts,) which item."""
    candidate: Ints
    """(n,) which text is the item's candidate; its references are the texts between it and the next."""
    ngrams: tuple[NgramCounts, ...]
    """Counts of each order in `ORDERS`."""

    @classmethod
    def of(cls, candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> "Captions":
        """Encode n candidates and the references of each. Raises DataError where an item has no reference.

        >>> captions = Captions.of([["a", "cat"]], [[["the", "cat"], ["a", "big", "cat"]]])
        >>> captions.words, captions.length.tolist()
        (('a', 'cat', 'the', 'big'), [2, 2, 3])
        """
        if len(candidates) != len(references):
            raise DataError(f"{len(candidates)} candidates and references of {len(references)} items: give one of each")
        for position, given in enumerate(references):
            if len(given) == 0:
                raise DataError(f"the caption at position {position} has no reference: give it one or leave it out")
        texts = [text for one, many in zip(candidates, references, strict=True) for text in (one, *many)]
        length = np.fromiter(map(len, texts), np.int64, len(texts))
        number: defaultdict[str, int] = defaultdict()
        number.default_factory = number.__len__  # a new word gets the next number
        tokens = np.fromiter(map(number.__getitem__, chain.from_iterable(texts)), np.int64, int(length.sum()))
        sizes = np.fromiter((1 + len(given) for given in references), np.int64, len(references))
        item = np.repeat(np.arange(len(sizes)), sizes)
        candidate = np.cumsum(sizes) - sizes
        ngrams = tuple(_counts(tokens, length, item, candidate))
        return cls(tuple(number), tokens, length, item, candidate, ngrams)

    def __len__(self) -> int:
        return len(self.candidate)

    @property
    def is_candidate(self) -> Bools:
        """(texts,) true for candidates, false for references."""
        mask = np.zeros(len(self.item), dtype=np.bool_)
        mask[self.candidate] = True
        return mask

    def phrases(self, order: int) -> Iterator[str]:
        """Yield the distinct n-grams of one order, words joined by a space, in the order of their numbers."""
        example = self.ngrams[order - 1].example
        word: Callable[[int], str] = self.words.__getitem__
        columns = [map(word, self.tokens[example + ahead].tolist()) for ahead in range(order)]
        return map(" ".join, zip(*columns, strict=True))


def _counts(tokens: Ints, length: Ints, item: Ints, candidate: Ints) -> Iterator[NgramCounts]:
    text = np.repeat(np.arange(len(length)), length)
    end = np.cumsum(length)[text]
    place = np.arange(len(item)) - candidate[item]  # of a text among those of its item
    most = int(place.max(initial=0)) + 1
    words = int(tokens.max(initial=-1)) + 1
    begin, ngram, distinct = np.arange(len(tokens)), tokens, words
    for order in ORDERS:
        if order > 1:
            inside = begin + order <= end[begin]
            begin = begin[inside]
            # A number for each distinct n-gram keeps the products of the next order within 64 bits.
            values, ngram = np.unique(ngram[inside] * words + tokens[begin + order - 1], return_inverse=True)
            distinct = len(values)
        example = np.zeros(distinct, np.int64)
        example[ngram] = begin
        # One integer a row sorts by item, n-gram and text at once.
        where = text[begin]
        rows, count = np.unique((item[where] * distinct + ngram) * most + place[where], return_counts=True)
        run, at = np.divmod(rows, most)
        of_item, which = np.divmod(run, max(distinct, 1))
        yield NgramCounts(candidate[of_item] + at, which, count, np.flatnonzero(np.diff(run, prepend=-1)), example)


def new_words(captions: Captions) -> Floats:
    """Return (n,) how many words each candidate is the first to use; the sum is the size of the vocabulary.

    >>> new_words(Captions.of([["a", "cat"], ["a", "dog", "a", "dog"]], [[["x"]], [["y"]]]))
    array([2., 1.])
    """
    text = np.repeat(np.arange(len(captions.length)), captions.length)
    mine = captions.is_candidate[text]
    _, first = np.unique(captions.tokens[mine], return_index=True)
    return np.bincount(captions.item[text[mine][first]], minlength=len(captions)).astype(np.float64)


def own_words(captions: Captions) -> Floats:
    """Return (n,) how many words each candidate alone uses.

    >>> own_words(Captions.of([["a", "cat"], ["a", "dog", "a", "dog"]], [[["x"]], [["y"]]]))
    array([1., 1.])
    """
    text = np.repeat(np.arange(len(captions.length)), captions.length)
    mine = captions.is_candidate[text]
    pairs = np.unique(np.stack([captions.tokens[mine], captions.item[text[mine]]]), axis=1)
    _, first, users = np.unique(pairs[0], return_index=True, return_counts=True)
    return np.bincount(pairs[1][first[users == 1]], minlength=len(captions)).astype(np.float64)
