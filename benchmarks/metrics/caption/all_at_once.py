"""Caption metrics of a whole task as harness metrics, with per-item values and statistics."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice

import numpy as np

from mmbench.benchmarks.metrics.caption.attributes import (
    attribute_counts,
    attribute_precision,
    attribute_recall,
    expected_counts,
    precision_shares,
    recall_shares,
)
from mmbench.benchmarks.metrics.caption.bleu import bleu, bleu_of_each, bleu_statistics, length_ratio
from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies, cider_d
from mmbench.benchmarks.metrics.caption.meteor import Meteor, meteor, meteor_of_each
from mmbench.benchmarks.metrics.caption.ngrams import NO_BREAK, Captions, Tokens, new_words, own_words, words
from mmbench.benchmarks.metrics.caption.ptb import tokenize
from mmbench.benchmarks.metrics.caption.rouge import rouge_l
from mmbench.benchmarks.metrics.hallucination import (
    f1_of_objects,
    f1_of_objects_shares,
    share_of_all,
    shares_of_all,
)
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.tasks.metric import Aggregate, Metric


def _words_in_all(statistics: Floats, weights: Floats) -> Floats:
    """Return (b,) distinct words of all candidates from the (n, 2) words that each is the first, the only to use."""
    return np.asarray(weights @ statistics[:, 0])


def _words_lost(statistics: Floats) -> Floats | None:
    """Return (n,) the words that leave with each candidate; None in a record that does not hold them."""
    return statistics[:, 1] if statistics.shape[1] > 1 else None


def _bleu(k: int) -> Metric:
    words = f"BLEU-{k} of the corpus, closest reference length (Papineni et al. 2002, as COCO's script)."
    return Metric(f"bleu@{k}", words, aggregate=partial(bleu, k=k))


def _scored(name: str, description: str) -> Metric:
    return Metric(name, description, best=None, proportion=False, by_scorer=True)


def _size(name: str, description: str, aggregate: Aggregate) -> Metric:
    return Metric(name, description, higher_is_better=None, best=None, proportion=False, aggregate=aggregate)


def _chair(name: str, description: str) -> Metric:
    return Metric(name, description, aggregate=share_of_all, shares=shares_of_all)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "cider", "CIDEr-D (Vedantam et al. 2015, as COCO's script).", best=None, proportion=False, among_others=True
        ),
        *map(_bleu, (1, 2, 3, 4)),
        Metric("rouge_l", "ROUGE-L, beta 1.2 (Lin 2004, as COCO's script)."),
        Metric("meteor", "METEOR 1.5 by its Java program (Denkowski and Lavie 2014).", aggregate=meteor),
        _scored("clipscore", "2.5 max(cos, 0) of picture and caption by the scorer (Hessel et al. 2021)."),
        _scored("ref_clipscore", "Harmonic mean of CLIPScore and the closest reference."),
        _size("length_ratio", "Words written over words of the closest references.", length_ratio),
        replace(_size("vocabulary_size", "Distinct words in all captions.", _words_in_all), varies=_words_lost),
        Metric(
            "attribute_precision",
            "Share of named attributes that are true.",
            aggregate=attribute_precision,
            shares=precision_shares,
        ),
        Metric(
            "attribute_recall",
            "Share of true attributes that are named.",
            aggregate=attribute_recall,
            shares=recall_shares,
        ),
        replace(
            _chair("chair_i", "Share of the objects named that are not there, each mention (Rohrbach et al. 2018)."),
            higher_is_better=False,
            best=0.0,
        ),
        replace(
            _chair("chair_s", "Share of the captions that name an object that is not there, of those read."),
            higher_is_better=False,
            best=0.0,
        ),
        _chair("chair_recall", "Share of the objects there that are named."),
        Metric(
            "chair_f1",
            "F1 of the objects named, each once a caption; silence gains nothing.",
            aggregate=f1_of_objects,
            shares=f1_of_objects_shares,
        ),
    )
}

LANGUAGE = ("cider", "bleu@1", "bleu@2", "bleu@3", "bleu@4", "rouge_l", "length_ratio", "vocabulary_size")
"""Metrics that need nothing but the texts."""
ATTRIBUTES = ("attribute_precision", "attribute_recall")


@dataclass(frozen=True, slots=True)
class CaptionScores:
    """Result of one metric on n items."""

    values: Floats | None
    """(n,) per-item values; None where only the corpus has one."""
    statistics: Floats | None = None
    """(n, k) from which the corpus figure is aggregated; None where it is the mean of the values."""


def tokenize_lines(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the tokens of each text as a line of one file, which is how COCO's script has them.

    >>> list(tokenize_lines(["Two cats.", "A dog"]))
    [['two', 'cats'], ['a', 'dog']]
    """
    lines = list(texts)
    for text, following in zip(lines, [*lines[1:], ""], strict=True):
        yield tokenize(text, following)


def tokenize_references(references: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    """Return the tokens of each reference of each item."""
    lines = tokenize_lines(chain.from_iterable(references))
    return [list(islice(lines, len(given))) for given in references]


def language_scores(
    names: Sequence[str],
    candidates: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    frequencies: DocumentFrequencies | None,
) -> dict[str, CaptionScores]:
    """Return those of `LANGUAGE` that are asked for. Raises DataError where a metric would be nonsense."""
    whole = Captions.of(candidates, references)
    captions = whole
    if any(NO_BREAK in word for word in whole.words):  # ROUGE takes such a token as one word, the others as two
        captions = Captions.of(list(map(words, candidates)), [list(map(words, given)) for given in references])
    counts = bleu_statistics(captions)
    makers: dict[str, Callable[[], CaptionScores]] = {
        "cider": lambda: CaptionScores(cider_d(captions, frequencies)),
        "rouge_l": lambda: CaptionScores(rouge_l(whole)),
        "length_ratio": lambda: CaptionScores(None, counts[:, 8:]),
        "vocabulary_size": lambda: CaptionScores(None, np.stack([new_words(captions), own_words(captions)], axis=1)),
    }
    made = {name: makers[name]() for name in names if name in makers}
    each = bleu_of_each(counts)
    return made | {
        name: CaptionScores(each[:, int(name[-1]) - 1], counts) for name in names if name.startswith("bleu@")
    }


def meteor_scores(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> CaptionScores:
    """Return METEOR by its program. Raises UsageError where it is not available or fails."""
    with Meteor.running() as program:
        texts = [[" ".join(tokens) for tokens in given] for given in references]
        statistics = program.statistics([" ".join(tokens) for tokens in candidates], texts)
    return CaptionScores(meteor_of_each(statistics), statistics)


def attribute_scores(candidates: Sequence[Tokens], true: Sequence[Sequence[str]]) -> CaptionScores:
    """Return the counts of attributes of n captions; the vocabulary is every attribute that is true of some item."""
    tokens = _phrases(true)
    vocabulary = list(tokens.values())
    counts = [
        attribute_counts(caption, [tokens[phrase] for phrase in mine], vocabulary)
        for caption, mine in zip(candidates, true, strict=True)
    ]
    return CaptionScores(None, np.array(counts, dtype=np.float64).reshape(-1, 3))


def attribute_guesses(captions: Sequence[Tokens], true: Sequence[Sequence[str]]) -> Floats:
    """Return the (n, 3) counts of attributes expected of a caption drawn for each of n items."""
    tokens = _phrases(true)
    return expected_counts(captions, [[tokens[phrase] for phrase in mine] for mine in true], list(tokens.values()))


def _phrases(true: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    return {phrase: tokenize(phrase) for phrase in sorted(set(chain.from_iterable(true)))}
