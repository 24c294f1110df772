"""Clips as the processors of transformers take them: frames that are chosen already, with what tells their times."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.adapters.hf.kinds import Clips
from mmbench.harness.models.abilities import Frames

_NEAR = 1e-3
"""Of the distance of two frames: a moment this near to that of a frame is its moment."""


def check(clips: Sequence[Frames], own: Clips, *, alone: bool) -> None:
    """Raise ValueError for clips of one question that the input of a model cannot take, `alone` or with pictures."""
    if own.apiece and not alone:
        raise ValueError("it takes clips or pictures in a question, not both; ask with hf:…,video=frames")
    lengths = sorted({len(clip.pictures) for clip in clips})
    if len(lengths) > 1 and not own.any_length:
        raise ValueError(
            f"its clips have {lengths[0]} and {lengths[-1]} frames, and this model takes several clips of one length "
            f"only; let `frames` take as many of each, or ask with hf:…,video=frames"
        )
    if own.timed and any(clip.timestamps is None for clip in clips):
        raise ValueError(
            "its clip has no times, and this model is told when each frame is shown; give the rate as `folder_fps` in "
            "`frames`, or ask with hf:…,video=frames"
        )


def arguments(clips: Sequence[Frames], least: int) -> dict[str, Any]:
    """Return the arguments of a processor for clips, whose frames it leaves as they are.

    A clip of fewer than `least` frames is filled up with its last one. Raises ValueError for frames of several sizes.
    """
    return {
        "videos": [pixels(clip, least) for clip in clips],
        "videos_kwargs": {
            "do_sample_frames": False,
            "input_data_format": "channels_last",
            "video_metadata": [told(clip) for clip in clips],
        },
    }


def pixels(clip: Frames, least: int) -> npt.NDArray[np.uint8]:
    """Return the (frames, height, width, 3) pixels of a clip. Raises ValueError where its frames differ in size."""
    frames = [np.asarray(picture) for picture in clip.pictures]
    sizes = sorted({frame.shape[1::-1] for frame in frames})
    if len(sizes) > 1:
        (a, b), (c, d) = sizes[0], sizes[-1]
        raise ValueError(
            f"its clip has frames of several sizes, {a} x {b} to {c} x {d}, which are no one video to this model; ask "
            f"with hf:…,video=frames"
        )
    return np.stack([*frames, *frames[-1:] * (least - len(frames))])


def told(clip: Frames) -> Mapping[str, Any]:
    """Return what transformers keeps of a clip: which of how many frames these are, at how many a second.

    Frames are placed by when they are shown, whatever their order and however the rate varies, so that place / rate is
    the time. Where they are spread over the whole clip, `total_num_frames` is its own number, by which the library
    counts how many are shown a second; else, as of a segment, that by which their mean distance comes out.
    """
    shown = len(clip.pictures)
    if clip.timestamps is None:
        return {"total_num_frames": shown, "fps": None, "frames_indices": list(range(shown))}
    rate = clip.fps or 1.0
    places = [time * rate for time in clip.timestamps]
    total = float(clip.total or shown)
    apart = (places[-1] - places[0]) / (shown - 1) if shown > 1 else 0.0
    if apart > 0 and abs(shown * apart - total) > apart + _NEAR:
        total = shown * apart
    return {
        "total_num_frames": total,
        "fps": rate,
        "duration": clip.total / clip.fps if clip.total and clip.fps else None,
        "frames_indices": [round(place) if abs(place - round(place)) < _NEAR else place for place in places],
    }
