"""Arrow world: one arrow that points in some direction."""

from dataclasses import dataclass

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, framed, options, other
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, DIRECTIONS

_TURNS = {"right": 0, "up": 90, "left": 180, "down": 270}


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow within 15 degrees of one of four directions."""

    name: str = "arrow"
    kinds: tuple[str, ...] = ("orientation",)

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        turn = _TURNS[streams.turn("direction", DIRECTIONS)] + stage.between(random, -15, 15)
        where = stage.at_cell(random, int(random.integers(9)), 7)
        name = "arrow", streams.turn("colour", tuple(COLOURS))
        arrow = stage.thing(random, name, where, stage.between(random, 28, 46), turn=round(turn, 1))
        return Scene(stage.background(random), (arrow,), nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return where it points."""
        return _sentence(direction(scene), scene.things[0].colour, random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""
        return framed(random, f"{_article(scene.things[0].colour)} arrow pointing {direction(scene)}")

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return another direction."""
        return _sentence(other(random, DIRECTIONS, direction(scene)), scene.things[0].colour, random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return the question where it points."""
        text = pick(random, ("which way does the arrow point?", "where does the arrow point?"))
        return Question(kind, text, direction(scene), options(random, direction(scene), DIRECTIONS))


def direction(scene: Scene) -> str:
    """Return where the arrow points."""
    turn = scene.things[0].turn
    return min(_TURNS, key=lambda name: abs((turn - _TURNS[name] + 180) % 360 - 180))


def _sentence(where: str, colour: str, random: np.random.Generator) -> str:
    named = "an arrow" if random.random() < 0.6 else f"{_article(colour)} arrow"
    return framed(random, f"{named} pointing {where}")


def _article(colour: str) -> str:
    return f"{'an' if colour == 'orange' else 'a'} {colour}"
