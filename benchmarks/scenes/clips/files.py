"""Clips as MP4 files, written once from their frames and read again as anybody's clips are."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from mmbench.harness.digest import digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.media.image import Image
from mmbench.harness.records.files import replaced
from mmbench.harness.store.location import store_path

SIDE = 112
"""Pixels of a side."""
HELD = 3
"""Frames of the file for each frame of the clip."""
FPS = 24
_CODEC, _OPTIONS = "libx264", {"crf": "18", "preset": "veryfast"}
VERSION = 1
"""Raised whenever the same frames would be written otherwise."""


def filed(frames: Sequence[Image]) -> Path:
    """Return the MP4 file of these frames, which is written beside the store unless it is there.

    Raises DataError where PyAV is missing, and where the file cannot be written.
    """
    name = digest_json([VERSION, SIDE, HELD, FPS, [frame.digest for frame in frames]])
    path = store_path().with_name("clips") / f"{name}.mp4"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as partial:
                _write(frames, partial)
        except (OSError, ValueError) as error:  # ValueError: a PyAV without this encoder
            raise DataError(f"the clip {path} cannot be written ({error})") from error
    return path


def _write(frames: Sequence[Image], path: Path) -> None:
    try:
        import av
    except ImportError as error:
        raise DataError("clips in files need PyAV, which is not installed: pip install 'mmbench[video]'") from error
    with av.open(os.fspath(path), "w", format="mp4") as file:
        stream = file.add_stream(_CODEC, rate=FPS, options=_OPTIONS)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes on every machine
        for frame in frames:
            small = np.asarray(frame.pil().resize((SIDE, SIDE), PIL.Image.Resampling.BOX))
            for _ in range(HELD):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        file.mux(stream.encode())
