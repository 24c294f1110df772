"""Speed world: two things go the same way, one twice as fast as the other."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import FRAMES, Block, Clip
from mmbench.benchmarks.scenes.scene import SIDE, Scene
from mmbench.benchmarks.scenes.streams import Streams

_PLACES = 5
_LANES = (68, 156)
_SIDES = (-1, 1)


@dataclass(frozen=True, slots=True)
class Speed:
    """Two things on closed courses, one above the other.

    A pair of places is shown at each moment as often with either of them the faster, since clips begin at all pairs
    whose places add up to the same. Which places are passed, in whatever order, does tell.
    """

    name: str = "clip speed"
    size: int = 2 * _PLACES

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        names = stage.names(random, 2)
        radius = stage.between(random, 22, 28)
        hidden = radius * 1.12
        step = (SIDE + 2 * hidden) / _PLACES
        lanes = streams.turn("lanes", (_LANES, _LANES[::-1]))
        begin = random.uniform(0, step, 2).tolist()
        things = [
            stage.thing(random, name, (0, stage.between(random, lane - 8, lane + 8)), radius)
            for name, lane in zip(names, lanes, strict=True)
        ]
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        scenes = tuple(
            replace(
                plain,
                things=tuple(
                    replace(thing, x=round(start + step * place - hidden, 1))
                    for thing, start, place in zip(things, begin, places, strict=True)
                ),
            )
            for places in ((one, other) for one in range(_PLACES) for other in range(_PLACES))
        )
        first, second = (shape for shape, _ in names)
        said = streams.turn("options", ((first, second), (second, first)))
        side = streams.turn("side", _SIDES)
        clips = tuple(
            Clip(_frames(start, -start, side * paces[0], side * paces[1]), answer)
            for start in range(_PLACES)
            for paces, answer in (((2, 1), first), ((1, 2), second))
        )
        return Block(scenes, clips, said, f"which moves faster, the {said[0]} or the {said[1]}?")


def _frames(one: int, other: int, pace: int, other_pace: int) -> tuple[int, ...]:
    return tuple(
        (one + pace * moment) % _PLACES * _PLACES + (other + other_pace * moment) % _PLACES for moment in range(FRAMES)
    )
