"""Many world: two to four things that share neither shape nor colour, so that every question has one answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, a, framed, listed, noun, options, other
from mmbench.benchmarks.scenes.scene import Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import (
    COLOURS,
    LOCATIONS,
    NUMBERS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    held_out,
)
from mmbench.benchmarks.scenes.worlds.world import yes_or_no

RADII = {"small": (14, 18), "large": (25, 30)}
APART = 40
"""Pixels by which a thing must lie further to a side to be called left of another, and so on."""


@dataclass(frozen=True, slots=True)
class Many:
    """Two to four different things in different cells of the grid."""

    name: str = "many"
    kinds: tuple[str, ...] = (
        *("shape", "colour", "size", "texture", "count", "location", "relation", "comparison"),
        *("existence", "relation check"),
    )

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        count = streams.turn("count", (2, 3, 4))
        cells = sorted(random.permutation(9)[:count].tolist())
        things = tuple(_thing(random, name, cell) for name, cell in zip(stage.names(random, count), cells, strict=True))
        return Scene(stage.background(random), things, nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a true sentence that need not tell everything, but names all things or how two stand."""
        if random.random() < 0.3:
            one, relation, second = pick(random, related(scene))
            told = {"shape", "colour"}
            return framed(random, f"{a(noun(one, told))} {worded(relation, random)} {a(noun(second, told))}")
        return _listed(scene, random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that names all things, row by row."""
        return framed(random, listed([a(noun(thing)) for thing in scene.things]))

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that is nearly true."""
        if random.random() < 0.35:
            one, relation, second = pick(random, related(scene))
            told = {"shape", "colour"}
            return framed(random, f"{a(noun(second, told))} {worded(relation, random)} {a(noun(one, told))}")
        return _listed(_wrong(scene, random), random, {"colour", "shape"})

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question | None:
        """Return a question of a kind, None where the scene allows none."""
        return _ASK[kind](scene, random)


def _thing(random: np.random.Generator, name: tuple[str, str], cell: int) -> Thing:
    size = pick(random, SIZES)
    return stage.thing(
        random,
        name,
        stage.at_cell(random, cell, 6),
        stage.between(random, *RADII[size]),
        size=size,
        texture=pick(random, TEXTURES),
        cell=cell,
    )


def _listed(scene: Scene, random: np.random.Generator, told: set[str] | None = None) -> str:
    extra = {key for key in ("size", "texture") if random.random() < 0.4}
    phrases = [a(noun(thing, {"shape", "colour"} | extra | (told or set()))) for thing in scene.things]
    return framed(random, listed([phrases[i] for i in random.permutation(len(phrases))]))


def _wrong(scene: Scene, random: np.random.Generator) -> Scene:
    """Return the scene with two colours exchanged, or with one thing of another shape or colour."""
    things = list(scene.things)
    first, second = random.permutation(len(things))[:2]
    if random.random() < 0.6:
        pair = things[first], things[second]
        if not held_out(pair[0].shape, pair[1].colour) and not held_out(pair[1].shape, pair[0].colour):
            things[first] = replace(pair[0], colour=pair[1].colour)
            things[second] = replace(pair[1], colour=pair[0].colour)
            return replace(scene, things=tuple(things))
    while True:
        kind = pick(random, ("shape", "colour"))
        values = SHAPES if kind == "shape" else tuple(COLOURS)
        changed = replace(things[first], **{kind: other(random, values, *(getattr(each, kind) for each in things))})
        if not held_out(changed.shape, changed.colour):
            things[first] = changed
            return replace(scene, things=tuple(things))


def relations(one: Thing, second: Thing) -> list[str]:
    """Return in which of `RELATIONS` the first stands to the second."""
    across, down = one.x - second.x, one.y - second.y
    held = (across < -APART, across > APART, down < -APART, down > APART)
    return [relation for relation, holds in zip(RELATIONS, held, strict=True) if holds]


def related(scene: Scene) -> list[tuple[Thing, str, Thing]]:
    """Return all (thing, relation, other thing) that hold."""
    return [
        (one, relation, second)
        for one in scene.things
        for second in scene.things
        if one is not second
        for relation in relations(one, second)
    ]


def worded(relation: str, random: np.random.Generator) -> str:
    """Return a relation in one of its wordings."""
    said = {
        "left of": ("left of", "to the left of"),
        "right of": ("right of", "to the right of"),
        "above": ("above",),
        "below": ("below", "under"),
    }
    return pick(random, said[relation])


def _shape(scene: Scene, random: np.random.Generator) -> Question:
    thing = pick(random, scene.things)
    text = pick(random, ("what shape is the {} object?", "what is the shape of the {} object?"))
    shapes = [each.shape for each in scene.things]
    return Question("shape", text.format(thing.colour), thing.shape, options(random, thing.shape, SHAPES, shapes))


def _colour(scene: Scene, random: np.random.Generator) -> Question:
    thing = pick(random, scene.things)
    text = pick(random, ("what color is the {}?", "what is the color of the {}?"))
    colours = [each.colour for each in scene.things]
    chosen = options(random, thing.colour, tuple(COLOURS), colours)
    return Question("colour", text.format(thing.shape), thing.colour, chosen)


def _named(thing: Thing, random: np.random.Generator) -> str:
    return pick(random, (thing.shape, f"{thing.colour} object", f"{thing.colour} {thing.shape}"))


def _size(scene: Scene, random: np.random.Generator) -> Question:
    thing = pick(random, scene.things)
    return Question("size", f"is the {_named(thing, random)} small or large?", thing.size, SIZES)


def _texture(scene: Scene, random: np.random.Generator) -> Question:
    thing = pick(random, scene.things)
    chosen = options(random, thing.texture, TEXTURES)
    return Question("texture", f"what pattern is on the {_named(thing, random)}?", thing.texture, chosen)


def _count(scene: Scene, random: np.random.Generator) -> Question:
    text = pick(random, ("how many objects are there?", "how many shapes are there?"))
    return Question(
        "count", text, NUMBERS[len(scene.things) - 1], options(random, NUMBERS[len(scene.things) - 1], NUMBERS[1:4])
    )


def _location(scene: Scene, random: np.random.Generator) -> Question:
    thing = pick(random, scene.things)
    answer = LOCATIONS[thing.cell or 0]
    taken = [LOCATIONS[each.cell or 0] for each in scene.things]
    return Question(
        "location", f"where is the {_named(thing, random)}?", answer, options(random, answer, LOCATIONS, taken)
    )


def _relation(scene: Scene, random: np.random.Generator) -> Question | None:
    # With two things the answer is the other one, whatever the relation.
    if len(scene.things) < 3:
        return None
    stands: dict[tuple[str, str], list[Thing]] = {}
    for one, relation, second in related(scene):
        stands.setdefault((relation, second.shape), []).append(one)
    only = [(key, things[0]) for key, things in stands.items() if len(things) == 1]
    if not only:
        return None
    (relation, beside), thing = pick(random, only)
    text = f"what shape is {worded(relation, random)} the {beside}?"
    shapes = [each.shape for each in scene.things if each.shape != beside]
    return Question("relation", text, thing.shape, options(random, thing.shape, SHAPES, shapes))


def _comparison(scene: Scene, random: np.random.Generator) -> Question | None:
    sizes = {size: [thing for thing in scene.things if thing.size == size] for size in SIZES}
    if not all(sizes.values()):
        return None
    small, large = (pick(random, sizes[size]) for size in SIZES)
    return compared(small, large, random)


def compared(small: Thing, large: Thing, random: np.random.Generator) -> Question:
    """Return the question which of two things is larger, or smaller."""
    asked, thing = pick(random, (("larger", large), ("smaller", small)))
    first, second = (small, large) if random.random() < 0.5 else (large, small)
    text = f"which is {asked}, the {first.shape} or the {second.shape}?"
    return Question("comparison", text, thing.shape, (first.shape, second.shape))


def turned(question: Question) -> Question:
    """Return a question of `compared` that names its two things, and offers them, the other way round."""
    first, second = question.options
    text = question.text.replace(f"the {first} or the {second}", f"the {second} or the {first}")
    return replace(question, text=text, options=(second, first))


def existence(scene: Scene, random: np.random.Generator) -> Question:
    """Return the question whether something is there.

    Half are; of the rest most are of a shape and of a colour that are there, but apart.
    """
    if random.random() < 0.5:
        shown = pick(random, scene.things)
        return yes_or_no("existence", f"is there {a(noun(shown, ('colour', 'shape')))}?", true=True)
    apart = [
        (one.shape, second.colour)
        for one in scene.things
        for second in scene.things
        if one is not second and not held_out(one.shape, second.colour)
    ]
    if random.random() < 0.7 and apart:
        shape, colour = pick(random, apart)
    else:
        shape = other(random, SHAPES, *(thing.shape for thing in scene.things))
        colour = other(random, [name for name in COLOURS if not held_out(shape, name)])
    return yes_or_no("existence", f"is there {a(f'{colour} {shape}')}?", true=False)


def _relation_check(scene: Scene, random: np.random.Generator) -> Question:
    return checked(*pick(random, related(scene)), random)


def checked(one: Thing, relation: str, second: Thing, random: np.random.Generator) -> Question:
    """Return the question whether a true relation holds, in half of the cases the wrong way round."""
    true = bool(random.random() < 0.5)
    first, last = (one, second) if true else (second, one)
    text = f"is the {first.shape} {worded(relation, random)} the {last.shape}?"
    return yes_or_no("relation check", text, true=true)


_ASK: Mapping[str, Callable[[Scene, np.random.Generator], Question | None]] = {
    "shape": _shape,
    "colour": _colour,
    "size": _size,
    "texture": _texture,
    "count": _count,
    "location": _location,
    "relation": _relation,
    "comparison": _comparison,
    "existence": existence,
    "relation check": _relation_check,
}
