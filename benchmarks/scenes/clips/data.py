"""Data sets of clips: the worlds in motion that they draw, block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mmbench.benchmarks.scenes.cells import picture
from mmbench.benchmarks.scenes.clips.block import Block, Clip, MovingWorld
from mmbench.benchmarks.scenes.clips.files import filed
from mmbench.benchmarks.scenes.clips.worlds.appearance import Appearance
from mmbench.benchmarks.scenes.clips.worlds.count import Changes
from mmbench.benchmarks.scenes.clips.worlds.direction import Direction
from mmbench.benchmarks.scenes.clips.worlds.hiding import Hiding
from mmbench.benchmarks.scenes.clips.worlds.meeting import Meeting
from mmbench.benchmarks.scenes.clips.worlds.order import Order
from mmbench.benchmarks.scenes.clips.worlds.rotation import Rotation
from mmbench.benchmarks.scenes.clips.worlds.speed import Speed
from mmbench.benchmarks.scenes.clips.worlds.story import Story
from mmbench.benchmarks.scenes.remembered import frozen
from mmbench.benchmarks.scenes.rows import SPLITS, split_of
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.harness.media.video import Video
from mmbench.harness.tasks.source import Cell, Row

VERSION = 1
"""Raised whenever the same seed would give another clip; part of every block's seed."""
FPS = 8.0
"""Frames a second."""
_MINI = 4
"""`mini` is the first quarter of `test`: a tenth would be two blocks."""
_LARGE = 3
"""The other splits have so many times the blocks of `test`."""


@dataclass(frozen=True, slots=True)
class ClipSet:
    """A data set of clips of one world."""

    world: MovingWorld
    """World that is drawn."""
    blocks: int
    """Blocks of its test split."""
    filed: bool = False
    """True where its clips go through files."""

    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns, for which no file is written."""
        block = self.world.block(Streams((VERSION, 0, 0), self.world.name, 0))
        return ("id", "clip", *_cells(block, block.clips[0]))

    def rows(self, name: str, split: str | None) -> Iterator[Row]:
        """Yield the rows of a split. Raises DataError for a split it lacks, and where files cannot be written."""
        chosen = split_of(name, split)
        for number in range(self.count(name, split) // self.world.size):
            yield from _block(self, name, SPLITS[chosen], number)

    def count(self, name: str, split: str | None) -> int:
        """Return the number of rows of a split, in whole blocks. Raises DataError for a split it does not have."""
        blocks = {"test": self.blocks, "mini": max(self.blocks // _MINI, 1)}
        return blocks.get(split_of(name, split), _LARGE * self.blocks) * self.world.size


@lru_cache(256)
def _block(clips: ClipSet, name: str, first: int, number: int) -> tuple[Row, ...]:
    streams = Streams((VERSION, first, 0), f"{clips.world.name} of {name}" if clips.filed else clips.world.name, number)
    block = clips.world.block(streams)
    where = f"{name} block {number}"
    shown = [picture(scene, f"{where} frame {place}") for place, scene in enumerate(block.scenes)]
    rows: list[Row] = []
    for place in streams.language.permutation(len(block.clips)).tolist():
        clip = block.clips[place]
        index = number * clips.world.size + len(rows)
        frames = [shown[frame] for frame in clip.frames]
        said = f"{name} row {index}"
        video = Video.from_path(filed(frames), said) if clips.filed else Video.of_frames(frames, said, fps=FPS)
        rows.append(frozen({"id": str(index), "clip": video.together(where), **_cells(block, clip)}, said))
    return tuple(rows)


def _cells(block: Block, clip: Clip) -> dict[str, Cell]:
    told: dict[str, Cell] = {}
    if clip.captions:
        told = {"captions": list(clip.captions[1:]), "references": list(clip.captions), "description": clip.captions[0]}
    return {
        "question": block.question,
        "answer": clip.answer,
        "answers": [clip.answer],
        "options": list(block.options),
        **told,
    }


CLIPS: Mapping[str, ClipSet] = {
    "clips-direction": ClipSet(Direction(), 20),
    "clips-rotation": ClipSet(Rotation(), 20),
    "clips-order": ClipSet(Order(), 20),
    "clips-count": ClipSet(Changes(), 20),
    "clips-speed": ClipSet(Speed(), 20),
    "clips-hiding": ClipSet(Hiding(), 24),
    "clips-appearance": ClipSet(Appearance(), 24),
    "clips-meeting": ClipSet(Meeting(), 24),
    "clips-stories": ClipSet(Story(), 48),
    "clips-files": ClipSet(Direction(), 20, filed=True),
}
"""Data sets by the name that a task file gives as `path`."""
