"""World protocol: all that data sets and training know of a world."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from mmbench.benchmarks.scenes.language import Question
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams


class World(Protocol):
    """A kind of scene."""

    @property
    def name(self) -> str:
        """Part of the seed of each of its pictures."""

    @property
    def kinds(self) -> Sequence[str]:
        """Kinds of questions; each scene has one of each kind, except those that `ask` refuses."""

    def __hash__(self) -> int:
        """Equal worlds draw equal scenes."""

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a true sentence, in one of many wordings, that need not tell everything."""

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that tells everything that has a name."""

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return a sentence that is nearly true: of the same form, wrong in one respect."""

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question | None:
        """Return a question of a kind, None where the scene allows none."""


def yes_or_no(kind: str, text: str, *, true: bool) -> Question:
    """Return a question that is answered by yes or no."""
    return Question(kind, text, "yes" if true else "no", ("yes", "no"))
