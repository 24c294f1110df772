"""CIDEr-D: n-gram agreement weighted by how few documents hold the n-gram, with named document frequencies."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmbench.benchmarks.metrics.caption.ngrams import ORDERS, Captions, Ints, NgramCounts, Tokens, words
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats

SIGMA = 6.0
"""Width of the penalty on a difference in length, in tokens."""
ADVICE = "score more items or give a table of document frequencies"


@dataclass(frozen=True, slots=True)
class DocumentFrequencies:
    """In how many documents each n-gram occurs; a document is the references of one item."""

    documents: int
    """Number of documents, at least 2."""
    frequencies: Mapping[str, int]
    """N-gram, its words joined by a space, to the number of documents that hold it; one not here is in none."""

    @classmethod
    def of(cls, references: Sequence[Sequence[Tokens]]) -> "DocumentFrequencies":
        """Count the n-grams of orders 1 to 4 in the references of n items. Raises DataError for fewer than 2 items.

        >>> table = DocumentFrequencies.of([[["a", "cat"], ["a", "tom"]], [["a", "dog"]]])
        >>> table.documents, table.frequencies["a"], table.frequencies["a cat"]
        (2, 2, 1)
        """
        captions = Captions.of([()] * len(references), [list(map(words, given)) for given in references])
        _refuse_few(len(captions))
        return cls(
            len(captions),
            {
                phrase: count
                for order in ORDERS
                for phrase, count in zip(captions.phrases(order), _own(captions, order).tolist(), strict=True)
            },
        )

    @classmethod
    def read(cls, path: Path) -> "DocumentFrequencies":
        """Read `{"documents": N, "frequencies": {"a cat": 3, ...}}`. Raises DataError that names the file."""
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}); give a JSON file that exists") from error
        except ValueError as error:
            raise DataError(f"{path}: is not JSON ({error}); write it with DocumentFrequencies.write") from error
        shape = '{"documents": N, "frequencies": {"a cat": 3, ...}}'
        if not isinstance(held, dict) or not isinstance(held.get("frequencies"), dict):
            raise DataError(f"{path}: holds no table of document frequencies; make it {shape}")
        documents, frequencies = held.get("documents"), held["frequencies"]
        if type(documents) is not int or documents < 2:  # true is an int, and no number of documents
            raise DataError(f"{path}: documents is {documents!r}; make it a whole number of at least 2")
        for phrase, count in frequencies.items():
            if type(count) is not int or not 1 <= count <= documents:
                raise DataError(f"{path}: {phrase!r} is in {count!r} documents; make it a number in 1..{documents}")
        return cls(documents, frequencies)

    def write(self, path: Path) -> None:
        """Write the file that `read` reads."""
        held = {"documents": self.documents, "frequencies": dict(self.frequencies)}
        path.write_text(json.dumps(held), encoding="utf-8")


def cider_d(captions: Captions, frequencies: DocumentFrequencies | None = None) -> Floats:
    """Return (n,) CIDEr-D in 0..10 (Vedantam et al. 2015), as `Cider` of pycocoevalcap does.

    `frequencies` None: those of the references of these captions. Raises DataError where all n-grams of the references
    weigh nothing, so that the score would be 0 whatever the captions say.

    >>> captions = Captions.of([["a", "cat"], ["a", "big", "dog"]], [[["a", "cat"]], [["a", "big", "dog"]]])
    >>> cider_d(captions)  # no trigram in the first, no 4-gram in either
    array([5. , 7.5])
    """
    if frequencies is None:
        _refuse_few(len(captions))
    weights = list(_weights(captions, frequencies))
    reference = ~captions.is_candidate
    if len(captions) and not any(
        weight[ngrams.ngram[reference[ngrams.text]]].any()
        for weight, ngrams in zip(weights, captions.ngrams, strict=True)
    ):
        raise DataError(f"every n-gram of the references is in every document, so CIDEr would be 0 for all: {ADVICE}")
    cosines = sum(
        (_clipped_cosine(captions, ngrams, weight) for weight, ngrams in zip(weights, captions.ngrams, strict=True)),
        start=np.zeros(len(captions.item)),
    )
    # The official script takes the number of bigrams for the length; so a text of one word is as long as an empty one.
    length = np.maximum(captions.length - 1, 0)
    apart = length - length[captions.candidate][captions.item]
    similarity = cosines / len(ORDERS) * np.exp(-(apart**2) / (2 * SIGMA**2)) * reference
    references = np.bincount(captions.item) - 1
    return np.asarray(10 * np.bincount(captions.item, similarity) / references)


def _refuse_few(items: int) -> None:
    if items < 2:
        raise DataError(f"CIDEr weighs n-grams by how few items have them, which {items} cannot tell: {ADVICE}")


def _weights(captions: Captions, table: DocumentFrequencies | None) -> Iterator[Floats]:
    """Yield for each order the (d,) inverse document frequencies log(documents / frequency) of the n-grams."""
    for order in ORDERS:
        if table is None:
            documents, frequency = len(captions), _own(captions, order)
        else:
            get = table.frequencies.get
            documents = table.documents
            frequency = np.array([get(phrase, 0) for phrase in captions.phrases(order)], dtype=np.int64)
        yield np.log(documents) - np.log(np.maximum(frequency, 1))


def _own(captions: Captions, order: int) -> Ints:
    """Return (d,) the number of items whose references hold each n-gram."""
    ngrams = captions.ngrams[order - 1]
    if len(ngrams.text) == 0:
        return np.zeros(0, np.int64)
    held = np.maximum.reduceat(~captions.is_candidate[ngrams.text], ngrams.group)
    return np.bincount(ngrams.ngram[ngrams.group[held]], minlength=len(ngrams.example))


def _clipped_cosine(captions: Captions, ngrams: NgramCounts, weight: Floats) -> Floats:
    """Return (texts,) the cosine of each reference and its candidate, which gains nothing by repeating an n-gram."""
    texts = len(captions.item)
    own = captions.is_candidate[ngrams.text]
    value = ngrams.count * weight[ngrams.ngram]
    mine = ngrams.spread(np.where(own, value, 0.0)[ngrams.group])
    product = np.bincount(ngrams.text, np.minimum(mine, value) * value, texts)
    norm = np.sqrt(np.bincount(ngrams.text, value**2, texts))
    norms = norm * norm[captions.candidate][captions.item]
    return np.asarray(np.divide(product, norms, out=np.zeros(texts), where=norms > 0))
