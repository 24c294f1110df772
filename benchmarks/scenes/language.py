"""Language of scenes: phrases for things and places, sentences around them, questions and their answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.benchmarks.scenes.scene import Thing
from mmbench.benchmarks.scenes.streams import pick
from mmbench.benchmarks.scenes.vocabulary import LOCATIONS

FRAMES = (
    "{}.",
    "a picture of {}.",
    "an image of {}.",
    "a drawing of {}.",
    "there is {}.",
    "this is {}.",
)
"""Sentences around a noun phrase."""
ATTRIBUTES = ("size", "texture", "colour", "shape")
"""In the order of words."""
_ADJECTIVES = ATTRIBUTES[:-1]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a scene."""

    kind: str
    """Kind of question: what must be perceived to answer it."""
    text: str
    """Wording of the question."""
    answer: str
    """The only right one."""
    options: tuple[str, ...]
    """Answers to choose from, the right one among them."""


def framed(random: np.random.Generator, phrase: str) -> str:
    """Return a sentence around a noun phrase."""
    return pick(random, FRAMES).format(phrase)


def noun(thing: Thing, told: Collection[str] = ATTRIBUTES, plain: str = "shape") -> str:
    """Return a thing's name without an article; `plain` stands for a shape that is not told.

    >>> thing = Thing("star", "orange", (245, 140, 20), 50, 50, 20, "small", "striped")
    >>> noun(thing), noun(thing, ["colour"])
    ('small striped orange star', 'orange shape')
    """
    words = [word for key in _ADJECTIVES if key in told and (word := getattr(thing, key)) and word != "plain"]
    words.append(thing.shape if "shape" in told else plain)
    return " ".join(words)


def a(phrase: str) -> str:
    """Return a phrase behind its article.

    >>> a("orange star"), a("red star")
    ('an orange star', 'a red star')
    """
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def listed(phrases: Sequence[str]) -> str:
    """Return phrases as a list in a sentence.

    >>> listed(["a star", "a ring", "a cross"])
    'a star, a ring and a cross'
    """
    return " and ".join([", ".join(phrases[:-1])] * (len(phrases) > 1) + [phrases[-1]])


def place(cell: int) -> str:
    """Return where a cell of the grid is.

    >>> place(0), place(1), place(4), place(5)
    ('in the top left', 'at the top', 'in the center', 'on the right')
    """
    before = {"top": "at", "bottom": "at", "left": "on", "right": "on"}
    name = LOCATIONS[cell]
    return f"{before.get(name, 'in')} the {name}"


def options(
    random: np.random.Generator, answer: str, values: Sequence[str], likely: Sequence[str] = (), most: int = 4
) -> tuple[str, ...]:
    """Return up to `most` distinct answers in random order: the right one, `likely` ones, and others of `values`."""
    chosen = [answer, *(value for value in dict.fromkeys(likely) if value != answer)][:most]
    rest = [value for value in values if value not in chosen]
    chosen += [rest[i] for i in random.permutation(len(rest))[: most - len(chosen)].tolist()]
    return tuple([chosen[i] for i in random.permutation(len(chosen)).tolist()])


def other(random: np.random.Generator, values: Sequence[str], *than: str) -> str:
    """Return one of `values` that is none of `than`."""
    return pick(random, [value for value in values if value not in than])
