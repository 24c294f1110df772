"""Corruptions by weather."""

import numpy as np

from mmbench.harness.media.corruptions.levels import Bytes, from_hsv, levels, pixels, to_hsv
from mmbench.harness.numerics.arrays import Floats


def brightness(picture: Bytes, added: float, random: np.random.Generator) -> Bytes:  # noqa: ARG001 - one signature
    """Add to the value of hue, saturation and value."""
    hue, saturation, value = to_hsv(levels(picture))
    return pixels(from_hsv(hue, saturation, np.clip(value + added, 0, 1)))


def fog(picture: Bytes, strength: tuple[float, float], random: np.random.Generator) -> Bytes:
    """Add so much of a plasma fractal of this decay, and bring the brightest level back to where it was."""
    amount, decay = strength
    clean = levels(picture)
    brightest = clean.max()
    height, width = clean.shape[:2]
    veil = plasma(1 << (max(height, width) - 1).bit_length(), decay, random)[:height, :width, None]
    return pixels((clean + amount * veil) * brightest / (brightest + amount))


def plasma(side: int, decay: float, random: np.random.Generator) -> Floats:
    """Return a (side, side) plasma fractal from 0 to 1, by diamonds and squares; `side` is a power of 2.

    Opposite edges are neighbours. The midpoint of points that are `step` apart is their mean and a random part.
    """
    made = np.zeros((side, side))
    step, wobble = side, 100.0

    def middle(total: Floats) -> Floats:
        return np.asarray(total / 4 + wobble * random.uniform(-wobble, wobble, total.shape))

    while step >= 2:
        half = step // 2
        corners = made[::step, ::step]
        squares = corners + np.roll(corners, -1, axis=0)
        squares += np.roll(squares, -1, axis=1)
        made[half::step, half::step] = middle(squares)
        centres = made[half::step, half::step]
        made[::step, half::step] = middle(_beside(centres, corners, 0))
        made[half::step, ::step] = middle(_beside(centres, corners, 1))
        step, wobble = half, wobble / decay
    made -= made.min()
    return np.asarray(made / made.max())


def _beside(centres: Floats, corners: Floats, axis: int) -> Floats:
    """Return the sums of the two centres and the two corners around the middles of the edges along an axis."""
    # In this order: another one is off in the last bit.
    both = corners + np.roll(corners, -1, axis=1 - axis)
    return np.asarray((centres + np.roll(centres, 1, axis=axis)) + both)
