"""Rows of the scene data sets, held and remembered: worlds are imported only where a row must be drawn."""

from collections.abc import Iterator, Mapping

from mmbench.benchmarks.scenes import remembered
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.tasks.source import Row

TRAINING = 2
SPLITS: Mapping[str, int] = {"test": 0, "mini": 0, "validation": 1, "training": TRAINING, "reserve": 3}
"""The first number of a split's seeds. `mini` is the first tenth of `test`; `training` is of `scenes-training`."""

SIZES: Mapping[str, int] = {
    "scenes-single": 480,
    "scenes-hidden": 160,
    "scenes-pairs": 200,
    "scenes-ladders": 300,
    "scenes-count": 240,
    "scenes-digits": 120,
    "scenes-numbers": 90,
    "scenes-words": 160,
    "scenes-arrows": 120,
    "scenes-patterns": 120,
    "scenes-motion": 120,
    "scenes-comparison": 120,
    "scenes-relation": 100,
    "scenes-binding": 100,
    "scenes-many": 1000,
    "scenes-grounded": 400,
    "scenes-numbered": 240,
}
"""Rows of the test split of each data set, by the name that a task file gives as `path`."""
AGAIN: Mapping[str, int] = {"scenes-many": 400, "scenes-grounded": 400}
"""Test rows, from the first on, whose pictures one of these sets shows whole and the other in parts."""
_LARGE = 1000
"""Rows of the splits beside `test` and `mini`."""
KEPT = 8192
"""Rows that are held, some kilobytes each: those of the perception suite, which its tasks go through over and over."""


def rows(name: str, split: str | None) -> Iterator[Row]:
    """Yield the rows of a split, each made once and then remembered. Raises DataError for a split it lacks."""
    chosen, size = split_of(name, split), count(name, split)
    whole = "test" if chosen == "mini" else chosen
    held = _held(name, whole, count(name, whole))
    if held:
        yield from held[:size]
        return
    from mmbench.benchmarks.scenes.data import row

    for index in range(size):
        yield row(name, SPLITS[chosen], index)
    if chosen == whole and not _held(name, whole, size):
        made = tuple(row(name, SPLITS[whole], index) for index in range(size))
        _hold(name, whole, made)
        remembered.keep(name, whole, made)


def count(name: str, split: str | None) -> int:
    """Return the number of rows of a split. Raises DataError for a split it does not have."""
    return {"test": SIZES[name], "mini": max(SIZES[name] // 10, 1)}.get(split_of(name, split), _LARGE)


def split_of(name: str, split: str | None) -> str:
    """Return the name of a split, by default `test`. Raises DataError for one that there is not."""
    chosen = split or "test"
    if chosen not in SPLITS:
        raise DataError(f"'{name}' has no split '{chosen}', only {', '.join(SPLITS)}{nearest(chosen, SPLITS)}")
    return chosen


_HELD: dict[tuple[str, str], tuple[Row, ...]] = {}
"""All rows of a data set's split, the first asked for first; none where they were neither made nor remembered."""


def _held(name: str, split: str, size: int) -> tuple[Row, ...]:
    if (name, split) not in _HELD:
        again = AGAIN.get(name, 0) if split == "test" else 0
        _hold(name, split, remembered.recall(name, split, size, again) or ())
    return _HELD[name, split]


def _hold(name: str, split: str, made: tuple[Row, ...]) -> None:
    _HELD.pop((name, split), None)
    while _HELD and len(made) + sum(map(len, _HELD.values())) > KEPT:
        del _HELD[next(iter(_HELD))]
    _HELD[name, split] = made
