"""Training pictures: an endless mixture of all worlds but the held-out ones, from seeds that no test uses."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmbench.benchmarks.scenes import data
from mmbench.benchmarks.scenes.cells import picture
from mmbench.benchmarks.scenes.labels import facts, patches
from mmbench.benchmarks.scenes.rows import TRAINING
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.worlds.arrow import Arrow
from mmbench.benchmarks.scenes.worlds.comparison import Comparison
from mmbench.benchmarks.scenes.worlds.count import Count
from mmbench.benchmarks.scenes.worlds.motion import Motion
from mmbench.benchmarks.scenes.worlds.pattern import Pattern
from mmbench.benchmarks.scenes.worlds.twins import Twins
from mmbench.benchmarks.scenes.worlds.world import World
from mmbench.benchmarks.scenes.worlds.writing import DIGIT, NUMBER, WORD
from mmbench.harness.errors import DataError
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell, Row

BLOCK = 512
"""Rows of a block."""
LEARNT = 1_125
"""Blocks of seed 0 from which tiny-coca learnt, 9,000 steps of 64; micro-coca learnt from the first 150 of them."""
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
"""Number of rows of each world in 128; both pictures of a twin are rows."""

COLUMNS = (
    *("id", "image", "caption", "negative", "description", "question", "answer"),
    *("shapes", "colours", "textures", "sizes", "facts"),
)


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
        draws = data.streams((TRAINING, seed), world, slot)
        scene = world.draw(draws)
        shown = [scene, world.twin(scene)] if isinstance(world, Twins) else [scene]
        for number, each in enumerate(shown):
            where = f"training scene {seed}:{block}:{slot}.{number}"
            yield Row({"id": f"{slot}.{number}", **_cells(world, each, draws, where)}, where, Path())


def pictures(blocks: int) -> Iterator[Image]:
    """Yield the pictures of the first blocks that the embedded models learnt from."""
    for block in range(blocks):
        yield from (row.cells["image"] for row in rows(0, block))


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
    return {
        "image": picture(scene, where),
        "caption": world.caption(scene, random),
        "negative": world.negative(scene, random),
        "description": world.describe(scene, random),
        "question": question.text + pick(random, _SUFFIXES),
        "answer": question.answer,
        **patches(scene),
        "facts": facts(scene, random),
    }


def _kinds(world: World) -> tuple[str, ...]:
    """Return what is asked of a world; what needs more than one attribute, which is learnt last, more often."""
    hard = [kind for kind in world.kinds if kind in ("existence", "relation check", "relation", "comparison")]
    return (*world.kinds, *hard)
