"""Generators of neighbouring seeds, the same as of `numpy.random.default_rng` and made many at a time.

NumPy mixes each seed alone, in ten microseconds; the same mixing of a row of 256 seeds takes a few times that for all.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence

Words = npt.NDArray[np.uint32]

_WORD = 1 << 32
_POOL = 4
_AT_ONCE = 256
"""Seeds that are mixed together: a power of two, so that none of a row goes beyond a word."""


def generator(before: tuple[int, ...], number: int, after: tuple[int, ...] = ()) -> np.random.Generator:
    """Return `default_rng((*before, number, *after))`; cheap where the numbers follow one another."""
    place = number % _AT_ONCE
    states = _states(before, number - place, after)
    if states is None:
        return np.random.default_rng((*before, number, *after))
    mixed = _Mixed(states[place])
    return np.random.Generator(np.random.PCG64(mixed))  # type: ignore[arg-type]  # any ISeedSequence is one


class _Mixed(ISeedSequence):
    """A seed that is mixed already."""

    def __init__(self, state: npt.NDArray[np.uint64]) -> None:
        self._state = state

    def generate_state(self, n_words: int, dtype: npt.DTypeLike = np.uint64) -> npt.NDArray[np.uint64]:
        if n_words != len(self._state) or dtype != self._state.dtype:
            raise ValueError(f"mixed for {len(self._state)} words of 64 bits")
        return self._state


@lru_cache(maxsize=512)
def _states(before: tuple[int, ...], first: int, after: tuple[int, ...]) -> npt.NDArray[np.uint64] | None:
    """Return what `SeedSequence` gives PCG64 for a row of seeds (O'Neill 2015, "Developing a seed_seq alternative").

    (256, 4), for the numbers from `first` on; None where a number is longer than a word.
    """
    if max((*before, first, *after)) >= _WORD:
        return None
    words = np.zeros((max(len(before) + 1 + len(after), _POOL), _AT_ONCE), np.uint32)
    words[: len(before)].T[:] = before
    words[len(before)] = np.arange(first, first + _AT_ONCE)
    words[len(before) + 1 : len(before) + 1 + len(after)].T[:] = after
    constants = _constants(0x43B0D7E5, 0x931E8875)
    pool = _hashed(words[:_POOL], *constants(_POOL))
    for source in range(_POOL):
        others = [place for place in range(_POOL) if place != source]
        pool[others] = _mixed(pool[others], _hashed(pool[source], *constants(_POOL - 1)))
    for word in words[_POOL:]:
        pool = _mixed(pool, _hashed(word, *constants(_POOL)))
    halves = _hashed(np.concatenate([pool, pool]), *_constants(0x8B51F9DD, 0x58F38DED)(8)).astype(np.uint64)
    return np.ascontiguousarray((halves[::2] | halves[1::2] << np.uint64(32)).T)


def _constants(start: int, factor: int) -> Callable[[int], tuple[Words, Words]]:
    """Return a function that gives the next constants of a hash: what to mask by, and what to multiply by."""
    last = start

    def following(count: int) -> tuple[Words, Words]:
        nonlocal last
        run = [last := last * factor % _WORD if place else last for place in range(count + 1)]
        column = np.array(run, np.uint32)[:, None]
        return column[:-1], column[1:]

    return following


def _hashed(words: Words, masks: Words, factors: Words) -> Words:
    hashed = (words ^ masks) * factors
    folded: Words = hashed ^ (hashed >> np.uint32(16))
    return folded


def _mixed(one: Words, other: Words) -> Words:
    mixed = one * np.uint32(0xCA01F9DD) - other * np.uint32(0x4973F715)
    folded: Words = mixed ^ (mixed >> np.uint32(16))
    return folded
