"""Which frames of a clip are taken: samplers by name, each as its source takes them, to the index.

`uniform` (`linspace-floor`), `linspace-round`, `interval-middle` (`centre`), `inner`, `fps`, `first` and `all` are the
plain ones; the others bear the name of the code whose frames they are, for the same words ("uniform, 8 frames") mean
other frames there.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError, nearest
from mmbench.harness.metrics.arguments import listed, number, shown, whole


class _Clip(NamedTuple):
    """What a sampler is asked."""

    total: int
    wanted: int
    fps: float
    rate: float | None
    bound: tuple[float, float] | None

    def pace(self, usual: float) -> float:
        """Frames a second to take."""
        return usual if self.rate is None else self.rate


Indices = list[int]


def _floor(clip: _Clip) -> Indices:
    return _linspace(clip.total, clip.wanted)


def _round(clip: _Clip) -> Indices:
    return _ints(np.round(np.linspace(0, clip.total - 1, clip.wanted)))


def _centre(clip: _Clip) -> Indices:
    return [int((i + 0.5) * clip.total / clip.wanted) for i in range(clip.wanted)]


def _inner(clip: _Clip) -> Indices:
    return [int(i * clip.total / (clip.wanted + 1)) for i in range(1, clip.wanted + 1)]


def _lmms(clip: _Clip) -> Indices:
    return sorted(set(_linspace(clip.total, min(clip.total, clip.wanted))))


def _lmms_last(clip: _Clip) -> Indices:
    return [*_lmms(clip)[:-1], clip.total - 1]


def _lmms_fps(clip: _Clip) -> Indices:
    count = max(1, min(clip.total, clip.wanted, int(clip.total / clip.fps * clip.pace(1.0))))
    return _lmms(clip._replace(wanted=count))


def _internvl_mvbench(clip: _Clip) -> Indices:
    return _middles(0, clip.total - 1, clip.wanted)


def _internvl_mvbench_bound(clip: _Clip) -> Indices:
    if clip.bound is None:
        raise ArgumentError("this sampler takes its frames between two times; give bound=(start, end) in seconds")
    start, end = max(0, round(clip.bound[0] * clip.fps)), min(round(clip.bound[1] * clip.fps), clip.total - 1)
    if start > end:
        raise ArgumentError(f"the part from {clip.bound[0]:g} s starts behind the last frame of the clip")
    return _middles(start, end, clip.wanted)


def _vlmevalkit_mvbench(clip: _Clip) -> Indices:
    segment = (clip.total - 1) / clip.wanted
    return [int(segment / 2 + np.round(segment * i)) for i in range(clip.wanted)]


def _vlmevalkit_fps(clip: _Clip) -> Indices:
    wanted = clip.pace(1.0)
    step = clip.fps / wanted
    return [int(i * step) for i in range(int(clip.total / clip.fps * wanted))]


def _mteb(clip: _Clip) -> Indices:
    taken = list(range(0, clip.total, max(1, clip.total // clip.wanted)))[: clip.wanted]
    return [taken[i % len(taken)] for i in range(clip.wanted)]


def _mteb_fps(clip: _Clip) -> Indices:
    count = min(64, max(1, int(clip.total / clip.fps * clip.pace(2.0))))
    return list(range(0, clip.total, max(1, clip.total // count)))[:count]


def _qwen_utils(clip: _Clip) -> Indices:
    return _torch_linspace(clip.total, _within(round(clip.wanted / 2) * 2, clip.total))


def _qwen_utils_fps(clip: _Clip) -> Indices:
    least, most = 4, min(768, clip.total // 2 * 2)
    count = clip.total / clip.fps * clip.pace(2.0)
    count = min(max(count, least), most, clip.total)
    return _torch_linspace(clip.total, _within(math.floor(count / 2) * 2, clip.total))


def _hf_default(clip: _Clip) -> Indices:
    if clip.wanted > clip.total:
        raise ArgumentError(f"{clip.wanted} frames are asked of a clip of {clip.total}; this sampler takes none twice")
    return [i * clip.total // clip.wanted for i in range(clip.wanted)]


def _hf_qwen2_fps(clip: _Clip) -> Indices:
    most = min(768, clip.total) // 2 * 2
    count = clip.total / clip.fps * clip.pace(2.0)
    count = min(max(count, 4), most, clip.total) // 2 * 2
    if not count:
        raise ArgumentError("a clip of one frame is too short for this sampler, which takes two at least")
    return _torch_arange(0.0, clip.total, clip.total / count)


def _hf_qwen3_fps(clip: _Clip) -> Indices:
    count = int(clip.total / clip.fps * clip.pace(2.0))
    count = min(max(count, 4), 768, clip.total)
    return _ints(np.round(np.linspace(0, clip.total - 1, count)))


def _hf_internvl(clip: _Clip) -> Indices:
    if clip.wanted > clip.total:
        raise ArgumentError(f"{clip.wanted} frames are asked of a clip of {clip.total}; this sampler takes none twice")
    step = clip.total / clip.wanted
    return _torch_arange(step / 2, clip.total, step)


def _clip4clip(clip: _Clip) -> Indices:
    seconds = list(range(0, clip.total, max(1, int(clip.fps))))
    return [seconds[i] for i in _linspace(len(seconds), clip.wanted)] if len(seconds) > clip.wanted else seconds


def _llava_video(clip: _Clip) -> Indices:
    taken = list(range(0, clip.total, max(1, round(clip.fps / clip.pace(1.0)))))
    return _linspace(clip.total, clip.wanted) if len(taken) > clip.wanted else taken


def _fps(clip: _Clip) -> Indices:
    """Return a frame at each step of time from the first on, and evenly spread ones where those are too many."""
    step = clip.fps / clip.pace(1.0)
    count = max(1, math.ceil(clip.total / step - 1e-9))
    if count > clip.wanted:
        return _floor(clip)
    return [min(clip.total - 1, int(i * step + 1e-9)) for i in range(count)]


_SAMPLERS: dict[str, Callable[[_Clip], Indices]] = {
    "uniform": _floor,
    "interval-middle": _centre,
    "fps": _fps,
    "first": lambda clip: list(range(min(clip.wanted, clip.total))),
    "all": lambda clip: list(range(clip.total)),
    "linspace-floor": _floor,
    "linspace-round": _round,
    "centre": _centre,
    "inner": _inner,
    "lmms_uniform": _lmms,
    "lmms_uniform_last": _lmms_last,
    "lmms_uniform_fps": _lmms_fps,
    "decord_linspace_int": _floor,
    "linspace_round": _round,
    "internvl_mvbench": _internvl_mvbench,
    "internvl_mvbench_bound": _internvl_mvbench_bound,
    "vlmevalkit_nframe": _inner,
    "vlmevalkit_fps": _vlmevalkit_fps,
    "vlmevalkit_mvbench_mp4": _vlmevalkit_mvbench,
    "mteb_num_frames": _mteb,
    "mteb_fps": _mteb_fps,
    "qwen_vl_utils_nframes": _qwen_utils,
    "qwen_vl_utils_fps": _qwen_utils_fps,
    "hf_default": _hf_default,
    "hf_qwen2_vl_fps": _hf_qwen2_fps,
    "hf_qwen3_vl_fps": _hf_qwen3_fps,
    "hf_internvl": _hf_internvl,
    "clip4clip": _clip4clip,
    "llava_video_fps1": _llava_video,
    "tsn_center": _centre,
}

SAMPLERS = tuple(_SAMPLERS)
"""Their names."""

BY_TIME = ("uniform", "linspace-floor", "linspace-round", "interval-middle", "centre", "inner", "fps")
"""Those that go by time where a clip's rate varies; the code of others goes by index there, and its frames are kept."""

_MOST = 1 << 31
"""Frames of a clip at the most: a year of 60 a second."""

VERSION = 1
"""Raised when a name takes other frames than before."""


def frame_indices(
    sampler: str,
    total: int,
    count: int,
    fps: float,
    rate: float | None = None,
    bound: tuple[float, float] | None = None,
) -> list[int]:
    """Return the 0-based indices of the frames that a sampler takes of a clip of `total` frames at `fps` a second.

    `count` frames are asked for; samplers with `fps` in their name take `rate` frames a second instead (None: their
    own, 1 or 2) and `count` at most if at all. `bound` is the part in seconds that `internvl_mvbench_bound` looks at.
    Indices may repeat where the clip is shorter than `count`, or be none (`vlmevalkit_fps` of less than a second).
    Raises ArgumentError, a ValueError, where its source fails too.

    >>> frame_indices("linspace-floor", 60, 4, 30.0), frame_indices("linspace-round", 60, 4, 30.0)
    ([0, 19, 39, 59], [0, 20, 39, 59])
    >>> frame_indices("centre", 60, 4, 30.0), frame_indices("inner", 60, 4, 30.0)
    ([7, 22, 37, 52], [12, 24, 36, 48])
    >>> frame_indices("mteb_num_frames", 59, 32, 30.0)[-1]  # the second half is never seen
    31
    """
    if not isinstance(sampler, str) or sampler not in _SAMPLERS:
        raise ArgumentError(
            f"no sampler {shown(sampler)}{nearest(str(sampler), SAMPLERS)}; there are {', '.join(SAMPLERS)}"
        )
    whole(total, "total", most=_MOST)
    whole(count, "count", most=_MOST)
    for value, name in ((fps, "fps"), (rate, "rate")):
        if value is not None and number(value, name) <= 0:
            raise ArgumentError(f"{name} is above 0, not {value}")
    if fps is None:
        raise ArgumentError("fps is the number of frames a second of the clip, not None")
    if bound is not None:
        ends = [number(each, "an end of the part") for each in listed(bound, "the ends of a part")]
        if len(ends) != 2 or not 0 <= ends[0] < ends[1]:
            raise ArgumentError(f"a part goes from a time to a later one, not {shown(bound)}")
        bound = (ends[0], ends[1])
    return _SAMPLERS[sampler](_Clip(int(total), int(count), float(fps), rate, bound))


def _linspace(total: int, count: int) -> Indices:
    return _ints(np.linspace(0, total - 1, count))


def _middles(start: int, end: int, count: int) -> Indices:
    segment = (end - start) / count
    return [int(start + segment / 2 + np.round(segment * i)) for i in range(count)]


def _within(count: int, total: int) -> int:
    if not 2 <= count <= total:
        if total < 2:
            raise ArgumentError("a clip of one frame is too short for this sampler, which takes two at least")
        raise ArgumentError(f"this sampler takes an even number of frames from 2 to {total}, and {count} are asked")
    return count


def _torch_linspace(total: int, count: int) -> Indices:
    """Return what torch.linspace(0, total - 1, count).round() gives in single precision, counted from both ends."""
    end = np.float32(total - 1)
    step = end / np.float32(count - 1)
    place = np.arange(count, dtype=np.float32)
    half = count // 2
    made = np.where(place < half, step * place, end - step * (np.float32(count - 1) - place))
    return _ints(np.round(made))


def _torch_arange(start: float, end: int, step: float) -> Indices:
    """Return what torch.arange(start, end, step).int() gives: sums in double precision, rounded to single.

    Rounding may add `end` itself, a frame that does not exist and at which its source fails: it is left out.
    """
    made = (start + step * np.arange(math.ceil((end - start) / step))).astype(np.float32)
    return _ints(made[made < end])


def _ints(values: npt.NDArray[np.floating]) -> Indices:
    return [int(value) for value in values]
