"""Order world: two things of which each changes once, one after the other."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import Block, Clip
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams, pick

_ROUND = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Whether each of the two is large, in an order in which one changes at a time: clips are three stations of it."""
_HELD = (3, 2, 3)
"""Frames that each station is held for."""
_SMALL = 0.55


@dataclass(frozen=True, slots=True)
class Order:
    """Two different things that grow or shrink; which of them begins is asked."""

    name: str = "clip order"
    size: int = 2 * len(_ROUND)

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        cells = streams.turn("sides", ((3, 5), (5, 3), (1, 7), (7, 1)))
        large = stage.between(random, 32, 42)
        names = stage.names(random, 2)
        things = [
            stage.thing(random, name, stage.at_cell(random, cell, 7), large)
            for name, cell in zip(names, cells, strict=True)
        ]
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        scenes = tuple(
            replace(
                plain,
                things=tuple(
                    thing if grown else replace(thing, radius=round(_SMALL * large, 1))
                    for thing, grown in zip(things, sizes, strict=True)
                ),
            )
            for sizes in _ROUND
        )
        first, second = (shape for shape, _ in names)
        said = streams.turn("options", ((first, second), (second, first)))
        asked = pick(streams.language, ("which changes its size first", "which of them changes first"))
        return Block(scenes, _clips(first, second), said, f"{asked}, the {said[0]} or the {said[1]}?")


def _clips(first: str, second: str) -> tuple[Clip, ...]:
    made = []
    for start in range(len(_ROUND)):
        for step in (1, -1):
            stations = [(start + step * number) % len(_ROUND) for number in range(len(_HELD))]
            begins = first if _ROUND[stations[0]][0] != _ROUND[stations[1]][0] else second
            frames = tuple(place for place, held in zip(stations, _HELD, strict=True) for _ in range(held))
            made.append(Clip(frames, begins))
    return tuple(made)
