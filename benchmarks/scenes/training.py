"""Training pictures: an endless mixture of all worlds but those kept back, from seeds that no test uses."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np

from mmbench.benchmarks.scenes import data
from mmbench.benchmarks.scenes.cells import picture
from mmbench.benchmarks.scenes.scene import SIDE, Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, SHAPES, held_out
from mmbench.benchmarks.scenes.worlds.arrow import Arrow
from mmbench.benchmarks.scenes.worlds.comparison import Comparison
from mmbench.benchmarks.scenes.worlds.count import Count
from mmbench.benchmarks.scenes.worlds.many import APART
from mmbench.benchmarks.scenes.worlds.motion import Motion
from mmbench.benchmarks.scenes.worlds.pattern import Pattern
from mmbench.benchmarks.scenes.worlds.twins import Twins
from mmbench.benchmarks.scenes.worlds.world import World
from mmbench.benchmarks.scenes.worlds.writing import DIGIT, NUMBER, WORD
from mmbench.harness.errors import DataError
from mmbench.harness.task import Cell, Row

BLOCK = 512
"""Rows of a block."""
PATCHES = 8
"""Rows and columns of the grid over which `shapes` and `colours` say what is where."""

_LARGER = 0.25
"""Logarithm of the least ratio of radii that makes one thing larger."""
_SUFFIXES = ("", "", " answer in one word.", " answer briefly.")
_CYCLE: Sequence[tuple[World, int]] = (
    (data.MANY, 32),
    (data.SINGLE, 28),
    (data.RELATION, 16),
    (data.BINDING, 12),
    (Count(), 10),
    (data.HIDDEN, 6),
    (WORD, 5),
    (Motion(), 5),
    (Comparison(), 4),
    (Arrow(), 3),
    (Pattern(), 3),
    (DIGIT, 2),
    (NUMBER, 2),
)
"""How many of 128 rows come from each world; of twins both are rows."""

COLUMNS = ("id", "image", "caption", "negative", "description", "question", "answer", "shapes", "colours", "facts")


def block_of(split: str | None) -> tuple[int, int]:
    """Return seed and number of a block from `SEED:BLOCK`. Raises DataError for anything else.

    >>> block_of("7:30")
    (7, 30)
    """
    seed, _, block = (split or "").partition(":")
    if not (seed.isdecimal() and block.isdecimal()):
        raise DataError(f"the split of training scenes is SEED:BLOCK, such as 0:12, not '{split}'")
    return int(seed), int(block)


def count(split: str | None) -> int:
    """Return the rows of a block. Raises DataError as `block_of`."""
    block_of(split)
    return BLOCK


def rows(seed: int, block: int) -> Iterator[Row]:
    """Yield the rows of a block; twins follow each other."""
    for place, world in enumerate(_order()):
        slot = block * len(_order()) + place
        draws = data.streams((data.TRAINING, seed), world, slot)
        scene = world.draw(draws)
        shown = [scene, world.twin(scene)] if isinstance(world, Twins) else [scene]
        for number, each in enumerate(shown):
            where = f"training scene {seed}:{block}:{slot}.{number}"
            yield Row({"id": f"{slot}.{number}", **_cells(world, each, draws, where)}, where, Path())


def _order() -> tuple[World, ...]:
    """Return the worlds of a block, one for each row or pair of twins."""
    if not _ORDERS:
        cycle = [world for world, rows in _CYCLE for _ in range(rows // 2 if isinstance(world, Twins) else rows)]
        random = np.random.default_rng(0)
        times = BLOCK // sum(rows for _, rows in _CYCLE)
        _ORDERS.append(tuple(cycle[i] for _ in range(times) for i in random.permutation(len(cycle))))
    return _ORDERS[0]


_ORDERS: list[tuple[World, ...]] = []


def _cells(world: World, scene: Scene, draws: Streams, where: str) -> dict[str, Cell]:
    random = draws.language
    question = None
    while question is None:
        question = world.ask(scene, pick(random, _kinds(world)), random)
    shapes, colours = patches(scene)
    return {
        "image": picture(scene, where),
        "caption": world.caption(scene, random),
        "negative": world.negative(scene, random),
        "description": world.describe(scene, random),
        "question": question.text + pick(random, _SUFFIXES),
        "answer": question.answer,
        "shapes": shapes,
        "colours": colours,
        "facts": facts(scene),
    }


def _kinds(world: World) -> tuple[str, ...]:
    """Return what is asked of a world; what needs more than one attribute, which is learnt last, more often."""
    hard = [kind for kind in world.kinds if kind in ("existence", "relation check", "relation", "comparison")]
    return (*world.kinds, *hard)


def facts(scene: Scene) -> list[int]:
    """Return what holds (1), what does not (0) and what is not asked (-1) of shapes and colours together.

    In this order, a hundred each: shape i has colour j, shape i is left of shape j, above it, larger than it.
    Of colours only those are asked that are there, of shapes likewise; pairs kept from training are never asked.
    """
    table = np.full((4, len(SHAPES), len(SHAPES)), -1)
    names = list(COLOURS)
    things = [thing for thing in scene.things if thing.shape in SHAPES]
    held = {(thing.shape, thing.colour) for thing in things}
    for shape in {thing.shape for thing in things}:
        for colour in {thing.colour for thing in things}:
            if not held_out(shape, colour):
                table[0, SHAPES.index(shape), names.index(colour)] = (shape, colour) in held
    if len({thing.shape for thing in things}) == len(things):
        for one, other in permutations(things, 2):
            first, second = SHAPES.index(one.shape), SHAPES.index(other.shape)
            steps = (other.x - one.x) / APART, (other.y - one.y) / APART, np.log(one.radius / other.radius) / _LARGER
            for kind, step in enumerate(steps, 1):
                if abs(step) > 1:
                    table[kind, first, second] = step > 0
    return [int(value) for value in table.flatten()]


def patches(scene: Scene) -> tuple[list[int], list[int]]:
    """Return shape and colour in each patch of an 8 x 8 grid, row by row: 0 for none, else 1 + its number."""
    side = SIDE / PATCHES
    middles = (np.arange(PATCHES) + 0.5) * side
    shapes, colours = np.zeros((2, PATCHES, PATCHES), int)
    names = list(COLOURS)
    for thing in scene.things:
        if thing.shape in SHAPES:
            reach = max(0.9 * thing.radius, 0.55 * side)  # a small thing, too, is somewhere
            near = np.hypot(middles[None, :] - thing.x, middles[:, None] - thing.y) < reach
            shapes[near], colours[near] = 1 + SHAPES.index(thing.shape), 1 + names.index(thing.colour)
    return shapes.flatten().tolist(), colours.flatten().tolist()
