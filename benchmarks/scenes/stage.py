"""Stage: what every world shares: a canvas, everyday nuisance, places for things, and things of given names."""

from collections.abc import Collection

import numpy as np

from mmbench.benchmarks.scenes.scene import RGB, SIDE, Nuisance, Thing
from mmbench.benchmarks.scenes.vocabulary import COLOURS, SHAPES, held_out

CELL = (50, 112, 174)
"""Centres of the three rows and columns of the grid."""
LARGEST_NOISE = 0.06
LARGEST_BLUR = 1.5


def background(random: np.random.Generator) -> RGB:
    """Return a dull colour between dark and middle grey, from which each colour of a thing stands out."""
    level = random.uniform(50, 135)
    red, green, blue = (round(level + change) for change in random.uniform(-12, 12, 3).tolist())
    return red, green, blue


def tint(random: np.random.Generator, colour: str) -> RGB:
    """Return a colour that goes by a name."""
    changes = random.uniform(-12, 12, 3).tolist()
    red, green, blue = (
        min(max(round(level + change), 0), 255) for level, change in zip(COLOURS[colour], changes, strict=True)
    )
    return red, green, blue


def everyday(random: np.random.Generator) -> Nuisance:
    """Return what any picture may suffer from: some loss of contrast and light, some noise, blur and clutter.

    Six draws whatever they are used for, so that one level more moves no other.
    """
    contrast, noise, blur, illumination, clutter, whether = random.random(6).tolist()
    return Nuisance(
        contrast=round(0.4 * contrast, 3),
        noise=round(LARGEST_NOISE * noise, 4),
        blur=round(LARGEST_BLUR * (4 * blur - 3), 3) if blur > 0.75 else 0.0,
        illumination=round(0.4 * illumination, 3),
        clutter=round(6 * clutter, 2) if whether < 0.3 else 0.0,
        seed=int(random.integers(1 << 31)),
    )


def at_cell(random: np.random.Generator, cell: int, jitter: float) -> tuple[float, float]:
    """Return a point near the middle of a cell of the grid, in pixels."""
    return near(random, CELL[cell % 3], CELL[cell // 3], jitter)


def near(random: np.random.Generator, x: float, y: float, jitter: float) -> tuple[float, float]:
    """Return a point at most `jitter` pixels away in each direction."""
    across, up = random.uniform(-jitter, jitter, 2).tolist()
    return round(min(max(x + across, 0), SIDE), 1), round(min(max(y + up, 0), SIDE), 1)


def between(random: np.random.Generator, low: float, high: float) -> float:
    """Return a length to a tenth of a pixel."""
    return round(float(random.uniform(low, high)), 1)


def thing(
    random: np.random.Generator,
    name: tuple[str, str],
    where: tuple[float, float],
    radius: float,
    *,
    size: str = "",
    texture: str = "plain",
    cell: int | None = None,
    turn: float | None = None,
) -> Thing:
    """Return a thing named by shape and colour; without a `turn` it leans a little."""
    leaning = round(float(random.uniform(-12, 12)), 1)
    return Thing(
        *name,
        tint(random, name[1]),
        *where,
        radius,
        size=size,
        texture=texture,
        turn=leaning if turn is None else turn,
        cell=cell,
    )


def seen(shape: str, colour: str) -> str:
    """Return the colour, or the next one where the pair is kept from training."""
    names = list(COLOURS)
    return names[(names.index(colour) + 1) % len(names)] if held_out(shape, colour) else colour


def names(random: np.random.Generator, size: int, *, swapped: bool = False) -> list[tuple[str, str]]:
    """Return (shape, colour) of things that share neither, no pair of them kept from training.

    With `swapped` the first two may also exchange their colours.
    """
    colours = list(COLOURS)
    while True:
        chosen = [
            (SHAPES[shape], colours[colour])
            for shape, colour in zip(
                random.permutation(len(SHAPES))[:size], random.permutation(len(colours))[:size], strict=True
            )
        ]
        pairs = [*chosen, *exchanged(chosen)] if swapped else chosen
        if not any(held_out(*pair) for pair in pairs):
            return chosen


def exchanged(pairs: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first two pairs with their colours exchanged.

    >>> exchanged([("star", "red"), ("ring", "blue")])
    [('star', 'blue'), ('ring', 'red')]
    """
    (one, red), (other, blue), *_ = pairs
    return [(one, blue), (other, red)]
