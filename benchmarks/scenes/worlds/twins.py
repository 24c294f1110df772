"""Twin world: two things, and the same two with places or colours exchanged, which a bag of words cannot separate."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, a, framed, noun
from mmbench.benchmarks.scenes.scene import SIDE, Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import RELATIONS
from mmbench.benchmarks.scenes.worlds.many import checked, existence, relations, worded

_TOLD = ("colour", "shape")


@dataclass(frozen=True, slots=True)
class Twins:
    """Two things one beside or above the other; `twin` exchanges what the world is about."""

    name: str
    about: Literal["relation", "binding"]
    """`relation`: places are exchanged, `binding`: colours are."""
    kinds: tuple[str, ...] = ("relation check", "colour", "shape", "existence")

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers; the first thing stands in the relation whose turn it is."""
        random = streams.content
        relation = streams.turn("relation", RELATIONS)
        apart = stage.between(random, 74, 128) / 2
        sign = -1 if relation in ("left of", "above") else 1
        across, down = (sign * apart, 0.0) if relation in RELATIONS[:2] else (0.0, sign * apart)
        middle = stage.near(random, SIDE / 2, SIDE / 2, 16)
        things = tuple(
            stage.thing(
                random,
                name,
                stage.near(random, middle[0] + side * across, middle[1] + side * down, 8),
                stage.between(random, 20, 32),
            )
            for name, side in zip(stage.names(random, 2, swapped=True), (1, -1), strict=True)
        )
        return Scene(stage.background(random), things, nuisance=stage.everyday(streams.nuisance))

    def twin(self, scene: Scene) -> Scene:
        """Return the same scene with places or colours exchanged."""
        one, second = scene.things
        if self.about == "relation":
            things = (replace(one, x=second.x, y=second.y), replace(second, x=one.x, y=one.y))
        else:
            things = (
                replace(one, colour=second.colour, tint=second.tint),
                replace(second, colour=one.colour, tint=one.tint),
            )
        # Its own noise: what two pictures share but the scene must not tell that they are twins.
        return replace(scene, things=things).under(replace(scene.nuisance, seed=scene.nuisance.seed ^ 1))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a true sentence, of the very words of `negative` when both are asked with equal random numbers."""
        return self._sentence(scene, random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""
        one, second = scene.things if random.random() < 0.5 else reversed(scene.things)
        return framed(
            random, f"{a(noun(one, _TOLD))} {worded(_relation(one, second), random)} {a(noun(second, _TOLD))}"
        )

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return the caption of the twin."""
        return self._sentence(self.twin(scene), random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return a question of a kind."""
        one, second = scene.things
        if kind == "relation check":
            return checked(one, _relation(one, second), second, random)
        if kind == "existence":
            return existence(scene, random)
        thing, beside = (one, second) if random.random() < 0.5 else (second, one)
        if kind == "colour":
            return Question(kind, f"what color is the {thing.shape}?", thing.colour, (thing.colour, beside.colour))
        return Question(kind, f"what shape is the {thing.colour} object?", thing.shape, (thing.shape, beside.shape))

    def _sentence(self, scene: Scene, random: np.random.Generator) -> str:
        one, second = scene.things
        if self.about == "binding":
            return framed(random, f"{a(noun(one, _TOLD))} and {a(noun(second, _TOLD))}")
        # Only the relation's axis is taken from the scene, so that a scene and its twin are told in the same words.
        axis = RELATIONS[:2] if abs(one.x - second.x) > abs(one.y - second.y) else RELATIONS[2:]
        relation = pick(random, axis)
        wording = worded(relation, random)
        first, last = (one, second) if relation in relations(one, second) else (second, one)
        return framed(random, f"{a(noun(first, _TOLD))} {wording} {a(noun(last, _TOLD))}")


def _relation(one: Thing, second: Thing) -> str:
    across, down = abs(one.x - second.x), abs(one.y - second.y)
    held = relations(one, second)
    return next(relation for relation in held if (relation in RELATIONS[:2]) == (across > down))
