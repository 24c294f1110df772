"""Pixels of a decoded frame as people see them: upright, and on white where it has transparency."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import Unreadable
from mmbench.harness.media.pixels import ON_WHITE, TURNED

Rgb: TypeAlias = npt.NDArray[np.uint8]
"""(height, width, 3)."""

LARGEST = 1 << 26
"""Pixels of a frame at the most, 67 million: a frame of 8K has 33."""

_ONE = 1 << 16
"""1 in the fixed-point numbers of a display matrix (ISO/IEC 14496-12, 8.5.2)."""


def pixels_of(frame: Any, locator: str) -> tuple[Rgb, tuple[str, ...]]:
    """Return (height, width, 3) pixels of a frame of PyAV, and what was done to them: keys of `pixels.NOTES`.

    Raises Unreadable where the frame is damaged, too large, or turned by no multiple of 90 degrees.
    """
    if frame.is_corrupt:
        raise Unreadable(f"{locator}: the frame is damaged")
    if frame.width * frame.height > LARGEST:
        raise Unreadable(f"{locator}: {frame.width} x {frame.height} pixels, over the limit of {LARGEST}")
    changes: tuple[str, ...] = ()
    if any(part.is_alpha for part in frame.format.components) or frame.format.name == "pal8":
        layers = frame.to_ndarray(format="rgba")
        if layers[..., 3].min() < 255:
            alpha = layers[..., 3:].astype(np.uint16)
            mixed = (layers[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha) + 127) // 255
            pixels, changes = mixed.astype(np.uint8), (ON_WHITE,)
        else:
            pixels = np.ascontiguousarray(layers[..., :3])
    else:
        pixels = frame.to_ndarray(format="rgb24")
    upright = _upright(pixels, frame, locator)
    return upright, changes if upright is pixels else (*changes, TURNED)


def _upright(pixels: Rgb, frame: Any, locator: str) -> Rgb:
    from av.sidedata.sidedata import SideDataContainer

    # Not by `frame.side_data`, which the frame keeps: each would then hold the other, and its pixels, in memory.
    container: Any = SideDataContainer
    matrix = container(frame).get("DISPLAYMATRIX")
    if matrix is None:
        return pixels
    a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5].tolist()
    across = (a, b, c, d)
    if across == (_ONE, 0, 0, _ONE):
        return pixels
    sides = tuple(int(round(each / _ONE)) for each in across)
    if sides not in _TURNS or any(abs(each / _ONE - side) > 0.02 for each, side in zip(across, sides, strict=True)):
        raise Unreadable(f"{locator}: its display matrix turns it by no multiple of 90 degrees, or skews it")
    flipped, quarter = _TURNS[sides]
    made = pixels[:, ::-1] if flipped else pixels
    return np.ascontiguousarray(np.rot90(made, k=-quarter))


_TURNS = {
    (1, 0, 0, 1): (False, 0),
    (0, 1, -1, 0): (False, 1),
    (-1, 0, 0, -1): (False, 2),
    (0, -1, 1, 0): (False, 3),
    (-1, 0, 0, 1): (True, 0),
    (0, -1, -1, 0): (True, 1),
    (1, 0, 0, -1): (True, 2),
    (0, 1, 1, 0): (True, 3),
}
"""(a, b, c, d) of x' = a x + c y, y' = b x + d y: mirrored left to right first, then so many quarters clockwise."""
