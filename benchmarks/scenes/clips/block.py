"""Block: clips that are cut from the same frames, so that the frames alone are no clue to any of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams

FRAMES = 8
"""Frames of a clip."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a block."""

    frames: tuple[int, ...]
    """`FRAMES` places among the scenes of the block, in the order of time."""
    answer: str
    """The right option."""
    captions: tuple[str, ...] = ()
    """True sentences about it."""

    def backwards(self, answer: str, captions: Sequence[str] = ()) -> "Clip":
        """Return the clip played backwards, of which another answer is right."""
        return Clip(self.frames[::-1], answer, tuple(captions))


@dataclass(frozen=True, slots=True)
class Block:
    """Clips that share their frames, their question and the order of their options."""

    scenes: tuple[Scene, ...]
    """Each distinct frame once."""
    clips: tuple[Clip, ...]
    """In any order."""
    options: tuple[str, ...]
    """All answers, in the order in which they are offered."""
    question: str
    """Asked of every clip."""


class MovingWorld(Protocol):
    """A kind of happening."""

    @property
    def name(self) -> str:
        """Part of the seed of each of its blocks."""

    @property
    def size(self) -> int:
        """Clips of a block."""

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""


def laps(states: int, forward: str, back: str) -> tuple[Clip, ...]:
    """Return the clips of a happening that comes round: from each of its states on, forward and back.

    At each moment every state is shown as often with one answer as with the other, and a clip and its reverse, which
    has the other answer, are of the same frames: neither a frame nor frames without their order tell anything.

    >>> [clip.frames[:5] for clip in laps(4, "left", "right")][:3]
    [(0, 1, 2, 3, 0), (0, 3, 2, 1, 0), (1, 2, 3, 0, 1)]
    """
    return tuple(
        Clip(tuple((start + step * moment) % states for moment in range(FRAMES)), answer)
        for start in range(states)
        for step, answer in ((1, forward), (-1, back))
    )
