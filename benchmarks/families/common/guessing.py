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
    places = places_for(item, items, len(candidates), most or MOST_GUESSES)
    return candidates if len(places) == len(candidates) else [candidates[i] for i in places]


def places_for(item: int, items: int, candidates: int, most: int) -> Sequence[int]:
    """Return where the candidates of `guesses_for` stand among so many, in their order.

    >>> places_for(0, 100, 2, MOST_GUESSES)
    range(0, 2)
    """
    room = max(1, most // max(items, 1))
    if candidates <= room:
        return range(candidates)
    return sorted(np.random.default_rng(item).choice(candidates, room, replace=False).tolist())
