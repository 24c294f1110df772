"""Videos beside images: a digest and lazy frames, each of them a picture as any other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import Unreadable
from mmbench.harness.media import clip_file
from mmbench.harness.media.footage import Footage, FrameFolder, Gone, Pictures, Reel
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.media.image import Content, Image
from mmbench.harness.media.pixels import SAMPLED_BY_TIME

Places: TypeAlias = Callable[[Sequence[Image]], Sequence[int]]
"""Given the frames that are shown, which of them are, 0-based and in the order in which they are shown instead."""

WHOLE = FrameSpec(sampler="all")
"""Of a clip of which nobody said otherwise."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Which frames of a clip are shown, known once it was opened."""

    indices: tuple[int, ...]
    """0-based, in the clip as it lies in its file."""
    timestamps: tuple[float, ...] | None
    """Seconds at which they are shown, ascending; None where the clip has no rate."""
    decoder: str
    """What decodes it, with its version; empty for frames that are pictures."""
    fps: float | None = None
    """Frames a second of the whole clip."""
    total: int = 0
    """Frames of the whole clip."""

    def as_json(self) -> dict[str, Json]:
        """Return what outcomes keep of it."""
        times = None if self.timestamps is None else [round(time, 6) for time in self.timestamps]
        return {
            "indices": list(self.indices),
            "timestamps": times,
            **({"decoder": self.decoder} if self.decoder else {}),
        }


class Video:
    """A clip: a digest, and the frames that a frame spec takes of it, decoded when they are read."""

    __slots__ = (
        "_arranged",
        "_base",
        "_digest",
        "_failed",
        "_footage",
        "_part",
        "_spec",
        "_taken",
        "_together",
        "changes",
        "locator",
    )

    drawn = False
    """No read of a clip is free."""

    def __init__(
        self,
        footage: Footage,
        locator: str,
        spec: FrameSpec = WHOLE,
        part: tuple[float | None, float | None] = (None, None),
        arranged: tuple[tuple[str, Places], ...] = (),
        together: str | None = None,
    ) -> None:
        self._footage = footage
        self._spec = spec
        self._part = part
        self._arranged = arranged
        self._together = together
        self._base: Video | None = None
        self._digest: str | None = None
        self._failed = False
        self._taken: Taken | None = None
        self.locator = locator
        """Location of the clip for a person: a path, or a row of a data file."""
        self.changes: tuple[str, ...] = ()
        """What is done to it besides decoding, known once it was opened: keys of `pixels.NOTES`."""

    @classmethod
    def from_path(cls, path: Path, locator: str | None = None) -> "Video":
        """A video file, or a folder of frames, opened only when asked."""
        shown = locator or str(path)
        if path.is_dir():
            return cls(FrameFolder(path, shown), shown)
        return cls(clip_file.ClipFile(path, shown), shown)

    @classmethod
    def from_bytes(cls, data: bytes, locator: str) -> "Video":
        """An encoded video already in memory."""
        return cls(clip_file.ClipFile(data, locator), locator)

    @classmethod
    def of_frames(
        cls,
        images: Sequence[Image],
        locator: str = "frames in memory",
        *,
        fps: float | None = None,
        timestamps: Sequence[float] | None = None,
    ) -> "Video":
        """A clip whose frames are pictures, in order; at `fps` a second, or shown at `timestamps` in seconds."""
        times = None if timestamps is None else tuple(float(time) for time in timestamps)
        return cls(Pictures(tuple(images), times, fps, locator), locator)

    def sampled(self, spec: FrameSpec, start: float | None = None, end: float | None = None) -> "Video":
        """Return the same clip shown by the frames that `spec` takes of it, from `start` to `end` in seconds."""
        return Video(self._footage, self.locator, spec, (start, end), together=self._together)

    def arranged(self, name: str, places: Places) -> "Video":
        """Return the clip with some of its shown frames, or with all in another order.

        The moments at which frames are shown stay where they are. `name` says all that `places` depends on: it becomes
        part of the digest.
        """
        arranged = (*self._arranged, (name, places))
        made = Video(self._footage, self.locator, self._spec, self._part, arranged, self._together)
        made._base = self  # whose outcome tells what was shown of it
        return made

    def together(self, name: str) -> "Video":
        """Return the same clip, not independent of all others with this name: they are one cluster."""
        return Video(self._footage, self.locator, self._spec, self._part, self._arranged, name)

    def without_pixels(self) -> "Video":
        """What stays of a clip when its work is done: digests, locator and what was taken, none of the bytes."""
        bare = Video(Gone(self._footage.known_origin, self.locator), self.locator, together=self._together)
        bare._digest, bare._taken, bare.changes, bare._failed = self._digest, self._taken, self.changes, self._failed
        return bare

    def spooled(self, folder: Path) -> "Video":
        """The same clip, with the bytes it may hold in memory written to a file of `folder`. Raises Unreadable."""
        footage = self._footage.spooled(folder)
        return Video(footage, self.locator, self._spec, self._part, self._arranged, self._together)

    @property
    def held(self) -> int:
        """Bytes of files that it holds in memory."""
        return self._footage.held

    @property
    def taken(self) -> Taken | None:
        """Which frames are shown; None until the clip was opened."""
        return self._taken

    @property
    def indices(self) -> tuple[int, ...]:
        """0-based indices of the frames that are shown, in their order. Raises Unreadable."""
        return self._looked().indices

    @property
    def timestamps(self) -> tuple[float, ...] | None:
        """Seconds at which they are shown; None where the clip has no rate. Raises Unreadable."""
        return self._looked().timestamps

    @property
    def known_digest(self) -> str | None:
        """The digest where it is known without a read."""
        return self._digest

    @property
    def cluster(self) -> str:
        """What clips that are not independent share: the digest of the whole file, where it was read."""
        return self._together or self._footage.known_origin or self.locator

    @property
    def settled(self) -> bool:
        """True when the digest is known, or when the last read found that there is none."""
        return self._failed or self._digest is not None

    @property
    def digest(self) -> str:
        """The digest of content, frame spec, segment and order, read now unless it is known. Raises Unreadable."""
        if self._digest is None:
            try:
                origin = self._footage.origin()
            except Unreadable:
                self._failed = True
                raise
            names = [name for name, _ in self._arranged]
            self._digest = digest_json(["video", origin, self._spec.as_json(), list(self._part), names])
        return self._digest

    def frames(self) -> tuple[Image, ...]:
        """Return the frames that are shown, each a picture of its own; none is decoded yet. Raises Unreadable."""
        _ = self.digest  # before the frames: whoever has read these knows it
        try:
            reel = self._footage.open(self._spec.folder_fps)
            times = reel.times or [float(place) for place in range(reel.total)]
            indices = self._spec.take(times, reel.fps, self.locator, self._part)
        except Unreadable:
            self._failed = True
            raise
        made = _pictures(reel, indices, twice=bool(self._arranged))
        shown = list(range(len(indices)))
        for _, places in self._arranged:
            shown = [shown[place] for place in places([made[indices[place]] for place in shown])]
        order = tuple(indices[place] for place in shown)
        # By their places, not by their indices: a sampler may show a short clip twice over.
        moments = None if reel.times is None else tuple(times[indices[place]] for place in sorted(shown))
        self._taken = Taken(order, moments, reel.decoder, reel.fps, reel.total)
        if self._base is not None:
            self._base._taken = self._taken
        self.changes = (SAMPLED_BY_TIME,) if self._spec.by_time(times) else ()
        if made.keys() != set(order):  # one pass would decode those too that are shown no more
            made = _pictures(reel, order, twice=False)
        return tuple(made[index] for index in order)

    def _looked(self) -> Taken:
        if self._taken is None:
            self.frames()
        assert self._taken is not None  # noqa: S101 - `frames` sets it or raises
        return self._taken


def _pictures(reel: Reel, indices: Sequence[int], *, twice: bool) -> dict[int, Image]:
    """Return the frames at these indices; those that are read `twice` are decoded once all the same."""
    distinct = sorted(set(indices))
    twice = twice or len(distinct) < len(indices)
    made = zip(distinct, reel.frames(distinct), strict=True)
    return {index: frame.once() if twice else frame for index, frame in made}


Medium: TypeAlias = Image | Video
"""What a sample shows."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames of one clip among the pictures of a question."""

    first: int
    """Place of its first frame."""
    count: int
    """Its frames, one after the other."""
    timestamps: tuple[float, ...] | None
    """Seconds at which they are shown; None where the clip has no rate."""
    indices: tuple[int, ...] = ()
    """0-based, in the whole clip."""
    fps: float | None = None
    """Frames a second of the whole clip."""
    total: int = 0
    """Frames of the whole clip."""

    def as_json(self) -> Json:
        """Return what an answer may depend on besides the pixels."""
        times = None if self.timestamps is None else list(self.timestamps)
        return [self.first, self.count, times, self.fps, self.total]


def read_media(media: Sequence[Medium]) -> tuple[tuple[Content, ...], tuple[Clip, ...]]:
    """Read pictures and the frames of clips, and say which are which. Raises Unreadable."""
    contents: list[Content] = []
    clips: list[Clip] = []
    for medium in media:
        if isinstance(medium, Image):
            contents.append(medium.read())
            continue
        first = len(contents)
        contents.extend(image.read() for image in medium.frames())
        if taken := medium.taken:
            count = len(contents) - first
            clips.append(Clip(first, count, taken.timestamps, taken.indices, taken.fps, taken.total))
    return tuple(contents), tuple(clips)


def pictures_of(medium: Medium) -> tuple[Image, ...]:
    """Return the pictures of a medium: itself, or the frames of a clip. Raises Unreadable."""
    return medium.frames() if isinstance(medium, Video) else (medium,)
