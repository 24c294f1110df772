"""Writing world: drawn digits, numbers and words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.glyphs import HEIGHT, WIDTH
from mmbench.benchmarks.scenes.language import Question, framed, options, other
from mmbench.benchmarks.scenes.scene import SIDE, Scene, Writing
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, WORDS

DIGITS = tuple("0123456789")
NUMBERS = tuple(str(number) for number in range(10, 100))


@dataclass(frozen=True, slots=True)
class Written:
    """A line of writing: one of `texts`, each as often as any other."""

    name: str
    what: str
    """Name: `digit`, `number` or `word`."""
    texts: Sequence[str]
    dots: tuple[int, int]
    """Range of pixels of a side of one dot of the font."""
    kinds: tuple[str, ...] = ("reading",)

    def draw(self, streams: Streams) -> Scene:
        """Return the scene of these random numbers."""
        random = streams.content
        text = streams.turn("text", self.texts)
        dot = int(random.integers(self.dots[0], self.dots[1] + 1))
        wide, tall = dot * (len(text) * (WIDTH + 1) - 1), dot * HEIGHT
        x, y = (int(random.integers(6, max(SIDE - length - 6, 7))) for length in (wide, tall))
        writing = Writing(text, stage.tint(random, pick(random, tuple(COLOURS))), x, y, dot)
        return Scene(stage.background(random), writing=writing, nuisance=stage.everyday(streams.nuisance))

    def caption(self, scene: Scene, random: np.random.Generator) -> str:
        """Return what is written."""
        return self._sentence(_text(scene), random)

    def describe(self, scene: Scene, random: np.random.Generator) -> str:
        """Return what is written."""
        return framed(random, f"the {self.what} {_text(scene)}")

    def negative(self, scene: Scene, random: np.random.Generator) -> str:
        """Return something else as written."""
        return self._sentence(other(random, self.texts, _text(scene)), random)

    def ask(self, scene: Scene, kind: str, random: np.random.Generator) -> Question:
        """Return what is written."""
        text = pick(random, (f"what {self.what} is written?", f"which {self.what} is this?"))
        return Question(kind, text, _text(scene), options(random, _text(scene), self.texts))

    def _sentence(self, text: str, random: np.random.Generator) -> str:
        return pick(random, (framed(random, f"the {self.what} {text}"), f"the {self.what} {text} is written."))


def _text(scene: Scene) -> str:
    if scene.writing is None:
        raise ValueError("nothing is written in this scene")
    return scene.writing.text


DIGIT = Written("digit", "digit", DIGITS, (9, 20))
NUMBER = Written("number", "number", NUMBERS, (8, 15))
WORD = Written("word", "word", WORDS, (5, 7))
