"""Chance level of captions: what one drawn from the candidates scores on average."""

from collections.abc import Sequence

import numpy as np

from mmbench.benchmarks.families.common.guessing import MOST_CAPTIONS, guesses_for
from mmbench.benchmarks.metrics.caption.all_at_once import (
    ATTRIBUTES,
    attribute_guesses,
    language_scores,
    tokenize_lines,
)
from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies
from mmbench.benchmarks.metrics.caption.ngrams import Tokens

Guesses = list[tuple[float, ...]]
"""For each item the expected value, or the expected statistics of a metric that is aggregated."""

LANGUAGE = ("cider", "bleu@1", "bleu@2", "bleu@3", "bleu@4", "rouge_l")
GAINED = (*LANGUAGE, "attribute_recall")
"""Metrics of which whoever writes without looking gains nothing."""


def guesses(
    names: Sequence[str],
    candidates: Sequence[str],
    references: Sequence[Sequence[Tokens]],
    attributes: Sequence[Sequence[str]],
    frequencies: DocumentFrequencies | None,
) -> dict[str, Guesses]:
    """Return for each metric of `names` that has an expected value those of n items.

    `references` are their (n, …) tokens, `attributes` what is true of each, empty where the task has none.
    """
    tokens = {text: next(tokenize_lines([text])) for text in candidates}
    found: dict[str, Guesses] = {}
    if attributes and set(names) & set(ATTRIBUTES):
        counts = attribute_guesses(list(tokens.values()), attributes)
        found = {name: list(map(tuple, counts.tolist())) for name in names if name in ATTRIBUTES}
    of_language = [name for name in names if name in LANGUAGE]
    if not of_language:
        return found
    pools = [guesses_for(i, len(references), candidates, MOST_CAPTIONS) for i in range(len(references))]
    sizes = [len(pool) for pool in pools]
    many = [given for given, size in zip(references, sizes, strict=True) for _ in range(size)]
    # Those of the items, not of one item for each guess: a word that no reference has would weigh more.
    table = frequencies or (DocumentFrequencies.of(references) if "cider" in names else None)
    made = language_scores(of_language, [tokens[text] for pool in pools for text in pool], many, table)
    ends = np.cumsum(sizes)[:-1]
    for name, scores in made.items():
        rows = scores.values[:, None] if scores.statistics is None and scores.values is not None else scores.statistics
        if rows is not None:
            found[name] = [tuple(part.mean(axis=0).tolist()) for part in np.split(rows, ends)]
    return found
