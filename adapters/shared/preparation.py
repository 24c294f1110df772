"""Preparation of pictures by PIL and NumPy alone, as settings in a file say: what an exported model brings along."""

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import PIL.Image
from pydantic import Field

from mmbench.adapters.shared.known_keys import KnownKeys

Pixels = npt.NDArray[np.uint8]

_Side = Annotated[int, Field(ge=1, le=4096)]
_Levels = Annotated[list[float], Field(min_length=3, max_length=3)]
_Divisors = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]


class Preparation(KnownKeys):
    """How a picture becomes numbers: resized, cut or padded around its middle, and normalised, in this order."""

    backend: Literal["pil"] = "pil"
    """What resizes. Libraries that resize tensors round otherwise."""
    resize: Literal["shortest", "cover", "longest", "squash", "none"]
    """`shortest`: the shorter side to `edge`, the longer one in proportion and cut to whole pixels. `cover`, `longest`:
    both in proportion and rounded, so that they cover the size or fit into it. `squash`: to the size."""
    edge: _Side | None = None
    """Length of the shorter side, for `shortest`; None: the smaller one of the size."""
    interpolation: Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"] = "bicubic"
    """Filter of PIL."""
    height: _Side
    """Of what the model sees, in pixels."""
    width: _Side
    """Of what the model sees, in pixels."""
    margin: Literal["even", "floor"] = "floor"
    """Half of an odd margin: rounded to the even number, as torchvision does, or down."""
    fill: Annotated[int, Field(ge=0, le=255)] = 0
    """Grey level of the padding."""
    mean: _Levels
    """Subtracted from each channel, in 0..1."""
    std: _Divisors
    """Divides each channel."""

    def pixels(self, picture: PIL.Image.Image) -> Pixels:
        """Return the (height, width, 3) pixels that the model sees of an RGB picture.

        Raises ValueError for one so narrow that nothing is left of its shorter side.
        """
        return self._placed(np.asarray(self._resized(picture)))

    def normalised(self, batch: list[Pixels]) -> npt.NDArray[np.float32]:
        """Return (n, 3, height, width) numbers of pixels."""
        stacked = np.stack(batch)
        made = np.empty((len(batch), 3, self.height, self.width), np.float32)
        for channel in range(3):
            made[:, channel] = self._tables[channel][stacked[..., channel]]
        return made

    @cached_property
    def _tables(self) -> npt.NDArray[np.float32]:
        levels = (np.arange(256) / 255).astype(np.float32)
        means, divisors = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        tables: npt.NDArray[np.float32] = (levels - means[:, None]) / divisors[:, None]
        return tables

    def _resized(self, picture: PIL.Image.Image) -> PIL.Image.Image:
        if self.resize == "none":
            return picture
        wide, high = self._target(*picture.size)
        if (wide, high) == picture.size:
            return picture
        return picture.resize((wide, high), PIL.Image.Resampling[self.interpolation.upper()])

    def _target(self, wide: int, high: int) -> tuple[int, int]:
        if self.resize == "squash":
            return self.width, self.height
        if self.resize == "shortest":
            edge = self.edge or min(self.height, self.width)
            longer = int(edge * max(wide, high) / min(wide, high))
            return (edge, longer) if wide <= high else (longer, edge)
        ratios = high / self.height, wide / self.width
        ratio = max(ratios) if self.resize == "longest" else min(ratios)
        return round(wide / ratio), round(high / ratio)

    def _placed(self, pixels: Pixels) -> Pixels:
        high, wide = pixels.shape[:2]
        if high < self.height or wide < self.width:
            above, left = (max(self.height - high, 0), max(self.width - wide, 0))
            padding = ((above // 2, (above + 1) // 2), (left // 2, (left + 1) // 2), (0, 0))
            pixels = np.pad(pixels, padding, constant_values=self.fill)
            high, wide = pixels.shape[:2]
        top, start = self._half(high - self.height), self._half(wide - self.width)
        return np.ascontiguousarray(pixels[top : top + self.height, start : start + self.width])

    def _half(self, margin: int) -> int:
        return round(margin / 2) if self.margin == "even" else margin // 2
