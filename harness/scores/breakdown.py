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
        groups: dict[Json, list[Outcome]] = {}
        for outcome in outcomes:
            groups.setdefault(plain_fact(outcome.facts.get(fact)), []).append(outcome)
        if len(groups) <= MOST_LEVELS:
            levels += [Level(fact, level, made) for level, group in groups.items() for made in score(metrics, group)]
    return levels


def plain_fact(cell: Json) -> Json:
    """Return a fact as files hold it, a list in JSON; NaN equals nothing, itself included, and has no word there."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return cell if isinstance(cell, (str, bool, int, float)) else None
