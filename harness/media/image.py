"""Images as a digest and lazy pixels, so that a remembered answer needs no decoding."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageFile

from mmbench.harness.digest import Json, digest_bytes, digest_json
from mmbench.harness.errors import Unreadable
from mmbench.harness.light import light
from mmbench.harness.media.pixels import FIRST_FRAME, Pixels, decode, look, rgb, upright_size
from mmbench.harness.regular import read_regular


class Operation(Protocol):
    """A deterministic rendering step: parent pixels (None for a scene made from nothing) and parameters to pixels."""

    __name__: str

    def __call__(self, parent: Pixels | None, /, **params: Any) -> Pixels: ...  # noqa: D102


@light(frozen=True, slots=True)
class Content:
    """One read of a picture: what identifies it and the means to decode it."""

    digest: str
    """32 hexadecimal characters; equal content, equal digest."""
    nbytes: int
    """Bytes held in memory until the content is dropped."""
    decode: Callable[[], Pixels]
    """Returns RGB pixels. Raises Unreadable."""
    changes: tuple[str, ...] = ()
    """What is done to the picture besides decoding: keys of `pixels.NOTES`."""
    size: tuple[int, int] | None = None
    """Width and height as people see it, where they are known without decoding."""


class Image:
    """A picture: a digest and lazy pixels.

    `digest` reads the file once and remembers the digest, not the bytes; `read` gives digest and pixels from one read.
    """

    __slots__ = ("_beside", "_digest", "_encoded", "_failed", "_read", "changes", "drawn", "locator", "params")
    taken: ClassVar[None] = None
    """Which frames of it are shown: it has none, as a clip has."""

    def __init__(
        self,
        read: Callable[[], Content],
        locator: str,
        digest: str | None = None,
        encoded: bytes | None = None,
        *,
        beside: int = 0,
        drawn: bool = False,
        params: dict[str, Json] | None = None,
    ) -> None:
        self._read = read
        self._digest = digest
        self._encoded = encoded
        self._beside = beside
        self._failed = False
        self.drawn = drawn
        """True where it is made from parameters alone: a read opens no file and takes microseconds."""
        self.params = params
        """What `render` made it from; None for any other picture."""
        self.locator = locator
        """Location of the picture for a person: a path, or a row of a data file."""
        self.changes: tuple[str, ...] = ()
        """What is done to it besides decoding, known with the digest: keys of `pixels.NOTES`."""

    @classmethod
    def from_path(cls, path: Path, locator: str | None = None) -> "Image":
        """A picture file, opened only when asked."""
        shown = locator or str(path)  # messages are kept with the outcomes, which may be shared: no path of a machine
        return cls(partial(_read_path, path, shown), shown)

    @classmethod
    def from_bytes(cls, data: bytes, locator: str) -> "Image":
        """An encoded picture already in memory."""
        return cls(partial(encoded, data, locator), locator, encoded=data)

    @classmethod
    def from_array(cls, array: npt.NDArray[np.uint8], locator: str) -> "Image":
        """Pixels as (height, width) grey levels or (height, width, 3) RGB, uint8."""
        return cls(partial(_raw, array, locator), locator)

    @classmethod
    def from_pil(cls, image: Pixels, locator: str = "in memory") -> "Image":
        """A picture that Pillow opened or made, identified by its RGB pixels. Raises Unreadable where it has none."""
        return cls.from_array(np.asarray(rgb(image, locator)), locator)

    @classmethod
    def render(
        cls,
        operation: Operation,
        params: dict[str, Json],
        version: int,
        locator: str,
        size: tuple[int, int] | None = None,
    ) -> "Image":
        """A picture made from parameters alone, drawn only when its pixels are asked for; its size may be known."""
        return _rendered(None, operation, params, version, locator, size)

    @classmethod
    def known(
        cls,
        draw: Callable[[], Pixels],
        locator: str,
        digest: str,
        size: tuple[int, int],
        params: dict[str, Json] | None = None,
    ) -> "Image":
        """A picture made from parameters alone, of which `render` has told digest and size; drawn when asked."""
        content = Content(digest, 0, draw, size=size)
        return cls(lambda: content, locator, digest, drawn=True, params=params)

    @classmethod
    def unreadable(cls, why: str, locator: str) -> "Image":
        """A picture of which only damage is left: whoever reads it is told why it cannot be."""

        def damaged() -> Content:
            raise Unreadable(why)

        return cls(damaged, locator)

    def derive(self, operation: Operation, params: dict[str, Json], version: int) -> "Image":
        """A picture made from this one; its digest is that of (this digest, operation name, params, version)."""
        return _rendered(self, operation, params, version, self.locator)

    def kept(self) -> "Image":
        """The same picture, decoded once: its pixels are held as long as it, or what is derived from it, is."""
        image = Image(Kept(self).read, self.locator, self._digest, drawn=self.drawn)
        image.changes = self.changes
        return image

    def without_pixels(self) -> "Image":
        """What stays of a picture when its work is done: digest and locator, none of the bytes it may hold."""
        bare = Image.unreadable(f"{self.locator}: the pixels of this picture are no longer held", self.locator)
        bare._digest, bare.changes = self._digest, self.changes
        return bare

    def spooled(self, folder: Path) -> "Image":
        """The same picture, with the bytes it may hold in memory written to a file of `folder`. Raises Unreadable."""
        if self._encoded is None:
            return self
        file = folder / self.digest
        if not file.exists():
            file.write_bytes(self._encoded)
        return Image.from_path(file, self.locator)

    @property
    def held(self) -> int:
        """Bytes of files in memory that stay there for as long as it does: its own, and its part of a clip's."""
        return len(self._encoded or b"") + self._beside

    def once(self) -> "Image":
        """The same picture, which keeps what its first read gave for as long as it lives."""
        kept: list[Content] = []

        def read() -> Content:
            if not kept:
                kept.append(self.read())
            return kept[0]

        return Image(read, self.locator, self._digest, beside=self.held, drawn=self.drawn, params=self.params)

    def read(self) -> Content:
        """Return digest and pixels from one read. Raises Unreadable."""
        try:
            content = self._read()
        except Unreadable:
            self._failed = True
            raise
        self._digest, self._failed, self.changes = content.digest, False, content.changes
        return content

    @property
    def known_digest(self) -> str | None:
        """The digest where it is known without a read."""
        return self._digest

    @property
    def cluster(self) -> str:
        """What items that show it share: its digest where it is known, else its locator."""
        return self._digest or self.locator

    @property
    def settled(self) -> bool:
        """True when the digest is known, or when the last read found that there is none."""
        return self._failed or self._digest is not None

    @property
    def digest(self) -> str:
        """The digest, read now unless it is known. Raises Unreadable."""
        return self._digest or self.read().digest

    def pil(self) -> Pixels:
        """Return RGB pixels. Raises Unreadable."""
        return self.read().decode()

    def size(self) -> tuple[int, int]:
        """Return width and height as people see the picture, mostly from its header. Raises Unreadable."""
        content = self.read()
        return content.size or content.decode().size


class Kept:
    """A picture whose pixels are made when first asked for, and then held; may be used by several threads."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._lock = Lock()
        self._pixels: Pixels | None = None

    def read(self) -> Content:
        """Return what identifies the picture; nothing of its file stays in memory. Raises Unreadable."""
        return replace(self._image.read(), nbytes=0, decode=self.pixels)

    def pixels(self) -> Pixels:
        """Return RGB pixels, which nobody may change. Raises Unreadable."""
        with self._lock:
            if self._pixels is None:
                self._pixels = self._image.pil()
            return self._pixels


def _rendered(
    parent: Image | None,
    operation: Operation,
    params: dict[str, Json],
    version: int,
    locator: str,
    size: tuple[int, int] | None = None,
) -> Image:
    made: list[Content] = []

    draw = Drawing(parent, operation, params)

    def read() -> Content:
        if made:
            return made[0]
        recipe = [parent.digest if parent else None, operation.__name__, params, version]
        content = Content(digest_json(recipe), 0, draw, size=size)
        if parent is None:  # parameters alone stay as they are, where a file may change between two reads
            made.append(content)
        return content

    own = params if parent is None else None
    return Image(read, locator, drawn=parent is None or parent.drawn, params=own)


def _read_path(path: Path, locator: str) -> Content:
    return encoded(_read_file(path, locator), locator, path)


def _read_file(path: Path, shown: str) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise Unreadable(f"{shown}: {error.strerror or error}") from error


def encoded(data: bytes, locator: str, path: Path | None = None) -> Content:
    """Return the content of an encoded picture, and of which file it is, where it is one."""
    changes, opened = look(data)
    # What is done to the pixels belongs to the identity: vectors of the pixels without it may be remembered.
    parts = [change.encode() for change in changes if change != FIRST_FRAME]
    decoding = Encoded(data, locator, path, [opened])
    return Content(digest_bytes(b"encoded", data, *parts), len(data), decoding, changes, upright_size(opened))


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded picture that is decoded when it is called."""

    data: bytes
    locator: str
    path: Path | None
    """The file that it was read from."""
    _opened: list[PIL.ImageFile.ImageFile | None] = field(default_factory=list)
    """The picture as it was opened to look at its header, for the first who decodes it."""

    def __call__(self) -> Pixels:
        """Return RGB pixels. Raises Unreadable."""
        try:
            image = self._opened.pop()
        except IndexError:  # another call took it, and closed it
            image = None
        return decode(self.data, self.locator, image)


@dataclass(frozen=True, slots=True)
class Raw:
    """Pixels in memory."""

    array: npt.NDArray[np.uint8]

    def __call__(self) -> Pixels:
        """Return RGB pixels."""
        image = PIL.Image.fromarray(self.array)
        return image if image.mode == "RGB" else image.convert("RGB")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is drawn when it is called."""

    parent: Image | None
    operation: Operation
    params: dict[str, Json]

    def __call__(self) -> Pixels:
        """Return RGB pixels. Raises Unreadable where those of the parent cannot be read."""
        parent = self.parent.pil() if self.parent else None
        made = self.operation(parent, **self.params)
        return made if made.mode == "RGB" and made is not parent else made.convert("RGB")


def _raw(array: npt.NDArray[np.uint8], locator: str) -> Content:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)) or not array.size:
        raise Unreadable(f"{locator}: pixels of type {array.dtype} and shape {array.shape}, expected uint8 grey or RGB")
    array = np.ascontiguousarray(array)
    # Size and mode belong to the identity: the bytes of a 2 x 8 and of a 4 x 4 picture can be equal.
    return Content(
        digest_bytes(b"array", repr(array.shape).encode(), array.data.cast("B")),
        array.nbytes,
        Raw(array),
        size=(array.shape[1], array.shape[0]),
    )
