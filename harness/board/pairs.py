"""Paired tests of all models of a board, each the same that `compare` makes of the two.

Sums are held in 64 bits: rounded ones would break ties among the signs that are flipped.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.changes import Keys, compared, part
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.measured import Column, Measured, shared
from mmbench.harness.statistics.permutation import sign_flip, sign_flip_of_moments

_MANY = 20_000
"""From so many pictures on the moments of differences tell their distribution."""
_AT_ONCE = 10_000
"""Pictures whose products are held at a time."""

Read = Callable[[Entry], Measured | None]


class Parts:
    """What pictures add to each record of a board: a number for each, however many the models."""

    def __init__(self) -> None:
        self._sums: dict[Path, Floats] = {}
        self._items: dict[Path, int] = {}
        """Which of the sets of items of its task a record was scored on."""
        self._sets: defaultdict[str, list[_Items]] = defaultdict(list)

    def add(self, entry: Entry, measured: Measured) -> None:
        """Note what a record adds."""
        sets = self._sets[entry.record.reference]
        number = next((i for i, each in enumerate(sets) if each.of(measured)), len(sets))
        known = sets[number].keys if number < len(sets) else None
        made = part(measured, str(entry.record.dataset["digest"]), known)
        if known is None:
            sets.append(_Items(measured.ids, measured.clusters, made.keys))
        self._sums[entry.path], self._items[entry.path] = made.sums, number

    def p_values(
        self, columns: Mapping[str, Sequence[Entry]], scales: Mapping[str, float], read: Read
    ) -> Floats | None:
        """Return (models, models) two-sided p that two models are alike in their mean over tasks, see `standings`.

        `columns`: for each task the records of the models, in one order; `scales`: what takes its differences to the
        scale from chance to best. Two models are tested on the items that both were scored on, so that no test depends
        on what others lack. None where a record cannot be read.
        """
        if len(columns) == 1:
            ((task, entries),) = columns.items()
            return _of_one_task(entries, scales[task], read)
        for entry in (entry for entries in columns.values() for entry in entries if entry.path not in self._sums):
            measured = read(entry)
            if measured is None:
                return None
            self.add(entry, measured)
        alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for model, entries in enumerate(zip(*columns.values(), strict=True)):
            alike[tuple(self._items[entry.path] for entry in entries)].append(model)
        models = sum(map(len, alike.values()))
        made = np.ones((models, models))
        for one, other in combinations_with_replacement(alike.values(), 2):
            both = one if one is other else [*one, *other]
            table = self._matrix(
                {task: [entries[model] for model in both] for task, entries in columns.items()}, scales, read
            )
            if table is None:
                return None
            pairs = (
                combinations(range(len(one)), 2)
                if one is other
                else product(range(len(one)), range(len(one), len(both)))
            )
            for i, j, p in _signed(table, pairs):
                made[both[i], both[j]], made[both[j], both[i]] = p, -p
        return made

    def _matrix(self, columns: Mapping[str, Sequence[Entry]], scales: Mapping[str, float], read: Read) -> Floats | None:
        """Return (models, pictures) what each picture adds to each model's mean, over all tasks that show it."""
        tasks: list[tuple[float, Keys, list[Floats]]] = []
        for task, entries in columns.items():
            held = self._of_all(task, entries, read)
            if held is None:
                return None
            tasks.append((scales[task] / len(columns), *held))
        keys = np.unique(np.concatenate([each for _, each, _ in tasks]))
        table = np.zeros((len(next(iter(columns.values()))), len(keys)))
        for scale, mine, rows in tasks:
            places = np.searchsorted(keys, mine)
            for row, sums in zip(table, rows, strict=True):
                row[places] += sums * scale
        return table

    def _of_all(self, task: str, entries: Sequence[Entry], read: Read) -> tuple[Keys, list[Floats]] | None:
        """Return what pictures add to records of one task, over the items that all of these were scored on."""
        sets = {self._items[entry.path] for entry in entries}
        if len(sets) == 1:
            return self._sets[task][sets.pop()].keys, [self._sums[entry.path] for entry in entries]
        measured = [each for each in map(read, entries) if each is not None]
        if len(measured) < len(entries):
            return None
        first, *rest = _common(measured)
        scope = str(entries[0].record.dataset["digest"])
        made = part(first, scope)
        return made.keys, [made.sums, *(part(each, scope, made.keys).sums for each in rest)]


@dataclass(frozen=True, slots=True, eq=False)
class _Items:
    """Items that records of a task were scored on."""

    ids: Column
    clusters: Column
    keys: Keys

    def of(self, measured: Measured) -> bool:
        """Tell whether a record was scored on these."""
        return bool(self.ids.equals(measured.ids) and self.clusters.equals(measured.clusters))


def _signed(table: Floats, pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, float]]:
    """Yield for pairs of (models, pictures) rows their signed p, by signs flipped of the differences."""
    moments = _moments(table) if table.shape[1] > _MANY else None
    for one, other in pairs:
        ahead = float((table[one] - table[other]).sum())
        p = sign_flip_of_moments(*moments[:, one, other].tolist()) if moments is not None else None
        if p is None:
            p = sign_flip(table[other] - table[one])
        yield one, other, math.copysign(p, ahead)


def _moments(table: Floats) -> Floats:
    """Return (3, models, models) sums over pictures of the differences, their squares and their fourth powers."""
    total = np.zeros(len(table))
    products = np.zeros((3, len(table), len(table)))
    for start in range(0, table.shape[1], _AT_ONCE):
        block = table[:, start : start + _AT_ONCE]
        square = block * block
        total += block.sum(axis=1)
        products += np.stack([block @ block.T, (square * block) @ block.T, square @ square.T])
    plain, cubed, squared = products
    second = np.diag(plain)[:, None] + np.diag(plain) - 2 * plain
    fourth = np.diag(squared)[:, None] + np.diag(squared) + 6 * squared - 4 * (cubed + cubed.T)
    # Of models that agree throughout nothing is left but rounding.
    second[second < 1e-12 * np.diag(plain).max(initial=0.0)] = 0.0
    return np.stack([total[:, None] - total, second, np.maximum(fourth, 0.0)])


def _of_one_task(entries: Sequence[Entry], scale: float, read: Read) -> Floats | None:
    measured = [read(entry) for entry in entries]
    made = np.ones((len(entries), len(entries)))
    for (i, one), (j, other) in combinations(enumerate(measured), 2):
        if one is None or other is None:
            return None
        a, b = shared(one, other)
        tested = compared(a, b) if len(a) else None
        if tested:
            ahead = -tested.value * scale
            made[i, j], made[j, i] = math.copysign(tested.p, ahead), math.copysign(tested.p, -ahead)
    return made


def _common(measured: Sequence[Measured]) -> list[Measured]:
    """Return the items that all records of a task were scored on, in the order of the first."""
    names = [each.ids.to_pylist() for each in measured]
    rows = [{name: i for i, name in enumerate(held)} for held in names]
    kept = [name for name in names[0] if all(name in each for each in rows)]
    first = measured[0].take(np.array([rows[0][name] for name in kept], np.intp))
    rest = [
        each.take(np.array([held[name] for name in kept], np.intp)).beside(first)
        for each, held in zip(measured[1:], rows[1:], strict=True)
    ]
    return [first, *rest]
