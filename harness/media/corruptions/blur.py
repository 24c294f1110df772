"""Corruptions by blur."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.media.corruptions.levels import Bytes, levels, pixels
from mmbench.harness.numerics.filters import enlarged, smoothed

_Floats32: TypeAlias = npt.NDArray[np.float32]


def gaussian_blur(picture: Bytes, sigma: float, random: np.random.Generator) -> Bytes:  # noqa: ARG001 - one signature
    """Smooth by a Gaussian of `sigma` pixels."""
    return pixels(smoothed(levels(picture), sigma))


def glass_blur(picture: Bytes, strength: tuple[float, int, int], random: np.random.Generator) -> Bytes:
    """Smooth by `sigma`, copy each pixel from one within `reach`, from the lower right corner on, and smooth again.

    The official code means to swap two pixels and copies one over the other; so does this, `times` over.
    """
    sigma, reach, times = strength
    soft = (smoothed(levels(picture), sigma) * 255).astype(np.uint8)
    height, width = soft.shape[:2]
    rows, columns = range(height - reach, reach, -1), range(width - reach, reach, -1)
    places = list(range(height * width))
    """Of each pixel, which one it is a copy of."""
    for _ in range(times):
        shifts = random.integers(-reach, reach, size=(len(rows), len(columns), 2))
        steps = (shifts[:, :, 1] * width + shifts[:, :, 0]).tolist()
        for row, line in zip(rows, steps, strict=True):
            start = row * width
            for column, step in zip(columns, line, strict=True):
                places[start + column] = places[start + column + step]
    moved = soft.reshape(-1, 3)[places].reshape(soft.shape)
    return pixels(smoothed(levels(moved), sigma))


def zoom_blur(picture: Bytes, strength: tuple[float, float], random: np.random.Generator) -> Bytes:  # noqa: ARG001
    """Average the picture and its centre enlarged by 1, 1 + `step` and so on, below `end`.

    Levels are float32 and the factors those of `numpy.arange`, as in the official code: 12, 16, 11, 13 and 11 of them.
    """
    end, step = strength
    clean = levels(picture).astype(np.float32)
    factors = np.arange(1, end, step).tolist()
    total = np.zeros_like(clean)
    for factor in factors:
        total += _centre(clean, factor)
    return pixels((clean + total) / np.float32(len(factors) + 1))


def _centre(clean: _Floats32, factor: float) -> _Floats32:
    """Return the picture enlarged about its middle, of its own size."""
    height, width = clean.shape[:2]
    rows, columns = (int(np.ceil(size / factor)) for size in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    large = enlarged(clean[top : top + rows, left : left + columns], factor)
    above, before = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return large[above : above + height, before : before + width]
