"""Rotation world: an arrow that turns one way or the other."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import Block, laps
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.vocabulary import COLOURS

SENSES = ("clockwise", "counterclockwise")
_STATES = 4


@dataclass(frozen=True, slots=True)
class Rotation:
    """An arrow that turns by a quarter from frame to frame, twice around."""

    name: str = "clip rotation"
    size: int = 2 * _STATES

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        name = "arrow", streams.turn("colour", tuple(COLOURS))
        where = stage.at_cell(random, int(random.integers(9)), 7)
        turn = stage.between(random, 0, 45)
        arrow = stage.thing(random, name, where, stage.between(random, 30, 46), turn=turn)
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        turned = [replace(arrow, turn=round(turn + 360 / _STATES * place, 1)) for place in range(_STATES)]
        return Block(
            tuple(replace(plain, things=(each,)) for each in turned),
            laps(_STATES, SENSES[1], SENSES[0]),
            streams.turn("options", (SENSES, SENSES[::-1])),
            "which way does the arrow turn?",
        )
