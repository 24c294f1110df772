"""Levels of a picture from 0 to 1, and back to pixels as ImageNet-C does it; hue, saturation and value of them."""

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats

Bytes = npt.NDArray[np.uint8]
"""(height, width, 3) RGB."""


def levels(pixels: Bytes) -> Floats:
    """Return (height, width, 3) levels from 0 to 1."""
    return pixels / 255.0


def pixels(made: npt.NDArray[np.floating]) -> Bytes:
    """Return levels as bytes, clipped to 0 to 1 and cut off, not rounded: a picture that is left as it is may lose one.

    >>> pixels(np.array([-1.0, 0.5, 2.0])).tolist()
    [0, 127, 255]
    """
    return np.asarray(np.clip(made, 0, 1) * 255).astype(np.uint8)


def to_hsv(rgb: Floats) -> tuple[Floats, Floats, Floats]:
    """Return hue, saturation and value, each (height, width) from 0 to 1, as `skimage.color.rgb2hsv`.

    >>> [float(part[0, 0]) for part in to_hsv(np.array([[[0.5, 0.25, 0.25]]]))]
    [0.0, 0.5, 0.5]
    """
    red, green, blue = np.moveaxis(rgb, 2, 0)
    value = rgb.max(axis=2)
    spread = value - rgb.min(axis=2)
    grey = spread == 0
    divisor = np.where(grey, 1.0, spread)
    saturation = np.where(grey, 0.0, spread / np.where(value == 0, 1.0, value))
    # Of equal channels the last counts, as there.
    hue = np.select(
        [blue == value, green == value],
        [4.0 + (red - green) / divisor, 2.0 + (blue - red) / divisor],
        (green - blue) / divisor,
    )
    return np.where(grey, 0.0, (hue / 6.0) % 1.0), saturation, value


def from_hsv(hue: Floats, saturation: Floats, value: Floats) -> Floats:
    """Return (height, width, 3) levels of hue, saturation and value, as `skimage.color.hsv2rgb`."""
    sixth = np.floor(hue * 6)
    part = hue * 6 - sixth
    low = value * (1 - saturation)
    falling = value * (1 - part * saturation)
    rising = value * (1 - (1 - part) * saturation)
    sides = [
        (value, rising, low),
        (falling, value, low),
        (low, value, rising),
        (low, falling, value),
        (rising, low, value),
        (value, low, falling),
    ]
    which = sixth.astype(np.intp) % 6
    return np.stack([np.choose(which, [side[channel] for side in sides]) for channel in range(3)], axis=2)
