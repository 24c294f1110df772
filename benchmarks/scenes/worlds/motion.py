"""Motion world: a moving thing as a four-frame clip, also as one picture of two by two panels."""

from dataclasses import dataclass, replace

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, a, framed, noun, options, other
from mmbench.benchmarks.scenes.scene import SIDE, Bar, Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, DIRECTIONS, SHAPES

FRAMES = 4
_STEPS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
_LINE = (20, 20, 20)
_HALF = SIDE // 2


@dataclass(frozen=True, slots=True)
class Motion:
    """A thing that moves in one of four directions; the panels are read like a page, row by row."""

    name: str = "motion"
    kinds: tuple[str, ...] = ("motion",)

    def draw(self, streams: Streams) -> Scene:
        """Return the four frames as one picture."""
        random = streams.content
        shape = streams.turn("shape", SHAPES)
        colour = stage.seen(shape, streams.turn("colour", tuple(COLOURS)))
        across, down = _STEPS[streams.turn("direction", DIRECTIONS)]
        step = stage.between(random, 12, 18)
        # The middle of the way is anywhere, so that no single frame tells the direction.
        x, y = stage.near(random, _HALF / 2, _HALF / 2, 9)
        first = stage.thing(random, (shape, colour), (x, y), stage.between(random, 12, 17))
        things = tuple(
            replace(
                first,
                x=round(x + across * step * (frame - 1.5) + _HALF * (frame % 2), 1),
                y=round(y + down * step * (frame - 1.5) + _HALF * (frame // 2), 1),
            )
            for frame in range(FRAMES)
        )
        lines = (Bar(_HALF - 1, 0, _HALF + 1, SIDE, _LINE), Bar(0, _HALF - 1, SIDE, _HALF + 1, _LINE))
        return Scene(stage.background(random), things, bars=lines, nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return where it moves."""
        return _sentence(scene.things[0], direction(scene), random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""
        thing = scene.things[0]
        return framed(random, f"{a(noun(thing, ('colour', 'shape')))} moving {direction(scene)}")

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return another direction."""
        return _sentence(scene.things[0], other(random, DIRECTIONS, direction(scene)), random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return the question where it moves."""
        text = pick(random, (f"which way does the {scene.things[0].shape} move?", "which way does it move?"))
        return Question(kind, text, direction(scene), options(random, direction(scene), DIRECTIONS))


def frames(scene: Scene) -> list[Scene]:
    """Return each frame as a picture of its own, twice as large as its panel."""
    found = []
    for frame, thing in enumerate(scene.things):
        x, y = thing.x - _HALF * (frame % 2), thing.y - _HALF * (frame // 2)
        whole = replace(thing, x=2 * x, y=2 * y, radius=2 * thing.radius)
        nuisance = replace(scene.nuisance, seed=scene.nuisance.seed ^ (frame + 1))
        found.append(replace(scene, things=(whole,), bars=()).under(nuisance))
    return found


def direction(scene: Scene) -> str:
    """Return where the thing moves."""
    first, second = scene.things[:2]
    across, down = second.x - _HALF - first.x, second.y - first.y
    if abs(across) > abs(down):
        return "right" if across > 0 else "left"
    return "down" if down > 0 else "up"


def _sentence(thing: Thing, where: str, random: np.random.Generator) -> str:
    named = pick(random, (f"{thing.colour} {thing.shape}", thing.shape, "object", "shape"))
    return framed(random, f"{a(named)} moving {where}")
