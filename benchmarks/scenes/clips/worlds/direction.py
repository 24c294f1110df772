"""Direction world: a thing that goes to one side, leaves the picture, and comes in again from the other."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import Block, laps
from mmbench.benchmarks.scenes.scene import SIDE, Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, SHAPES

_STATES = 4
_SIDES = {"across": ("left", "right"), "along": ("up", "down")}


@dataclass(frozen=True, slots=True)
class Direction:
    """A thing on a closed course of four places, of which a little lies out of view."""

    name: str = "clip direction"
    size: int = 2 * _STATES

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        shape = streams.turn("shape", SHAPES)
        colour = stage.seen(shape, streams.turn("colour", tuple(COLOURS)))
        axis = streams.turn("axis", tuple(_SIDES))
        first = stage.thing(random, (shape, colour), (0, 0), stage.between(random, 22, 30))
        hidden = first.radius * 1.12
        step = (SIDE + 2 * hidden) / _STATES
        begin, lane = random.uniform(0, step), stage.between(random, 60, SIDE - 60)
        ways = [round(begin + step * place - hidden, 1) for place in range(_STATES)]
        things = [replace(first, x=way, y=lane) if axis == "across" else replace(first, x=lane, y=way) for way in ways]
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        back, forward = _SIDES[axis]
        return Block(
            tuple(replace(plain, things=(thing,)) for thing in things),
            laps(_STATES, forward, back),
            streams.turn("options", ((back, forward), (forward, back))),
            pick(streams.language, (f"which way does the {shape} move?", "which way does it move?")),
        )
