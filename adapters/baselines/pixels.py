"""Pixel baseline: raw pixels as vectors, to show what a probe reads out before any feature is learnt."""

import re

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.harness.errors import UsageError
from mmbench.harness.media.pixels import Pixels

VERSION = 1
SIDE = 16
LARGEST_SIDE = 256

Vectors = npt.NDArray[np.float32]


class RawPixels:
    """Embeds a picture as its own pixels, shrunk to a square. Ability: embed_images.

    Each number is the mean of the area that it covers (Pillow's BOX filter, in 8 bits), divided by 255; the aspect
    ratio is not kept. A smaller picture is enlarged by repeating its pixels.
    """

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        self.parameters = 0
        self.fingerprint = f"pixels@{VERSION} side={side}"

    def prepare_image(self, image: Pixels) -> Vectors:
        """Return (3 side side) float32 numbers in 0..1: rows, in them columns, in them red, green and blue."""
        small = image.convert("RGB").resize((self.side, self.side), PIL.Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).ravel() / np.float32(255)

    def embed_images(self, images: list[Vectors]) -> Vectors:
        """Return (n, 3 side side) float32 vectors of prepared pictures; that of a black one is zero."""
        return np.stack(images)


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> RawPixels:
    """Return the baseline that `pixels` or `pixels:SIDE` names; device, dtype and network do not matter to it.

    Raises UsageError when SIDE is not a whole number in 1..256.
    """
    if rest and not (re.fullmatch(r"[0-9]{1,3}", rest) and 1 <= int(rest) <= LARGEST_SIDE):
        raise UsageError(f"pixels:{rest}: the side is a whole number of pixels in 1..{LARGEST_SIDE}, as in pixels:8")
    return RawPixels(int(rest or SIDE))
