"""Chance level of ranking a candidate pool, so that open answers have one too."""

from collections.abc import Sequence

import numpy as np

MOST_GUESSES = 200_000
"""Candidates that are scored for the chance level of a task, over all its items."""
MOST_CAPTIONS = 50_000
"""The same where each is a sentence, which takes longer to score."""


def guesses_for(item: int, items: int, candidates: Sequence[str], most: int | None = None) -> Sequence[str]:
    """Return the candidates whose mean score estimates the chance of an item: all, or an unbiased seeded draw.

    >>> guesses_for(0, 100, ["red", "blue"])
    ['red', 'blue']
    """
    room = max(1, (most or MOST_GUESSES) // max(items, 1))
    if len(candidates) <= room:
        return candidates
    drawn = np.random.default_rng(item).choice(len(candidates), room, replace=False)
    return [candidates[i] for i in sorted(drawn.tolist())]
