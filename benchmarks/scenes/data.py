"""Scene data sets: the worlds that they draw and the seeds that belong to each split."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from mmbench.benchmarks.scenes import cells, remembered
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.shown_again import shown_again
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.worlds.arrow import Arrow
from mmbench.benchmarks.scenes.worlds.comparison import Comparison
from mmbench.benchmarks.scenes.worlds.count import Count
from mmbench.benchmarks.scenes.worlds.many import Many
from mmbench.benchmarks.scenes.worlds.motion import Motion
from mmbench.benchmarks.scenes.worlds.pattern import Pattern
from mmbench.benchmarks.scenes.worlds.single import Single
from mmbench.benchmarks.scenes.worlds.twins import Twins
from mmbench.benchmarks.scenes.worlds.world import World
from mmbench.benchmarks.scenes.worlds.writing import DIGIT, NUMBER, WORD
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell, Row

VERSION = 1
"""Raised whenever the same seed would give another scene or other random numbers; part of every scene's seed.

Where the cells of a single set change, the versions of the tasks that ask them are raised instead: a new seed would
draw every picture of every set anew, and those that the embedded models learnt from.
"""

TRAINING = 2
SPLITS: Mapping[str, int] = {"test": 0, "mini": 0, "validation": 1, "training": TRAINING, "reserve": 3}
"""The first number of a split's seeds. `mini` is the first tenth of `test`; `training` is of `scenes-training`."""
_LARGE = 1000
"""Rows of the splits beside `test` and `mini`."""
_GROUNDED = 400
"""Scenes of many things that are also asked where each is."""
_KEPT = 8192
"""Rows that are held, some kilobytes each: those of the perception suite, which its tasks go through over and over."""

SINGLE = Single()
HIDDEN = Single("hidden", hidden=(0.2, 0.5))
HALF = Single("pairs", pairs="half")
LADDERS = Single("ladders")
MANY = Many()
RELATION = Twins("relation twins", "relation")
BINDING = Twins("binding twins", "binding")

Describe: TypeAlias = Callable[[World, Scene, Streams, str], dict[str, Cell]]
"""A scene and its random numbers to all cells of its row but the id; the text is how messages call the row."""


def streams(block: tuple[int, ...], world: World, index: int) -> Streams:
    """Return the random numbers of one picture; a block is (split, seed of the split)."""
    return Streams((VERSION, *block), world.name, index)


@dataclass(frozen=True, slots=True, eq=False)
class SceneSet:
    """A data set of scenes of one world."""

    world: World
    """World that is drawn."""
    size: int
    """Rows of its test split."""
    describe: Describe
    """Function that describes a scene in the cells of a row."""
    again: int = 0
    """Test rows, from the first on, whose pictures this set shows whole and another in parts, or the reverse."""

    def rows(self, name: str, split: str | None) -> Iterator[Row]:
        """Yield the rows of a split, each made once and then remembered. Raises DataError for a split it lacks."""
        chosen, count = _split(name, split), self.count(name, split)
        whole = "test" if chosen == "mini" else chosen
        held = self._held(name, whole)
        if held:
            yield from held[:count]
            return
        for index in range(count):
            yield _row(self, name, SPLITS[chosen], index)
        if chosen == whole and not self._held(name, whole):
            made = tuple(_row(self, name, SPLITS[whole], index) for index in range(count))
            _hold(name, whole, made)
            remembered.keep(name, whole, made)

    def count(self, name: str, split: str | None) -> int:
        """Return the number of rows of a split. Raises DataError for a split it does not have."""
        return {"test": self.size, "mini": max(self.size // 10, 1)}.get(_split(name, split), _LARGE)

    def _held(self, name: str, split: str) -> tuple[Row, ...]:
        if (name, split) not in _HELD:
            again = self.again if split == "test" else 0
            _hold(name, split, remembered.recall(name, split, self.count(name, split), again) or ())
        return _HELD[name, split]


_HELD: dict[tuple[str, str], tuple[Row, ...]] = {}
"""All rows of a data set's split, the first asked for first; none where they were neither made nor remembered."""


def _hold(name: str, split: str, rows: tuple[Row, ...]) -> None:
    _HELD.pop((name, split), None)
    while _HELD and len(rows) + sum(map(len, _HELD.values())) > _KEPT:
        del _HELD[next(iter(_HELD))]
    _HELD[name, split] = rows


@lru_cache(_KEPT)
def _row(scenes: SceneSet, name: str, first: int, index: int) -> Row:
    where = f"{name} row {index}"
    world, draws = scenes.world, streams((first, 0), scenes.world, index)
    told = scenes.describe(world, _scene(world, first, index), draws, where)
    if first == SPLITS["test"] and index < scenes.again and isinstance(image := told["image"], Image):
        told["image"] = shown_again(image)
    return remembered.frozen({"id": str(index), **told}, where)


@lru_cache(_KEPT)
def _scene(world: World, first: int, index: int) -> Scene:
    # Of a world that several sets describe; the random numbers of descriptions are streams of their own.
    return world.draw(streams((first, 0), world, index))


def _split(name: str, split: str | None) -> str:
    chosen = split or "test"
    if chosen not in SPLITS:
        raise DataError(f"'{name}' has no split '{chosen}', only {', '.join(SPLITS)}{nearest(chosen, SPLITS)}")
    return chosen


SETS: Mapping[str, SceneSet] = {
    "scenes-single": SceneSet(SINGLE, 480, cells.single),
    "scenes-hidden": SceneSet(HIDDEN, 160, cells.single),
    "scenes-pairs": SceneSet(HALF, 200, cells.single),
    "scenes-ladders": SceneSet(LADDERS, 300, cells.ladder),
    "scenes-count": SceneSet(Count(), 240, cells.counted),
    "scenes-digits": SceneSet(DIGIT, 120, cells.written),
    "scenes-numbers": SceneSet(NUMBER, 90, cells.written),
    "scenes-words": SceneSet(WORD, 160, cells.written),
    "scenes-arrows": SceneSet(Arrow(), 120, cells.pointing),
    "scenes-patterns": SceneSet(Pattern(), 120, cells.mirrored),
    "scenes-motion": SceneSet(Motion(), 120, cells.moving),
    "scenes-comparison": SceneSet(Comparison(), 120, cells.versus),
    "scenes-relation": SceneSet(RELATION, 100, cells.twins),
    "scenes-binding": SceneSet(BINDING, 100, cells.twins),
    "scenes-many": SceneSet(MANY, 1000, cells.many, _GROUNDED),
    # The pictures of `scenes-many` and `scenes-count`, asked where and how many.
    "scenes-grounded": SceneSet(MANY, _GROUNDED, cells.grounded, _GROUNDED),
    "scenes-numbered": SceneSet(Count(), 240, cells.numbered),
}
"""Data sets by the name that a task file gives as `path`."""
