"""Frame spec: which frames of a clip a task shows, part of its protocol."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mmbench.harness.digest import Json
from mmbench.harness.errors import ArgumentError, Unreadable, nearest
from mmbench.harness.media.samplers import BY_TIME, SAMPLERS, VERSION, frame_indices

MOST_TAKEN = 4096
"""Frames of a clip that are shown at the most; all of them are in memory at a time for a model that reads them all."""

_UNEVEN = 0.5
"""Share of the mean distance of two frames by which some distance differs where the rate is said to vary."""


class FrameSpec(BaseModel):
    """The task-file key `frames`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sampler: str = "uniform"
    """A name of `SAMPLERS`."""
    count: int = Field(default=8, ge=1, le=MOST_TAKEN)
    """Frames to take."""
    fps: float | None = Field(default=None, gt=0, le=1000, allow_inf_nan=False)
    """Frames a second to take, for the samplers that go by a rate; None: their own."""
    folder_fps: float | None = Field(default=None, gt=0, le=1000, allow_inf_nan=False)
    """Frames a second of clips that are folders of pictures, which do not tell it themselves."""

    @field_validator("sampler")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in SAMPLERS:
            raise ValueError(f"there is no sampler '{name}'{nearest(name, SAMPLERS)}; there are {', '.join(SAMPLERS)}")
        return name

    @model_validator(mode="after")
    def _heard(self) -> "FrameSpec":
        if self.fps is not None and "fps" not in self.sampler:
            raise ValueError(
                f"the sampler {self.sampler} takes `count` frames whatever `fps` says; for frames at a rate name "
                "`sampler: fps`, of which `count` are the most"
            )
        return self

    def as_json(self) -> dict[str, Json]:
        """Return what the protocol id is made of."""
        rate = {} if self.folder_fps is None else {"folder_fps": self.folder_fps}
        return {"sampler": self.sampler, "version": VERSION, "count": self.count, "fps": self.fps, **rate}

    def take(
        self,
        times: Sequence[float],
        fps: float | None,
        locator: str,
        part: tuple[float | None, float | None] = (None, None),
    ) -> tuple[int, ...]:
        """Return the 0-based indices of the frames to show of a clip whose frames stand at `times`, in seconds.

        `part` is where the segment starts and ends that is looked at; without it the whole clip is. Raises Unreadable
        where there are none to show, or more than `MOST_TAKEN`.
        """
        start, end = part
        if start is not None and end is not None and end <= start:  # as some rows of ActivityNet have it
            raise Unreadable(f"{locator}: the segment ends at {end:g} s and starts at {start:g} s")
        first, last = 0, len(times) - 1
        bound = None
        if self.sampler.endswith("_bound"):
            bound = (part[0] or 0.0, times[-1] + 1.0 if part[1] is None else part[1])
        elif part != (None, None):
            first, last = _segment(times, part, locator)
        within = np.asarray(times[first : last + 1])
        if fps is None and self._by_rate:
            raise Unreadable(f"{locator}: its frames have no rate; give it as `folder_fps` in `frames`")
        try:
            taken = frame_indices(self.sampler, len(within), self.count, fps or 1.0, self.fps, bound)
        except ArgumentError as error:
            raise Unreadable(f"{locator}: {error}") from error
        if not taken:
            raise Unreadable(f"{locator}: the sampler {self.sampler} takes none of its {len(within)} frames")
        if len(taken) > MOST_TAKEN:
            raise Unreadable(f"{locator}: {len(taken)} frames would be shown, over the limit of {MOST_TAKEN}")
        if self.by_time(within):
            taken = _shown_at(within, taken)
        return tuple(first + index for index in taken)

    @property
    def _by_rate(self) -> bool:
        return "fps" in self.sampler or "bound" in self.sampler or self.sampler == "clip4clip"

    def by_time(self, times: Sequence[float] | np.ndarray) -> bool:
        """Tell whether frames are taken at even times and not at even indices, as their rate varies."""
        if self.sampler not in BY_TIME or len(times) < 3:
            return False
        steps = [after - before for before, after in pairwise(times)]
        mean = (times[-1] - times[0]) / len(steps)
        return bool(max(abs(step - mean) for step in steps) > _UNEVEN * mean)


def _segment(times: Sequence[float], part: tuple[float | None, float | None], locator: str) -> tuple[int, int]:
    """Return the first and the last frame of a segment: the one shown as it starts, and the last before its end."""
    start = times[0] if part[0] is None else part[0]
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1.0
    if start > times[-1] + step:
        raise Unreadable(f"{locator}: the segment starts at {start:g} s, and the clip ends at {times[-1] + step:.3g} s")
    near = 1e-6
    first = max(0, int(np.searchsorted(times, start + near, side="right")) - 1)
    last = len(times) - 1 if part[1] is None else int(np.searchsorted(times, part[1] - near, side="left")) - 1
    return first, max(first, last)


def _shown_at(times: np.ndarray, indices: Sequence[int]) -> list[int]:
    """Return the frames that are shown at the times which these indices would have at a constant rate."""
    step = (times[-1] - times[0]) / (len(times) - 1)
    moments = times[0] + step * np.asarray(indices)
    return [int(place) for place in np.searchsorted(times, moments + 1e-6, side="right") - 1]
