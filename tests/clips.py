"""Clips drawn by PyAV whose pixels carry their own index: eight bars, each the black or white of one bit."""

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

BITS = 8
_UNIT = Fraction(1, 1000)


def frame(index: int, width: int = 64, height: int = 32) -> npt.NDArray[np.uint8]:
    """Return (height, width, 3) pixels that show the bits of `index`, the lowest on the left."""
    bits = [(index >> bit) & 1 for bit in range(BITS)]
    row = np.repeat(np.array(bits, np.uint8) * 255, -(-width // BITS))[:width]
    return np.repeat(np.tile(row, (height, 1))[..., None], 3, axis=2)


def index_in(pixels: object) -> int:
    """Return the index that a frame's pixels carry."""
    grey = np.asarray(pixels).mean(axis=2)
    width = -(-grey.shape[1] // BITS)
    middle, quarter = grey.shape[0] // 2, width // 4
    bars = [grey[middle - 2 : middle + 2, bit * width + quarter : (bit + 1) * width - quarter] for bit in range(BITS)]
    return sum(int(bar.mean() > 127) << bit for bit, bar in enumerate(bars))


def drawn(
    container: str,
    codec: str,
    frames: int = 40,
    *,
    size: tuple[int, int] = (64, 32),
    times: Sequence[int] | None = None,
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    rotation: int = 0,
) -> bytes:
    """Return a file of so many frames at 25 a second, or at `times` in milliseconds."""
    import av

    held = io.BytesIO()
    with av.open(held, "w", format=container) as made:
        stream = made.add_stream(codec, rate=25, options=dict(options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        if rotation:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = _UNIT
        for index in range(frames):
            shown = av.VideoFrame.from_ndarray(frame(index, *size), format="rgb24").reformat(format=pixels)
            if times is not None:
                shown.pts, shown.time_base = times[index], _UNIT
            made.mux(stream.encode(shown))
        made.mux(stream.encode())
    return held.getvalue()


def written(path: Path, *given: object, **options: object) -> Path:
    """Write a clip of `drawn` to a file and return its path."""
    path.write_bytes(drawn(*given, **options))  # type: ignore[arg-type]
    return path
