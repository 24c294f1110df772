"""Random streams of a picture, one for each purpose, so that a change to one leaves the others as they are."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TypeVar

import numpy as np

from mmbench.benchmarks.scenes.seeding import generator

T = TypeVar("T")

_CONTENT, _NUISANCE, _LANGUAGE, _ORDER = range(4)


@dataclass(frozen=True)
class Streams:
    """The random numbers of one picture of a world.

    Attributes that are to be balanced come from `turn`, which deals each value once before any comes again.
    """

    block: tuple[int, ...]
    """What the picture belongs to, a test or a training seed: equal blocks hold equal pictures."""
    world: str
    """Kind of scene."""
    index: int
    """Its place in the block."""

    @cached_property
    def content(self) -> np.random.Generator:
        """Random numbers of the scene's content."""
        return self._generator(_CONTENT)

    @cached_property
    def nuisance(self) -> np.random.Generator:
        """Random numbers of its nuisance."""
        return self._generator(_NUISANCE)

    @cached_property
    def language(self) -> np.random.Generator:
        """Random numbers of its captions and questions."""
        return self._generator(_LANGUAGE)

    def turn(self, attribute: str, values: Sequence[T]) -> T:
        """Return this picture's value of an attribute: each once, in random order, before any comes again."""
        if len(values) == 1:
            return values[0]
        stream = (*self.block, _code(self.world), _ORDER, _code(attribute))
        return values[_order(stream, self.index // len(values), len(values))[self.index % len(values)]]

    def _generator(self, purpose: int) -> np.random.Generator:
        return generator((*self.block, _code(self.world)), self.index, (purpose,))


def pick(random: np.random.Generator, values: Sequence[T]) -> T:
    """Return one of the values, all equally likely."""
    return values[int(random.integers(len(values)))]


@cache
def _code(name: str) -> int:
    return zlib.crc32(name.encode())


@lru_cache(maxsize=256)
def _order(stream: tuple[int, ...], round_: int, size: int) -> tuple[int, ...]:
    return tuple(generator(stream, round_).permutation(size).tolist())
