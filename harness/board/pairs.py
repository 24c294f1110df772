"""Paired tests of all models of a board: that which `compare` makes of two, on the items that all were scored on.

Sums are held in 64 bits: rounded ones would break ties among the signs that are flipped.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.changes import Keys, compared, part
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.measured import Measured, shared
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
        self._first: dict[str, Measured] = {}
        self._keys: dict[str, Keys] = {}
        self._uneven: set[str] = set()

    def add(self, entry: Entry, measured: Measured) -> None:
        """Note what a record adds; records of one task are alike in items, or are cut to what all have."""
        task = entry.record.reference
        first = self._first.setdefault(task, measured)
        alike = measured is first or (first.ids.equals(measured.ids) and first.clusters.equals(measured.clusters))
        if not alike:
            self._uneven.add(task)
            return
        made = part(measured, str(entry.record.dataset["digest"]), self._keys.get(task))
        self._keys[task] = made.keys
        self._sums[entry.path] = made.sums

    def p_values(
        self, columns: Mapping[str, Sequence[Entry]], scales: Mapping[str, float], read: Read
    ) -> Floats | None:
        """Return (models, models) two-sided p that two models are alike in their mean over tasks, see `standings`.

        `columns`: for each task the records of the models, in one order; `scales`: what takes its differences to the
        scale from chance to best. None where a record cannot be read.
        """
        if len(columns) == 1:
            ((task, entries),) = columns.items()
            return _of_one_task(entries, scales[task], read)
        for task, entries in columns.items():
            if task not in self._uneven and all(entry.path in self._sums for entry in entries):
                continue
            measured = [read(entry) for entry in entries]
            held = [each for each in measured if each is not None]
            if len(held) < len(entries):
                return None
            self._forget(task, entries)
            for entry, each in zip(entries, _common(held), strict=True):
                self.add(entry, each)
            if task in self._uneven:
                return None
        return _all_pairs(self._matrix(columns, scales))

    def _forget(self, task: str, entries: Iterable[Entry]) -> None:
        self._uneven.discard(task)
        self._first.pop(task, None)
        self._keys.pop(task, None)
        for entry in entries:
            self._sums.pop(entry.path, None)

    def _matrix(self, columns: Mapping[str, Sequence[Entry]], scales: Mapping[str, float]) -> Floats:
        """Return (models, pictures) what each picture adds to each model's mean, over all tasks that show it."""
        keys = np.unique(np.concatenate([self._keys[task] for task in columns]))
        models = len(next(iter(columns.values())))
        table = np.zeros((models, len(keys)))
        for task, entries in columns.items():
            places = np.searchsorted(keys, self._keys[task])
            for row, entry in zip(table, entries, strict=True):
                row[places] += self._sums[entry.path] * (scales[task] / len(columns))
        return table


def _all_pairs(table: Floats) -> Floats:
    """Return (models, models) signed p by signs flipped of the (models, pictures) differences."""
    made = np.ones((len(table), len(table)))
    moments = _moments(table) if table.shape[1] > _MANY else None
    for one, other in combinations(range(len(table)), 2):
        ahead = float((table[one] - table[other]).sum())
        p = sign_flip_of_moments(*moments[:, one, other].tolist()) if moments is not None else None
        if p is None:
            p = sign_flip(table[other] - table[one])
        made[one, other], made[other, one] = math.copysign(p, ahead), math.copysign(p, -ahead)
    return made


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
