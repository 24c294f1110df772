"""Footage: where the frames of a clip come from, be it a file, pictures or a folder of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmbench.harness.digest import digest_json
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.frame_folder import frames_in
from mmbench.harness.media.image import Image


class Reel(Protocol):
    """An open clip."""

    @property
    def total(self) -> int:
        """Frames."""

    @property
    def times(self) -> Sequence[float] | None:
        """Seconds at which its frames are shown, ascending; None where it has no rate."""

    @property
    def fps(self) -> float | None:
        """Frames a second."""

    @property
    def decoder(self) -> str:
        """What decodes it, with its version."""

    def frames(self, indices: Sequence[int]) -> Sequence[Image]:
        """Return the pictures at these indices, which are decoded when read."""


class Footage(Protocol):
    """Where the frames of a clip come from."""

    @property
    def known_origin(self) -> str | None:
        """The digest of the content where it is known without a read."""

    @property
    def held(self) -> int:
        """Bytes of files that it holds in memory."""

    def origin(self) -> str:
        """Return the digest of the content. Raises Unreadable."""

    def open(self, folder_fps: float | None) -> Reel:
        """Open it; `folder_fps` is the rate of frames that have none. Raises Unreadable."""

    def spooled(self, folder: Path) -> "Footage":
        """Return the same with what it holds in memory written to a file of `folder`."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Frames that are pictures, as footage and as reel."""

    images: tuple[Image, ...]
    given: tuple[float, ...] | None
    rate: float | None
    locator: str
    decoder: str = ""

    @property
    def known_origin(self) -> str | None:
        """The digest of the content where it is known without a read."""
        digests = [image.known_digest for image in self.images]
        return None if None in digests else self._digest([str(digest) for digest in digests])

    @property
    def held(self) -> int:
        """Bytes of files that it holds in memory."""
        return sum(image.held for image in self.images)

    def origin(self) -> str:
        """Return the digest of the content. Raises Unreadable."""
        return self._digest([image.digest for image in self.images])

    def _digest(self, digests: list[str]) -> str:
        return digest_json(["frames", digests, self.rate, None if self.given is None else list(self.given)])

    def open(self, folder_fps: float | None) -> "Pictures":
        """Open it. Raises Unreadable."""
        if not self.images:
            raise Unreadable(f"{self.locator}: there is no frame in it")
        rate = self.rate if self.rate is not None or self.given is not None else folder_fps
        return Pictures(self.images, self.given, rate, self.locator)

    def spooled(self, folder: Path) -> "Pictures":
        """Return the same with what it holds in memory written to a file of `folder`."""
        return Pictures(tuple(image.spooled(folder) for image in self.images), self.given, self.rate, self.locator)

    @property
    def total(self) -> int:
        """Frames."""
        return len(self.images)

    @property
    def times(self) -> tuple[float, ...] | None:
        """Seconds at which its frames are shown; None where it has no rate."""
        if self.given is not None or self.rate is None:
            return self.given
        return tuple(place / self.rate for place in range(len(self.images)))

    @property
    def fps(self) -> float | None:
        """Frames a second; None where it has no rate."""
        if self.rate is not None or self.given is None or len(self.given) < 2:
            return self.rate
        span = self.given[-1] - self.given[0]
        return (len(self.given) - 1) / span if span > 0 else None

    def frames(self, indices: Sequence[int]) -> Sequence[Image]:
        """Return the pictures at these indices."""
        return [self.images[index] for index in indices]


class FrameFolder:
    """A folder of frames, listed only when asked."""

    held = 0

    def __init__(self, folder: Path, locator: str) -> None:
        self._folder = folder
        self._locator = locator
        self._listed: Pictures | None = None

    @property
    def known_origin(self) -> str | None:
        """The digest of the content where it is known without a read."""
        return None if self._listed is None else self._listed.known_origin

    def origin(self) -> str:
        """Return the digest of the content. Raises Unreadable."""
        return self._frames().origin()

    def open(self, folder_fps: float | None) -> Reel:
        """Open it. Raises Unreadable."""
        return self._frames().open(folder_fps)

    def spooled(self, folder: Path) -> "FrameFolder":  # noqa: ARG002 - nothing of it is in memory
        """Return the same with what it holds in memory written to a file of `folder`."""
        return self

    def _frames(self) -> Pictures:
        if self._listed is None:
            self._listed = Pictures(frames_in(self._folder, self._locator), None, None, self._locator)
        return self._listed


@dataclass(frozen=True, slots=True)
class Gone:
    """Footage that is no longer held."""

    known_origin: str | None
    locator: str
    held: int = 0

    def origin(self) -> str:
        """Return the digest of the content. Raises Unreadable."""
        raise Unreadable(f"{self.locator}: the frames of this clip are no longer held")

    def open(self, folder_fps: float | None) -> Reel:  # noqa: ARG002 - as footage opens
        """Open it. Raises Unreadable."""
        raise Unreadable(f"{self.locator}: the frames of this clip are no longer held")

    def spooled(self, folder: Path) -> "Gone":  # noqa: ARG002
        """Return the same with what it holds in memory written to a file of `folder`."""
        return self
