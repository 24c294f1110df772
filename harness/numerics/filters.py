"""Filters of pictures: Gaussian smoothing, and enlargement by lines, each as SciPy's to the last bit."""

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats

_TRUNCATE = 4.0
"""Standard deviations at which the Gaussian ends."""


def smoothed(levels: Floats, sigma: float) -> Floats:
    """Return (height, width, channels) levels smoothed by a Gaussian of `sigma` pixels, channel by channel.

    The border is repeated. As `scipy.ndimage.gaussian_filter(levels, (sigma, sigma, 0), mode="nearest")`.

    >>> smoothed(np.eye(3)[:, :, None], 0.5)[1, :, 0].round(3)
    array([0.179, 0.641, 0.179])
    """
    radius = int(_TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / (sigma * sigma) * offsets**2)
    weights /= weights.sum()
    for axis in (0, 1):
        size = levels.shape[axis]
        padding = [(radius, radius) if each == axis else (0, 0) for each in range(3)]
        padded = np.moveaxis(np.pad(levels, padding, mode="edge"), axis, 0)
        total = padded[radius : radius + size] * weights[radius]
        # From the ends inwards, both sides at once: another order of the sum is off in the last bit.
        for step in range(radius, 0, -1):
            before = padded[radius - step : radius - step + size]
            after = padded[radius + step : radius + step + size]
            total += (before + after) * weights[radius - step]
        levels = np.moveaxis(total, 0, axis)
    return levels


def enlarged(levels: npt.NDArray[np.float32], factor: float) -> npt.NDArray[np.float32]:
    """Return (height, width, channels) levels enlarged by lines between their points, the corners on the corners.

    The result is (round(height * factor), round(width * factor), channels). As `scipy.ndimage.zoom(levels, (factor,
    factor, 1), order=1)`.

    >>> enlarged(np.float32([[[0.0], [1.0]], [[2.0], [3.0]]]), 1.5)[:, :, 0].tolist()
    [[0.0, 0.5, 1.0], [1.0, 1.5, 2.0], [2.0, 2.5, 3.0]]
    """
    (top, bottom, down), (left, right, across) = (_between(size, factor) for size in levels.shape[:2])
    exact = levels.astype(np.float64)
    parts = []
    for columns, beside in ((left, 1 - across), (right, across)):
        side = exact.take(columns, axis=1)
        for rows, above in ((top, 1 - down), (bottom, down)):
            part = side.take(rows, axis=0)
            part *= above[:, None, None]
            part *= beside[:, None]
            parts.append(part)
    # In this order: another one is off in the last bit.
    total = parts[0] + parts[2] + parts[1] + parts[3]
    return total.astype(np.float32)


def _between(size: int, factor: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Return of each new point the old ones before and behind it, and its part of the way between them."""
    count = round(size * factor)
    places: Floats = np.arange(count, dtype=np.float64) * ((size - 1) / max(count - 1, 1))
    before: npt.NDArray[np.intp] = np.minimum(places.astype(np.intp), size - 1)
    return before, np.minimum(before + 1, size - 1), np.asarray(places - before, np.float64)
