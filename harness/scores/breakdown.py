"""Breakdown of scores by facts: one for each value of a column that travels with the items."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.harness.digest import Json
from mmbench.harness.scores.score import score
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome, Score


@dataclass(frozen=True, slots=True)
class Level:
    """A score over the items that share one value of a fact."""

    fact: str
    level: Json
    score: Score


MOST_LEVELS = 50
"""A fact with more distinct values than this (a free text, an id) is not broken down."""


def break_down(metrics: Sequence[Metric], outcomes: Sequence[Outcome]) -> list[Level]:
    """Return scores over each value of each fact that has at most `MOST_LEVELS` values."""
    levels: list[Level] = []
    for fact in dict.fromkeys(name for outcome in outcomes for name in outcome.facts):
        if any(isinstance(outcome.facts.get(fact), list) for outcome in outcomes):
            continue  # several values of an item divide nothing
        groups: dict[tuple[bool, Json], list[Outcome]] = {}
        for outcome in outcomes:
            level = plain_fact(outcome.facts.get(fact))
            # To Python `true` and 1 are one key.
            groups.setdefault((isinstance(level, bool), level), []).append(outcome)
        if len(groups) <= MOST_LEVELS:
            levels += [
                Level(fact, level, made) for (_, level), group in groups.items() for made in score(metrics, group)
            ]
    return levels


def level_place(level: Json) -> tuple[int, float, str]:
    """Return where tables show a value of a fact: numbers first, then texts, then none.

    >>> sorted(["other", 10, None, 9, True, "number"], key=level_place)
    [9, 10, 'number', 'other', True, None]
    """
    if isinstance(level, bool) or not isinstance(level, int | float):
        return (2 if level is None else 1, 0.0, level_text(level))
    return 0, level, ""


def level_text(level: Json) -> str:
    """Return a value of a fact as tables show it.

    >>> level_text("yes/no"), level_text(None), level_text(True), level_text(0.25), level_text(2.0)
    ('yes/no', '(none)', 'true', '0.25', '2')
    """
    if level is None:
        return "(none)"
    if isinstance(level, float):
        return f"{level:.15g}"
    return str(level).lower() if isinstance(level, bool) else str(level)


def level_texts(levels: Sequence[Json]) -> list[str]:
    """Return values of a fact as tables show them, in JSON where two would look alike.

    >>> level_texts([1, "1", "a"])
    ['1', '"1"', 'a']
    """
    shown = [level_text(level) for level in levels]
    return [
        json.dumps(level, ensure_ascii=False) if shown.count(text) > 1 else text
        for level, text in zip(levels, shown, strict=True)
    ]


def plain_fact(cell: Json) -> Json:
    """Return a fact as files hold it, a list in JSON; NaN equals nothing, itself included, and has no word there."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return cell if isinstance(cell, (str, bool, int, float)) else None
