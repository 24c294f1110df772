"""Comparison world: two things of which one is clearly larger."""

from dataclasses import dataclass

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, a, noun
from mmbench.benchmarks.scenes.scene import Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.worlds.many import compared

_TOLD = ("colour", "shape")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two different things; the radius of the larger is at least 1.35 times the other's."""

    name: str = "comparison"
    kinds: tuple[str, ...] = ("comparison",)

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        small = stage.between(random, 14, 28)
        large = round(small * random.uniform(1.35, 1.9), 1)
        radii = (
            (small, large) if streams.turn("order", ("small first", "large first")) == "small first" else (large, small)
        )
        cells = (0, 2, 6, 8)
        first, second = random.permutation(4)[:2].tolist()
        things = tuple(
            stage.thing(random, name, stage.at_cell(random, cells[corner], 8), radius)
            for name, radius, corner in zip(stage.names(random, 2), radii, (first, second), strict=True)
        )
        return Scene(stage.background(random), things, nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return which is larger."""
        return _sentence(*_by_size(scene), random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""
        small, large = _by_size(scene)
        return f"{a(noun(large, _TOLD))} is larger than {a(noun(small, _TOLD))}."

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return the wrong one as larger."""
        small, large = _by_size(scene)
        return _sentence(large, small, random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return which is larger, or smaller."""
        return compared(*_by_size(scene), random)


def _by_size(scene: Scene) -> tuple[Thing, Thing]:
    one, second = scene.things
    return (one, second) if one.radius < second.radius else (second, one)


def _sentence(small: Thing, large: Thing, random: np.random.Generator) -> str:
    if random.random() < 0.5:
        return f"the {large.shape} is larger than the {small.shape}."
    return f"the {small.shape} is smaller than the {large.shape}."
