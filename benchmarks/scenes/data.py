"""Scene data sets: the worlds that they draw, and what a row says of a scene."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from mmbench.benchmarks.scenes import cells, remembered
from mmbench.benchmarks.scenes.rows import AGAIN, KEPT, SPLITS
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
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell, Row

VERSION = 1
"""Raised whenever the same seed would give another scene or other random numbers; part of every scene's seed.

Where the cells of a single set change, the versions of the tasks that ask them are raised instead: a new seed would
draw every picture of every set anew, and those that the embedded models learnt from.
"""

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
    describe: Describe
    """Function that describes a scene in the cells of a row."""


@lru_cache(KEPT)
def row(name: str, first: int, index: int) -> Row:
    """Return a row of a data set, of the split whose seeds begin with `first`."""
    scenes, where = SETS[name], f"{name} row {index}"
    world, draws = scenes.world, streams((first, 0), scenes.world, index)
    told = scenes.describe(world, _scene(world, first, index), draws, where)
    if first == SPLITS["test"] and index < AGAIN.get(name, 0) and isinstance(image := told["image"], Image):
        told["image"] = shown_again(image)
    return remembered.frozen({"id": str(index), **told}, where)


@lru_cache(KEPT)
def _scene(world: World, first: int, index: int) -> Scene:
    # Of a world that several sets describe; the random numbers of descriptions are streams of their own.
    return world.draw(streams((first, 0), world, index))


SETS: Mapping[str, SceneSet] = {
    "scenes-single": SceneSet(SINGLE, cells.single),
    "scenes-hidden": SceneSet(HIDDEN, cells.single),
    "scenes-pairs": SceneSet(HALF, cells.single),
    "scenes-ladders": SceneSet(LADDERS, cells.ladder),
    "scenes-count": SceneSet(Count(), cells.counted),
    "scenes-digits": SceneSet(DIGIT, cells.written),
    "scenes-numbers": SceneSet(NUMBER, cells.written),
    "scenes-words": SceneSet(WORD, cells.written),
    "scenes-arrows": SceneSet(Arrow(), cells.pointing),
    "scenes-patterns": SceneSet(Pattern(), cells.mirrored),
    "scenes-motion": SceneSet(Motion(), cells.moving),
    "scenes-comparison": SceneSet(Comparison(), cells.versus),
    "scenes-relation": SceneSet(RELATION, cells.twins),
    "scenes-binding": SceneSet(BINDING, cells.twins),
    "scenes-many": SceneSet(MANY, cells.many),
    # The pictures of `scenes-many` and `scenes-count`, asked where and how many.
    "scenes-grounded": SceneSet(MANY, cells.grounded),
    "scenes-numbered": SceneSet(Count(), cells.numbered),
}
"""Data sets by the name that a task file gives as `path`; `rows.SIZES` has the same."""
