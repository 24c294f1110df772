"""Masked pictures: derived from an item's own, so that what a model answers to each is remembered."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageFilter

from mmbench.harness.ask.controls import MID_GREY
from mmbench.harness.digest import Json, digest_bytes
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.metrics.attribution import Patch, Places, exchanged, rise_mask
from mmbench.harness.numerics.arrays import Floats

VERSION = 1
"""Raised whenever the same parameters would give other pixels."""

KEEP = 0.5
"""Share of a grid that a mask of RISE shows."""

_SIGMA = 5 / 224
"""Of the blur that an insertion begins with, in parts of a picture's side (Petsiuk et al. 2018)."""

Fill = Literal["grey", "mean"]
"""What stands in place of what is hidden."""

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


def side_of(width: int, height: int) -> float:
    """Return the side of the square that has as many pixels."""
    return math.sqrt(width * height)


def colour_of(picture: Pixels, fill: Fill) -> Colour:
    """Return what stands in place of what is hidden: middle grey, or the mean colour of the picture."""
    if fill == "grey":
        return MID_GREY, MID_GREY, MID_GREY
    red, green, blue = (int(each) for each in np.asarray(picture).mean(axis=(0, 1)).round())
    return red, green, blue


def hide(picture: Image, patch: Patch, colour: Colour) -> Image:
    """Return a picture with a patch of one colour."""
    place = [patch.left, patch.top, patch.right, patch.bottom]
    return picture.derive(hidden, {"patch": place, "colour": list(colour)}, VERSION)


def hidden(parent: Pixels | None, /, **params: Any) -> Pixels:
    """Return the pixels with a patch of one colour; the operation behind `hide`."""
    made = _of(parent).copy()
    made.paste(tuple(params["colour"]), tuple(params["patch"]))
    return made


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask of RISE, drawn by a seed and its number."""

    seed: int
    number: int
    cells: int
    """Of a side of its grid."""

    def of(self, width: int, height: int) -> Floats:
        """Return the (height, width) share of each pixel that it shows."""
        draw = np.random.default_rng([self.seed, self.number])
        grid = draw.random((self.cells, self.cells)) < KEEP
        down, right = draw.random(2)
        return rise_mask(grid, (float(down), float(right)), height, width)

    def over(self, picture: Image, colour: Colour) -> Image:
        """Return a picture that fades to one colour where the mask does not show it."""
        mask: list[Json] = [self.seed, self.number, self.cells]
        return picture.derive(faded, {"mask": mask, "colour": list(colour)}, VERSION)


def faded(parent: Pixels | None, /, **params: Any) -> Pixels:
    """Return the pixels through a mask of RISE; the operation behind `Mask.over`."""
    picture = _of(parent)
    shown = (Mask(*params["mask"]).of(*picture.size) * 255).round().astype(np.uint8)
    plain = PIL.Image.new("RGB", picture.size, tuple(params["colour"]))
    return PIL.Image.composite(picture, plain, PIL.Image.fromarray(shown))


class Turned:
    """The operation that exchanges pixels of a picture in an order, by which it is identified."""

    def __init__(self, order: Places) -> None:
        self.__name__ = "turned"
        self._order = order
        self._digest = digest_bytes(b"order", np.ascontiguousarray(order, dtype="<i8").data.cast("B"))

    def deleted(self, picture: Image, count: int, colour: Colour) -> Image:
        """Return a picture of which the first pixels turned into one colour."""
        return picture.derive(self, {"count": count, "order": self._digest, "colour": list(colour)}, VERSION)

    def inserted(self, picture: Image, count: int) -> Image:
        """Return the blur of a picture of which the first pixels turned into its own."""
        return picture.derive(self, {"count": count, "order": self._digest}, VERSION)

    def __call__(self, parent: Pixels | None, /, **params: Any) -> Pixels:
        """Return the pixels of one point of a curve."""
        picture = _of(parent)
        own, colour = np.asarray(picture), params.get("colour")
        start, end = (np.asarray(blurred(picture)), own) if colour is None else (own, np.full_like(own, colour))
        made: npt.NDArray[Any] = exchanged(start, end, self._order, params["count"])
        return PIL.Image.fromarray(made)


def emptied(picture: Image, size: tuple[int, int], colour: Colour) -> Image:
    """Return a picture of which nothing is left but its size."""
    return hide(picture, Patch(0, 0, *size), colour)


def blur(picture: Image) -> Image:
    """Return a picture of which the coarsest alone is left, without edges."""
    return picture.derive(blurred, {}, VERSION)


def blurred(parent: Pixels | None, /, **_: Any) -> Pixels:
    """Return the pixels without detail; the operation behind `blur`."""
    picture = _of(parent)
    return picture.filter(PIL.ImageFilter.GaussianBlur(_SIGMA * side_of(*picture.size)))


def _of(parent: Pixels | None) -> Pixels:
    if parent is None:
        raise ValueError("a mask needs a picture that it lies over")
    return parent
