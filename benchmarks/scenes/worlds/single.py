"""Single world: one thing of any size, texture, colour and shape; also occluded, or in a held-out combination."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, a, framed, noun, options, other, place
from mmbench.benchmarks.scenes.scene import Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, LOCATIONS, SHAPES, SIZES, TEXTURES, held_out
from mmbench.benchmarks.scenes.worlds.world import yes_or_no

RADII = {"small": (18, 26), "large": (36, 48)}

_VALUES = {"shape": SHAPES, "colour": tuple(COLOURS), "size": SIZES, "texture": TEXTURES}
_ASKED = {
    "shape": ("what shape is it?", "what is the shape of the object?"),
    "colour": ("what color is it?", "what color is the {}?"),
    "size": ("is it small or large?", "is the {} small or large?"),
    "texture": ("what pattern is on it?", "what pattern is on the {}?"),
    "location": ("where is it?", "where is the {}?"),
}
_TOLD = {
    "colour": ("the object is {}.", "the shape is {}.", "a shape that is {}."),
    "size": ("the object is {}.", "the shape is {}.", "a shape that is {}."),
    "texture": ("the object is {}.", "the shape is {}.", "a shape that is {}."),
    "location": ("the object is {}.", "a shape {}.", "an object {}."),
}


@dataclass(frozen=True, slots=True)
class Single:
    """One thing in one of nine places."""

    name: str = "single"
    pairs: str = "seen"
    """Which pairs of shape and colour: `seen` ones, or `half`, every second one kept from training."""
    hidden: tuple[float, float] | None = None
    """Range of the share that a bar hides; None: nothing."""
    kinds: tuple[str, ...] = ("shape", "colour", "size", "texture", "location", "existence")

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        shape = streams.turn("shape", SHAPES)
        if self.pairs == "half" and streams.turn("pairs", ("seen", "held out")) == "held out":
            colour = next(name for name in COLOURS if held_out(shape, name))
        else:
            colour = stage.seen(shape, streams.turn("colour", tuple(COLOURS)))
        size = "large" if self.hidden else streams.turn("size", SIZES)
        cell = streams.turn("location", range(len(LOCATIONS)))
        thing = stage.thing(
            random,
            (shape, colour),
            stage.at_cell(random, cell, 7),
            stage.between(random, *RADII[size]),
            size=size,
            texture=streams.turn("texture", TEXTURES),
            cell=cell,
        )
        scene = Scene(stage.background(random), (thing,), nuisance=stage.everyday(streams.nuisance))
        if self.hidden is None:
            return scene
        share = round(float(streams.nuisance.uniform(*self.hidden)), 3)
        return scene.under(replace(scene.nuisance, occlusion=share))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a true sentence that need not tell everything."""
        return _sentence(scene.things[0], random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""
        thing = scene.things[0]
        return framed(random, f"{a(noun(thing))} {place(_cell(thing))}")

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that is nearly true."""
        # The same random numbers word the true and the false sentence; one that does not tell the difference is redone.
        thing = scene.things[0]
        while True:
            seed = int(random.integers(1 << 31))
            changed = _changed(thing, random)
            wrong = _sentence(changed, np.random.default_rng(seed))
            # A plain thing's name leaves its texture out, and is true of every other one.
            silent = changed.texture == "plain" != thing.texture and "plain" not in wrong
            if not silent and wrong != _sentence(thing, np.random.default_rng(seed)):
                return wrong

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return a question of a kind."""
        thing = scene.things[0]
        if kind == "existence":
            return _existence(thing, random)
        text = pick(random, _ASKED[kind]).format(thing.shape)
        values = LOCATIONS if kind == "location" else _VALUES[kind]
        answer = LOCATIONS[_cell(thing)] if kind == "location" else getattr(thing, kind)
        return Question(kind, text, answer, options(random, answer, values))


def _sentence(thing: Thing, random: np.random.Generator) -> str:
    if random.random() < 0.25:
        kind = pick(random, tuple(_TOLD))
        value = place(_cell(thing)) if kind == "location" else getattr(thing, kind)
        return pick(random, _TOLD[kind]).format(value)
    told = {"shape"} | {key for key in ("size", "texture", "colour") if random.random() < 0.6}
    if random.random() < 0.15:
        told.discard("shape")
    phrase = a(noun(thing, told, pick(random, ("shape", "object"))))
    return framed(random, f"{phrase} {place(_cell(thing))}" if random.random() < 0.5 else phrase)


def _changed(thing: Thing, random: np.random.Generator) -> Thing:
    kind = pick(random, ("shape", "colour", "size", "texture", "location"))
    if kind == "location":
        return replace(thing, cell=(_cell(thing) + 1 + int(random.integers(8))) % 9)
    change: dict[str, Any] = {kind: other(random, _VALUES[kind], getattr(thing, kind))}
    changed = replace(thing, **change)
    # A pair kept from training would else be learnt as one that is never true.
    return _changed(thing, random) if held_out(changed.shape, changed.colour) else changed


def _existence(thing: Thing, random: np.random.Generator) -> Question:
    true = bool(random.random() < 0.5)
    shown = thing
    while not true and (shown.shape, shown.colour) == (thing.shape, thing.colour):
        shown = _changed(thing, random)
    return yes_or_no("existence", f"is there {a(noun(shown, ('colour', 'shape')))}?", true=true)


def _cell(thing: Thing) -> int:
    if thing.cell is None:
        raise ValueError("this thing stands in no cell of the grid")
    return thing.cell
