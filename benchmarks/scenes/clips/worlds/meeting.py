"""Meeting world: two things that come together and touch, or turn back before."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import Block, Clip
from mmbench.benchmarks.scenes.scene import SIDE, Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.vocabulary import COLOURS, held_out

_SHAPE = "circle"
"""Where the radii of round things meet, the things do."""
_WAY = (3, 2, 1, 0, 0, 1, 2, 3)
"""Steps from where they are nearest."""
_STEP = 14
_GAPS = {"yes": 0, "no": 18}
"""Pixels between the two where they are nearest."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two circles on one line; the middle frame shows whether they touch, so that a still is enough."""

    name: str = "clip meeting"
    size: int = 2 * len(_GAPS)

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        colours = [name for name in COLOURS if not held_out(_SHAPE, name)]
        one, other = (colours[place] for place in random.permutation(len(colours))[:2])
        radius, middle = stage.between(random, 20, 28), stage.near(random, SIDE / 2, SIDE / 2, 10)
        things = [stage.thing(random, (_SHAPE, colour), middle, radius) for colour in (one, other)]
        upright = streams.turn("axis", (False, True))
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        scenes: list[Scene] = []
        clips: list[Clip] = []
        for answer, gap in _GAPS.items():
            for side in (-1, 1):
                first = len(scenes)
                clips.append(Clip(tuple(first + steps for steps in _WAY), answer))
                for steps in range(max(_WAY) + 1):
                    away = side * (radius + gap / 2 + _STEP * steps)
                    pair = (_moved(things[0], away, upright), _moved(things[1], -away, upright))
                    scenes.append(replace(plain, things=pair))
        asked = f"do the {one} circle and the {other} circle touch?"
        return Block(tuple(scenes), tuple(clips), ("yes", "no"), asked)


def _moved(thing: Thing, by: float, upright: bool) -> Thing:
    return replace(thing, y=round(thing.y + by, 1)) if upright else replace(thing, x=round(thing.x + by, 1))
