"""The part of a task's items that a run asks: the first ones, or a sample that is the same for every model."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from mmbench.harness.digest import digest_json
from mmbench.harness.tasks.family import Family
from mmbench.harness.types import Sample

_MOST_LEVELS = 100
"""A fact with more levels than this is no group to draw from."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which items are asked; all where it says nothing."""

    limit: int | None = None
    """The first so many."""
    places: frozenset[int] | None = None
    """0-based places in the data of those that were drawn."""

    def of(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the items that are asked."""
        if self.places is None:
            return islice(samples, self.limit)
        places = self.places
        return (sample for place, sample in enumerate(samples) if place in places)


@lru_cache(maxsize=8)  # a task is asked by several controls in turn, the next ones are foreseen: rows are read once
def drawn(family: Family, count: int, seed: int) -> frozenset[int]:
    """Return the places of `count` items drawn by a seed, as many of each stratum as its share of the data.

    A stratum is a class, where the task has classes; else the levels of the facts that have few. An item is drawn by
    its id, whatever else is in its stratum, and whatever model is asked. Raises DataError as the data does.
    """
    ids: list[str] = []
    classes: list[tuple[int, ...]] = []
    facts: list[dict[str, str]] = []
    for sample in family.samples():
        ids.append(sample.id)
        classes.append(sample.target)
        facts.append({name: digest_json(level) for name, level in sample.facts.items()})
    by_class = getattr(family, "classes", None) is not None
    strata = classes if by_class else _by_facts(facts)
    order = [hashlib.sha256(f"{seed}\0{name}".encode()).digest() for name in ids]
    members: defaultdict[object, list[int]] = defaultdict(list)
    for place in sorted(range(len(ids)), key=order.__getitem__):
        members[strata[place]].append(place)
    # The items of a stratum stand evenly on a line from 0 to 1, so that the first of all are shared by size.
    line = {place: (rank + 0.5) / len(held) for held in members.values() for rank, place in enumerate(held)}
    return frozenset(sorted(line, key=lambda place: (line[place], order[place]))[:count])


def _by_facts(facts: list[dict[str, str]]) -> list[tuple[str | None, ...]]:
    """Return of each item the levels of the facts that have few, as long as these together have few too."""
    names = list(dict.fromkeys(name for each in facts for name in each))
    strata: list[tuple[str | None, ...]] = [() for _ in facts]
    for name in names:
        finer = [(*stratum, each.get(name)) for stratum, each in zip(strata, facts, strict=True)]
        if len(Counter(finer)) <= _MOST_LEVELS:
            strata = finer
    return strata
