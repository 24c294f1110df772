"""Corruptions by what cameras and files do to levels and pixels."""

import io

import numpy as np
import PIL.Image

from mmbench.harness.media.corruptions.levels import Bytes, from_hsv, levels, pixels, to_hsv


def contrast(picture: Bytes, factor: float, random: np.random.Generator) -> Bytes:  # noqa: ARG001 - one signature
    """Draw the levels of each channel towards their mean over this picture."""
    clean = levels(picture)
    means = clean.mean(axis=(0, 1), keepdims=True)
    return pixels((clean - means) * factor + means)


def pixelate(picture: Bytes, scale: float, random: np.random.Generator) -> Bytes:  # noqa: ARG001
    """Shrink by averages and enlarge again, both with the box filter of Pillow."""
    whole = PIL.Image.fromarray(picture)
    small = (max(int(whole.width * scale), 1), max(int(whole.height * scale), 1))
    box = PIL.Image.Resampling.BOX
    return np.asarray(whole.resize(small, box).resize(whole.size, box))


def jpeg_compression(picture: Bytes, quality: int, random: np.random.Generator) -> Bytes:  # noqa: ARG001
    """Compress as JPEG of this quality, by Pillow."""
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file))


def saturate(picture: Bytes, strength: tuple[float, float], random: np.random.Generator) -> Bytes:  # noqa: ARG001
    """Multiply the saturation, and add to it."""
    factor, added = strength
    hue, saturation, value = to_hsv(levels(picture))
    return pixels(from_hsv(hue, np.clip(saturation * factor + added, 0, 1), value))
