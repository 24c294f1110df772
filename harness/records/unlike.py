"""Unlike data: which items of two records differ, as far as their outcomes tell, so that a person can find them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mmbench.harness.errors import DataError
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.render.figures import count

_SHOWN = 3
"""Items that are named."""
_LONGEST = 40
"""Characters of a text that is quoted."""

_Items: TypeAlias = dict[tuple[str, str], tuple[str | None, str]]
"""Unit and id of each item to its target and the digest of its picture."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """How the data of two records differ."""

    items: int
    """Of both together."""
    differing: tuple[str, ...]
    """Items that differ, each in a few words."""
    reordered: bool
    """True where they are the same in another order."""

    def __str__(self) -> str:
        if self.differing:
            some = "; ".join(self.differing[:_SHOWN]) + ("; …" if len(self.differing) > _SHOWN else "")
            verb = "differs" if len(self.differing) == 1 else "differ"
            return f"{len(self.differing):,} of {count(self.items, 'item')} {verb}: {some}"
        if self.reordered:
            return "the same items in another order"
        return "same pictures and targets, so that questions, options or references differ"


def unlike(one: Entry, other: Entry) -> Unlike | None:
    """Return how the data of two records differ; None where the outcomes of one cannot be read."""
    try:
        first, second = (_items(entry.path, entry.record.outcomes_digest) for entry in (one, other))
    except DataError:
        return None
    keys = list(dict.fromkeys([*first, *second]))
    differing = [f"{_quoted(key[1])} ({why})" for key in keys if (why := _why(first.get(key), second.get(key)))]
    return Unlike(len(keys), tuple(differing), list(first) != list(second))


def _why(one: tuple[str | None, str] | None, other: tuple[str | None, str] | None) -> str:
    if one is None or other is None:
        return "only in the second" if one is None else "only in the first"
    if one[0] != other[0]:
        return f"target {_quoted(one[0])} against {_quoted(other[0])}"
    return "another picture" if one[1] != other[1] else ""


def _quoted(text: str | None) -> str:
    if text is None:
        return "none"
    return f"'{text}'" if len(text) <= _LONGEST else f"'{text[:_LONGEST]}…'"


def _items(record: Path, digest: str | None) -> _Items:
    """Return what tells an item from another. Raises DataError where the outcomes are missing or damaged."""
    with open_outcomes(record, digest) as table:
        read = table.columns(("unit", "id", "target", "cluster"))
        columns = [read[name].to_pylist() for name in ("unit", "id", "target", "cluster")]
    rows = zip(*columns, strict=True)
    return {(str(unit), str(name)): (target, str(cluster)) for unit, name, target, cluster in rows}
