"""Hiding world: a thing goes behind a wall and comes out on the other side, or where it went in."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import FRAMES, Block, Clip
from mmbench.benchmarks.scenes.scene import SIDE, Bar, Scene
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.vocabulary import COLOURS, SHAPES

_STEPS = 3
"""Frames before it is hidden, and after."""
_WALL = (70, 70, 70)


@dataclass(frozen=True, slots=True)
class Hiding:
    """A thing and a wall in the middle.

    Each side is seen as often before and after, whatever the answer, so that no single frame tells it; both sides
    among the frames do.
    """

    name: str = "clip hiding"
    size: int = 4

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        shape = streams.turn("shape", SHAPES)
        colour = stage.seen(shape, streams.turn("colour", tuple(COLOURS)))
        radius, height = stage.between(random, 18, 24), stage.between(random, 50, SIDE - 50)
        thing = stage.thing(random, (shape, colour), (SIDE / 2, height), radius)
        half = round(radius * 1.12) + 3
        wall = Bar(SIDE // 2 - half, 0, SIDE // 2 + half, SIDE, _WALL)
        plain = Scene(stage.background(random), bars=(wall,), nuisance=stage.everyday(streams.nuisance))
        # From the edge of the picture to half behind the wall.
        ways = [radius, (radius + SIDE / 2 - half) / 2, SIDE / 2 - half]
        places = [*ways, SIDE / 2, *(SIDE - way for way in reversed(ways))]
        scenes = tuple(replace(plain, things=(replace(thing, x=round(place, 1)),)) for place in places)
        hidden = (_STEPS,) * (FRAMES - 2 * _STEPS)
        left, right = tuple(range(_STEPS)), tuple(range(2 * _STEPS, _STEPS, -1))
        clips = tuple(
            Clip((*before, *hidden, *after[::-1]), "no" if before is after else "yes")
            for before in (left, right)
            for after in (left, right)
        )
        return Block(scenes, clips, ("yes", "no"), f"does the {shape} come out on the other side of the wall?")
