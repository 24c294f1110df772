"""Count world: one to six equal things of varying size, so that the coloured area says little about their number."""

from dataclasses import dataclass

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, framed, options, other
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, NUMBERS, SHAPES


@dataclass(frozen=True, slots=True)
class Count:
    """Up to six things of one shape and colour."""

    name: str = "count"
    kinds: tuple[str, ...] = ("count",)

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        count = streams.turn("count", range(1, 1 + len(NUMBERS)))
        shape = streams.turn("shape", SHAPES)
        name = shape, stage.seen(shape, streams.turn("colour", tuple(COLOURS)))
        reach = stage.between(random, 15, 28)
        things = tuple(
            stage.thing(random, name, stage.at_cell(random, cell, 7), stage.between(random, 0.8 * reach, reach))
            for cell in random.permutation(9)[:count].tolist()
        )
        return Scene(stage.background(random), things, nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a true sentence that names the number."""
        return _sentence(scene, len(scene.things), random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""
        thing, number = scene.things[0], len(scene.things)
        return framed(random, f"{NUMBERS[number - 1]} {_plural(f'{thing.colour} {thing.shape}', number)}")

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence with another number, mostly a near one."""
        number = len(scene.things)
        near = [each for each in (number - 1, number + 1) if 1 <= each <= len(NUMBERS)]
        wrong = (
            pick(random, near)
            if random.random() < 0.7
            else 1 + NUMBERS.index(other(random, NUMBERS, NUMBERS[number - 1]))
        )
        return _sentence(scene, wrong, random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return how many there are."""
        thing, answer = scene.things[0], NUMBERS[len(scene.things) - 1]
        named = pick(random, (_plural(thing.shape, 2), "objects", "shapes"))
        return Question(kind, f"how many {named} are there?", answer, options(random, answer, NUMBERS))


def _sentence(scene: Scene, number: int, random: np.random.Generator) -> str:
    thing = scene.things[0]
    named = pick(random, (f"{thing.colour} {thing.shape}", thing.shape, "object", "shape"))
    return framed(random, f"{NUMBERS[number - 1]} {_plural(named, number)}")


def _plural(name: str, number: int) -> str:
    """Return a noun for a number of things.

    >>> _plural("cross", 2), _plural("star", 3), _plural("star", 1)
    ('crosses', 'stars', 'star')
    """
    return name if number == 1 else f"{name}es" if name.endswith("s") else f"{name}s"
