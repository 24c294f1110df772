"""Groups of items that count only where all of them are right: MME's pairs, MMVP's, NaturalBench's fours."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmbench.benchmarks.sources.cells import column, text
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.shares import Shares
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Cell, Data, Row, Source
from mmbench.harness.types import Outcome, RouteTaken

FACT = "group"
"""The fact that tells to which group an item belongs."""
_DIGITS = 19


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


class Every(BaseModel):
    """Rows whose numbers in a column leave one rest: copies of an item that are numbered so."""

    model_config = ConfigDict(extra="forbid")

    column: str
    modulo: Annotated[int, Field(ge=2)]


GroupOption = Annotated[int, Field(ge=2)] | Annotated[list[str], Field(min_length=1)] | Every


class Groups:
    """Which items belong together: so many rows in turn, those with the same cells, or with the same rest.

    Raises DataError for a column that is neither a field nor a fact.
    """

    def __init__(self, by: GroupOption, data: Data) -> None:
        self._by = by
        if FACT in data.facts:
            raise DataError(f"the fact '{FACT}' is made by the key `group`; take it out of 'facts'")
        held = {*data.facts, *(name for name in data.fields.values() if isinstance(name, str))}
        for name in [] if isinstance(by, int) else [by.column] if isinstance(by, Every) else by:
            if name not in held:
                raise DataError(f"`group` is made of facts; write '{name}' into 'facts'")

    @property
    def in_turn(self) -> bool:
        """True where a group is so many rows in turn."""
        return isinstance(self._by, int)

    def as_json(self) -> Json:
        """Return what the protocol id is made of."""
        by = self._by
        return {"column": by.column, "modulo": by.modulo} if isinstance(by, Every) else by

    def facts(self, facts: Mapping[str, Json], row: Row, number: int) -> dict[str, Json]:
        """Return the facts of a row with its group. Raises DataError where a cell tells none."""
        if isinstance(self._by, int):
            return {**facts, FACT: str(number // self._by)}
        return {**facts, FACT: self._named([column(row, name) for name in self._columns], row)}

    def sizes(self, source: Source, groups: Collection[str]) -> Mapping[str, int]:
        """Return how many rows each of these groups has; where columns tell, they are read from end to end."""
        if isinstance(self._by, int):
            return dict.fromkeys(groups, self._by)
        return Counter(
            self._named(cells, Row({}, f"row {number} (counted from 0)", Path()))
            for number, cells in enumerate(zip(*map(source.values, self._columns), strict=True))
        )

    @property
    def _columns(self) -> Sequence[str]:
        return [self._by.column] if isinstance(self._by, Every) else [] if isinstance(self._by, int) else self._by

    def _named(self, cells: Iterable[Cell], row: Row) -> str:
        told = [text(cell, row) for cell in cells]
        if not isinstance(self._by, Every):
            return told[0] if len(told) == 1 else digest_json([*told])[:12]
        said = told[0]
        if not (said.isascii() and said.isdigit() and len(said) < _DIGITS):
            raise DataError(f"{row.where}: '{self._by.column}' holds {said[:40]!r}, expected a number for `group`")
        return str(int(said) % self._by.modulo)


def check(groups: Groups | None, metrics: Sequence[str]) -> None:
    """Raise DataError where a task names the metric of groups and no groups."""
    if groups is None and METRIC.name in metrics:
        raise DataError(f"the metric '{METRIC.name}' needs the key 'group'")


def grouped(taken: RouteTaken, outcomes: Sequence[Outcome], groups: Groups, source: Source) -> Outcomes:
    """Return the outcomes with what `group_accuracy` is made of; those of a group share a cluster.

    A group with an error, or of which not all rows were asked, counts nothing: it was neither right nor wrong.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for i, outcome in enumerate(outcomes):
        places[str(outcome.facts[FACT])].append(i)
    # Of all rows no group is a part, but for a last one of fewer rows than there should be.
    whole = len(outcomes) == len(source) and not groups.in_turn
    sizes = {} if whole else groups.sizes(source, places)
    clusters = _clusters(outcomes)
    made = list(outcomes)
    parts = 0
    for name, mine in places.items():
        part = not whole and len(mine) != sizes[name]
        parts += part
        void = part or any(outcomes[i].status == "error" for i in mine)
        hit = 0.0 if void else min(outcomes[i].values["accuracy"] for i in mine)
        chance = prod(outcomes[i].chances.get("accuracy", 1.0) for i in mine)
        share = 1 / len(mine)
        for i in mine:
            told = outcomes[i]
            counted = (0.0, 0.0) if void else (hit * share, share)
            guessed = (0.0, 0.0) if part else (chance * share, share)
            made[i] = replace(
                told,
                cluster=clusters[i],
                statistics=told.statistics if told.status == "error" else {**told.statistics, METRIC.name: counted},
                guesses={**told.guesses, METRIC.name: guessed},
            )
    notes = [f"groups that count nothing since not all of their items were asked: {parts:,} of {len(places):,}"]
    return Outcomes(taken, made, notes if parts else [])


def _clusters(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what items share that have a picture or a group in common, one through another."""
    root: dict[str, str] = {}

    def first(name: str) -> str:
        while (above := root.setdefault(name, name)) != name:
            root[name] = root[above]
            name = above
        return name

    for outcome in outcomes:
        root[first(f"group {outcome.facts[FACT]}")] = first(outcome.cluster)
    return [first(outcome.cluster) for outcome in outcomes]
