"""Pattern world: blocks that are, or are not, mirrored between the left half and the right."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.language import Question, a, framed
from mmbench.benchmarks.scenes.scene import SIDE, Blocks, Scene
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS
from mmbench.benchmarks.scenes.worlds.world import yes_or_no

CLASSES = ("symmetric", "asymmetric")
_BLOCKS = 6
_LEAST = 1 / 3
"""Share of one side's blocks in which a pattern that is not symmetric differs from its mirror image."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """6 x 6 blocks, half of them filled on either side; where not symmetric, at least a third of one side differs."""

    name: str = "pattern"
    kinds: tuple[str, ...] = ("symmetry",)

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        half, other = _half(random), _half(random)
        while (half != other).mean() < _LEAST:
            other = _half(random)
        right = (half if streams.turn("symmetry", CLASSES) == "symmetric" else other)[:, ::-1]
        dot = int(random.integers(14, 25))
        x, y = random.integers(8, SIDE - _BLOCKS * dot - 8, 2).tolist()
        filled = tuple(map(tuple, np.concatenate([half, right], axis=1).tolist()))
        blocks = Blocks(filled, stage.tint(random, pick(random, tuple(COLOURS))), x, y, dot)
        return Scene(stage.background(random), blocks=blocks, nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return whether it is symmetric."""
        return _sentence(symmetry(scene), random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return whether it is symmetric."""
        return framed(random, f"{a(symmetry(scene))} pattern")

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return the opposite."""
        return _sentence(CLASSES[1 - CLASSES.index(symmetry(scene))], random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return the question whether it is symmetric."""
        return yes_or_no(kind, "is the pattern symmetric?", true=symmetry(scene) == "symmetric")


def _half(random: np.random.Generator) -> npt.NDArray[np.int_]:
    return random.permutation(np.repeat([0, 1], _BLOCKS * _BLOCKS // 4)).reshape(_BLOCKS, _BLOCKS // 2)


def symmetry(scene: Scene) -> str:
    """Return which of `CLASSES` the pattern is."""
    if scene.blocks is None:
        raise ValueError("there is no pattern in this scene")
    return CLASSES[any(row != row[::-1] for row in scene.blocks.filled)]


def _sentence(name: str, random: np.random.Generator) -> str:
    return pick(random, (framed(random, f"{a(name)} pattern"), f"the pattern is {name}."))
