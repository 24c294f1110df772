"""Paired tests of all models of a board, each the same that `compare` makes of the two.

Sums are held in 64 bits: rounded ones would break ties among the signs that are flipped.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mmbench.harness.board.sums import TaskSums, file_of, load_sums, save_sums
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.changes import Keys, compared, part
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.measured import Measured, shared
from mmbench.harness.statistics.permutation import sign_flip, sign_flip_of_moments

_MANY = 20_000
"""From so many pictures on the moments of differences tell their distribution."""
_AT_ONCE = 10_000
"""Pictures whose products are held at a time."""

_HELD = 1 << 24
"""Numbers of a table of some models that is held where moments do not tell."""

Read = Callable[[Entry], Measured | None]
Sign = Callable[[Entry], str | None]
"""Signature of the files of a record; None where one is not there."""
Pair: TypeAlias = tuple[int, int]
Signed: TypeAlias = tuple[int, int, float]
"""Two models by their numbers, and the p of their difference with the sign of what the first is ahead."""
Tables: TypeAlias = Callable[[Sequence[int]], Iterator[Floats]]
"""Numbers of models to their (models, pictures) tables of what pictures add, each of the pictures of other tasks."""


class Parts:
    """What pictures add to each record of a board: a number for each, of one task at a time in memory."""

    def __init__(self, results: Path, sign: Sign) -> None:
        self._results = results
        self._sign = sign
        self._open = "", TaskSums()
        self._kept: dict[str, TaskSums] = {}
        """Tasks whose sums cannot be written."""

    def add(self, entry: Entry, measured: Measured) -> None:
        """Note what a record adds."""
        signature = self._sign(entry)
        if signature is not None:
            held = self._task(entry)
            held.add(_name(entry), signature, measured, str(entry.record.dataset["digest"]))

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
        scored = []
        for entries in columns.values():
            numbers = self._numbers(entries, read)
            if numbers is None:
                return None
            scored.append(numbers)
        self._close()
        alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for model, sets in enumerate(zip(*scored, strict=True)):
            alike[sets].append(model)
        models = sum(map(len, alike.values()))
        made = np.ones((models, models))
        for one, other in combinations_with_replacement(alike.values(), 2):
            both = one if one is other else [*one, *other]
            pairs = (
                combinations(range(len(one)), 2)
                if one is other
                else product(range(len(one)), range(len(one), len(both)))
            )
            tables = self._tables(
                {task: [entries[model] for model in both] for task, entries in columns.items()}, scales, read
            )
            if tables is None:
                return None
            for i, j, p in _signed(*tables, len(both), list(pairs)):
                made[both[i], both[j]], made[both[j], both[i]] = p, -p
        return made

    def _numbers(self, entries: Sequence[Entry], read: Read) -> list[int] | None:
        """Return which set of items each record of a task was scored on, all of which are then known."""
        held = self._task(entries[0])
        for entry in entries:
            signature, score = self._sign(entry), entry.record.primary.value
            if signature is None or score is None:
                return None
            if not held.has(_name(entry), signature, score):
                measured = read(entry)
                if measured is None:
                    return None
                self.add(entry, measured)
        return [held.rows[_name(entry)].number for entry in entries]

    def _tables(
        self, columns: Mapping[str, Sequence[Entry]], scales: Mapping[str, float], read: Read
    ) -> tuple[Tables, int] | None:
        """Return what gives the tables of models, over the items that all of these were scored on, and the pictures."""
        keys: dict[str, Keys] = {}
        common: dict[str, list[Floats]] = {}
        for task, entries in columns.items():
            held = self._task(entries[0])
            sets = {held.rows[_name(entry)].number for entry in entries}
            if len(sets) == 1:
                keys[task] = held.sets[sets.pop()].keys
                continue
            measured = [each for each in map(read, entries) if each is not None]
            if len(measured) < len(entries):
                return None
            scope = str(entries[0].record.dataset["digest"])
            first, *rest = _common(measured)
            made = part(first, scope)
            keys[task] = made.keys
            common[task] = [made.sums, *(part(each, scope, made.keys).sums for each in rest)]
        together = _sharing(keys)

        def tables(models: Sequence[int]) -> Iterator[Floats]:
            for tasks in together:
                pictures = np.unique(np.concatenate([keys[task] for task in tasks]))
                table = np.zeros((len(models), len(pictures)))
                for task in tasks:
                    places, scale = np.searchsorted(pictures, keys[task]), scales[task] / len(columns)
                    rows = self._task(columns[task][0]).rows
                    for line, model in zip(table, models, strict=True):
                        sums = common[task][model] if task in common else rows[_name(columns[task][model])].sums
                        line[places] += sums * scale
                yield table

        return tables, len(np.unique(np.concatenate([*keys.values()])))

    def _task(self, entry: Entry) -> TaskSums:
        """Return the sums of a task by the metric that a record stands by, of its data."""
        record = entry.record
        name = f"{record.reference} {record.primary.metric} {record.dataset['digest']}"
        if self._open[0] != name:
            self._close()
            self._open = name, self._kept.get(name) or load_sums(file_of(self._results, name))
        return self._open[1]

    def _close(self) -> None:
        name, held = self._open
        if held.changed and not save_sums(file_of(self._results, name), held):
            self._kept[name] = held
        held.changed = False


def _name(entry: Entry) -> str:
    return f"{entry.path.parent.name}/{entry.path.name}"


def _sharing(keys: Mapping[str, Keys]) -> list[list[str]]:
    """Return the tasks in groups that share no picture with each other."""
    tasks = list(keys)
    group = list(range(len(tasks)))
    owners = np.repeat(np.arange(len(tasks)), [len(keys[task]) for task in tasks])
    every = np.concatenate([np.zeros(0, np.uint64), *keys.values()])
    order = np.argsort(every, kind="stable")
    same = np.flatnonzero(every[order][1:] == every[order][:-1])
    for pair in np.unique(owners[order][same] * len(tasks) + owners[order][same + 1]).tolist():
        mine, theirs = (group[task] for task in divmod(pair, len(tasks)))
        group = [mine if each == theirs else each for each in group]
    found: defaultdict[int, list[str]] = defaultdict(list)
    for task, number in zip(tasks, group, strict=True):
        found[number].append(task)
    return list(found.values())


def _signed(tables: Tables, pictures: int, models: int, pairs: Sequence[Pair]) -> Iterator[Signed]:
    """Yield for pairs of models their signed p, by signs flipped of the differences of pictures."""
    if pictures <= _MANY:
        yield from _of_rows(tables, pairs)
        return
    moments = _moments(tables(range(models)), models)
    left: defaultdict[Pair, list[Pair]] = defaultdict(list)
    at_once = max(1, _HELD // pictures)
    for one, other in pairs:
        p = sign_flip_of_moments(*moments[:, one, other].tolist())
        if p is None:
            left[one // at_once, other // at_once].append((one, other))
        else:
            yield one, other, math.copysign(p, moments[0, one, other])
    for some in left.values():
        yield from _of_rows(tables, some)


def _of_rows(tables: Tables, pairs: Sequence[Pair]) -> Iterator[Signed]:
    models = sorted({model for pair in pairs for model in pair})
    table = dict(zip(models, np.concatenate([*tables(models)], axis=1), strict=True)) if models else {}
    for one, other in pairs:
        change = table[one] - table[other]
        yield one, other, math.copysign(sign_flip(change), float(change.sum()))


def _moments(tables: Iterable[Floats], models: int) -> Floats:
    """Return (3, models, models) sums over pictures of the differences, their squares and their fourth powers."""
    total = np.zeros(models)
    plain, cubed, squared = np.zeros((3, models, models))
    for table in tables:
        for start in range(0, table.shape[1], _AT_ONCE):
            block = table[:, start : start + _AT_ONCE]
            square = block * block
            total += block.sum(axis=1)
            plain += block @ block.T
            cubed += (square * block) @ block.T
            squared += square @ square.T
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
