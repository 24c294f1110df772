"""Appearance world: a thing that comes out of nowhere, or vanishes."""

from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import FRAMES, Block, Clip
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams

_AFTER = (3, 5)
"""Frames before the change: around the middle, so that the middle frame shows either as often with either answer."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """A thing beside another that stays; the first frame tells what is to come, frames without their order do not."""

    name: str = "clip appearance"
    size: int = 2 * len(_AFTER)

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        cells = random.permutation(9)[:2].tolist()
        moved, stays = (
            stage.thing(random, name, stage.at_cell(random, cell, 7), stage.between(random, 20, 30))
            for name, cell in zip(stage.names(random, 2), cells, strict=True)
        )
        without = Scene(stage.background(random), (stays,), nuisance=stage.everyday(streams.nuisance))
        answers = "appear", "disappear"
        return Block(
            (without, replace(without, things=(stays, moved))),
            tuple(
                Clip((before,) * after + (1 - before,) * (FRAMES - after), answer)
                for before, answer in enumerate(answers)
                for after in _AFTER
            ),
            streams.turn("options", (answers, answers[::-1])),
            f"does the {moved.shape} appear or disappear?",
        )
