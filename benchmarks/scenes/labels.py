"""Numeric labels of a scene, for the auxiliary losses that help a small model learn from few pictures."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from mmbench.benchmarks.scenes.scene import SIDE, Scene, Thing
from mmbench.benchmarks.scenes.streams import pick
from mmbench.benchmarks.scenes.vocabulary import (
    COLOURS,
    DIRECTIONS,
    LOCATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    WORDS,
    held_out,
)
from mmbench.benchmarks.scenes.worlds import arrow, motion, pattern
from mmbench.benchmarks.scenes.worlds.many import APART

PATCHES = 8
"""Rows and columns of the grid over which patches say what is where."""
NOT_ASKED = -1

_COLOURS = tuple(COLOURS)
_LARGER = 0.25
"""Logarithm of the least ratio of radii that makes one thing larger."""
_DIGITS = tuple("0123456789")
_TOGETHER = ("has", "left of", "above", "larger than")
"""Relations of a shape to a colour, and to another shape: a hundred facts each."""
_ALONE: Sequence[tuple[str, Sequence[str]]] = (
    ("shape", SHAPES),
    ("colour", _COLOURS),
    ("size", SIZES),
    ("texture", TEXTURES),
    ("location", LOCATIONS),
    ("count", ("1", "2", "3", "4", "5", "6")),
    ("word", WORDS),
    ("digit", _DIGITS),
    ("tens", _DIGITS),
    ("ones", _DIGITS),
    ("arrow", DIRECTIONS),
    ("motion", DIRECTIONS),
    ("symmetry", pattern.CLASSES),
)
"""Attributes of a picture with one value: a fact for each value."""


def patches(scene: Scene) -> dict[str, list[int]]:
    """Return what lies in each patch of an 8 x 8 grid, row by row, as 0 for nothing, else 1 + its number.

    Keys: shapes, colours, textures and sizes.
    """
    side = SIDE / PATCHES
    middles = (np.arange(PATCHES) + 0.5) * side
    grid = np.zeros((4, PATCHES, PATCHES), int)
    for thing in scene.things:
        if thing.shape in SHAPES:
            reach = max(0.9 * thing.radius, 0.55 * side)  # a small thing, too, is somewhere
            near = np.hypot(middles[None, :] - thing.x, middles[:, None] - thing.y) < reach
            grid[:, near] = 1 + np.array([_numbers(thing)]).T
    return dict(zip(("shapes", "colours", "textures", "sizes"), grid.reshape(4, -1).tolist(), strict=True))


def _numbers(thing: Thing) -> list[int]:
    size = SIZES.index(thing.size) if thing.size else -1
    return [SHAPES.index(thing.shape), _COLOURS.index(thing.colour), TEXTURES.index(thing.texture), size]


def facts(scene: Scene, random: np.random.Generator) -> list[int]:
    """Return what holds of a picture (1), what does not (0) and what is not asked (-1), always in the same order.

    Of shapes and colours together all is asked whose parts are there, but for pairs kept from training. Of an attribute
    with one value, that and another one: as many answers are yes as no.
    """
    found = [int(value) for value in _together(scene).flatten()]
    held = _alone(scene)
    for name, values in _ALONE:
        asked = [NOT_ASKED] * len(values)
        if name in held:
            asked[values.index(held[name])] = 1
            asked[values.index(pick(random, [value for value in values if value != held[name]]))] = 0
        found += asked
    return found


def _together(scene: Scene) -> np.ndarray:
    table = np.full((len(_TOGETHER), len(SHAPES), len(SHAPES)), NOT_ASKED)
    things = [thing for thing in scene.things if thing.shape in SHAPES]
    pairs = {(thing.shape, thing.colour) for thing in things}
    for shape in {thing.shape for thing in things}:
        for colour in {thing.colour for thing in things}:
            if not held_out(shape, colour):
                table[0, SHAPES.index(shape), _COLOURS.index(colour)] = (shape, colour) in pairs
    if len({thing.shape for thing in things}) < len(things):
        return table
    for one, other in permutations(things, 2):
        steps = (other.x - one.x) / APART, (other.y - one.y) / APART, np.log(one.radius / other.radius) / _LARGER
        for kind, step in enumerate(steps, 1):
            if abs(step) > 1:
                table[kind, SHAPES.index(one.shape), SHAPES.index(other.shape)] = step > 0
    return table


def _alone(scene: Scene) -> dict[str, str]:
    if scene.blocks is not None:
        return {"symmetry": pattern.symmetry(scene)}
    return _text(scene.writing.text) if scene.writing is not None else _things(scene)


def _text(text: str) -> dict[str, str]:
    if text in WORDS:
        return {"word": text}
    return {"digit": text} if len(text) == 1 else {"tens": text[0], "ones": text[1]}


def _things(scene: Scene) -> dict[str, str]:
    first = scene.things[0]
    if first.shape == "arrow":
        return {"arrow": arrow.direction(scene)}
    name = {"shape": first.shape, "colour": first.colour}
    if scene.bars:
        return {"motion": motion.direction(scene), **name}
    held = {"count": str(len(scene.things))}
    if len({(thing.shape, thing.colour) for thing in scene.things}) == 1:
        held |= name
    if len(scene.things) == 1 and first.size and first.cell is not None:
        held |= {"size": first.size, "texture": first.texture, "location": LOCATIONS[first.cell]}
    return held
