"""Groups of items that count only where all of them are right: MME's pairs, MMVP's, NaturalBench's fours."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from mmbench.benchmarks.families.common.groupings import Grouping, GroupOption
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.shares import Shares
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row, Source
from mmbench.harness.types import Outcome, RouteTaken


def group_accuracy(statistics: Floats, weights: Floats) -> Floats:
    """Return the share of groups all of whose items are right.

    `statistics` is (n, 2): the group's hit and 1, both over the group's items; `weights` is (b, n). Returns (b,).

    >>> group_accuracy(np.array([[0.5, 0.5], [0.5, 0.5], [0, 0.5], [0, 0.5]]), np.ones((1, 4)))
    array([0.5])
    """
    hit, one = (weights @ statistics).T
    return np.asarray(np.divide(hit, one, out=np.full_like(one, np.nan), where=one > 0))


METRIC = Metric(
    "group_accuracy",
    "Share of groups whose items are all answered rightly (accuracy+ of MME; Fu et al. 2023).",
    aggregate=group_accuracy,
    shares=lambda statistics: Shares(statistics[:, 0], statistics[:, 1]),
)
NAMED = replace(
    METRIC,
    name=f"{METRIC.name}:question",
    description="The same for one of several groupings, by its name (Q-Acc of NaturalBench; Li et al. 2024).",
)
"""An example of what is made where a task groups its items in several ways."""


def _metric(name: str) -> Metric:
    return replace(NAMED, name=f"{METRIC.name}:{name}") if name else METRIC


class Groups:
    """In which ways the items of a task belong together: one, or several by their names. Raises DataError."""

    def __init__(self, by: GroupOption, data: Data) -> None:
        named = by if isinstance(by, dict) else {"": by}
        self.each = {_metric(name): Grouping(one, data, name) for name, one in named.items()}
        """Each grouping by its metric."""
        self.metrics = {metric.name: metric for metric in self.each}

    def as_json(self) -> Json:
        """Return what the protocol id is made of."""
        alone = self.each.get(METRIC)
        return alone.as_json() if alone else {one.name: one.as_json() for one in self.each.values()}

    def facts(self, facts: Mapping[str, Json], row: Row, number: int) -> dict[str, Json]:
        """Return the facts of a row with its groups. Raises DataError where a cell tells none."""
        return {**facts, **{one.fact: one.group_of(row, number) for one in self.each.values()}}


def known(metrics: Mapping[str, Metric], groups: Groups | None) -> dict[str, Metric]:
    """Return the metrics that a task may name: those of its family, with those of its groups."""
    own = {name: metric for name, metric in metrics.items() if name not in (METRIC.name, NAMED.name)}
    return own if groups is None else own | groups.metrics


def check(groups: Groups | None, metrics: Sequence[str]) -> None:
    """Raise DataError where a task names a metric of groups that it does not make."""
    made = {} if groups is None else groups.metrics
    for name in metrics:
        if name.partition(":")[0] == METRIC.name and name not in made:
            there = f", which makes {', '.join(made)}" if made else ""
            raise DataError(f"the metric '{name}' needs the key 'group'{there}")


def grouped(taken: RouteTaken, outcomes: Sequence[Outcome], groups: Groups, source: Source) -> Outcomes:
    """Return the outcomes with what accuracies of groups are made of; those that share a group share a cluster.

    A group with an error, or of which not all rows were asked, counts nothing: it was neither right nor wrong.
    """
    clusters = _clusters(outcomes, [one.fact for one in groups.each.values()])
    made = [replace(outcome, cluster=cluster) for outcome, cluster in zip(outcomes, clusters, strict=True)]
    notes = [note for metric, one in groups.each.items() for note in _count(made, metric.name, one, source)]
    return Outcomes(taken, made, notes)


def _count(made: list[Outcome], name: str, grouping: Grouping, source: Source) -> list[str]:
    """Add to each outcome what one grouping counts of it. Return a note where groups count nothing."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, outcome in enumerate(made):
        places[str(outcome.facts[grouping.fact])].append(i)
    # Of all rows no group is a part, but for a last one of fewer rows than there should be.
    whole = len(made) == len(source) and not grouping.in_turn
    sizes = {} if whole else grouping.sizes(source, places)
    parts = 0
    for group, mine in places.items():
        part = not whole and len(mine) != sizes[group]
        parts += part
        void = part or any(made[i].status == "error" for i in mine)
        hit = 0.0 if void else min(made[i].values["accuracy"] for i in mine)
        chance = prod(made[i].chances.get("accuracy", 1.0) for i in mine)
        share = 1 / len(mine)
        for i in mine:
            told = made[i]
            counted = (0.0, 0.0) if void else (hit * share, share)
            guessed = (0.0, 0.0) if part else (chance * share, share)
            made[i] = replace(
                told,
                statistics=told.statistics if told.status == "error" else {**told.statistics, name: counted},
                guesses={**told.guesses, name: guessed},
            )
    which = f" by {grouping.name}" if grouping.name else ""
    note = f"groups{which} that count nothing since not all of their items were asked: {parts:,} of {len(places):,}"
    return [note] if parts else []


def _clusters(outcomes: Sequence[Outcome], facts: Sequence[str]) -> list[str]:
    """Return what items share that have a picture or a group in common, one through another."""
    root: dict[str, str] = {}

    def first(name: str) -> str:
        while (above := root.setdefault(name, name)) != name:
            root[name] = root[above]
            name = above
        return name

    for outcome in outcomes:
        for fact in facts:
            root[first(f"{fact} {outcome.facts[fact]}")] = first(outcome.cluster)
    return [first(outcome.cluster) for outcome in outcomes]
