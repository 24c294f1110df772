"""Count world: a thing that changes its colour one to four times."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import FRAMES, Block, Clip
from mmbench.benchmarks.scenes.language import other
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, NUMBERS, SHAPES, held_out

TIMES = 4
"""The most changes."""


@dataclass(frozen=True, slots=True)
class Changes:
    """A thing of two colours, each shown in half of the frames however often it changes.

    Each clip has one with the colours exchanged beside it, so that at each moment either colour is as frequent with
    every answer.
    """

    name: str = "clip count"
    size: int = 2 * TIMES

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        shape = streams.turn("shape", SHAPES)
        colour = stage.seen(shape, streams.turn("colour", tuple(COLOURS)))
        second = other(random, [name for name in COLOURS if not held_out(shape, name)], colour)
        where = stage.at_cell(random, int(random.integers(9)), 7)
        thing = stage.thing(random, (shape, colour), where, stage.between(random, 28, 44))
        changed = replace(thing, colour=second, tint=stage.tint(random, second))
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        patterns = [_pattern(random, times) for times in range(1, TIMES + 1)]
        return Block(
            tuple(replace(plain, things=(each,)) for each in (thing, changed)),
            tuple(
                Clip(frames, NUMBERS[times])
                for times, pattern in enumerate(patterns)
                for frames in (pattern, tuple(1 - frame for frame in pattern))
            ),
            NUMBERS[:TIMES],
            f"how many times does the {shape} change its color?",
        )


def _pattern(random: np.random.Generator, times: int) -> tuple[int, ...]:
    """Return which of two colours is shown when, with so many changes and each colour in half of the frames."""
    possible = []
    for changes in combinations(range(1, FRAMES), times):
        frames = tuple(sum(change <= moment for change in changes) % 2 for moment in range(FRAMES))
        if 2 * sum(frames) == FRAMES:
            possible.append(frames)
    return pick(random, possible)
