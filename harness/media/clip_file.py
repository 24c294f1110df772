"""Video files by PyAV: every frame counted and timed without decoding, and the frames asked for decoded by seeks."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from errno import EINVAL
from pathlib import Path
from threading import Lock
from typing import Any

from mmbench.harness.errors import DataError, MmbenchError, Unreadable
from mmbench.harness.media.clip_index import ClipIndex, counted, index_of, stream_of
from mmbench.harness.media.cut_short import cut_short
from mmbench.harness.media.frame_pixels import LARGEST, Rgb, pixels_of
from mmbench.harness.media.image import Content, Image
from mmbench.harness.media.instead import MOST, instead, picture
from mmbench.harness.regular import open_regular, regular

_PIECE = 1 << 22

FORMATS = ("mov", "matroska", "avi", "gif", "mpegts", "mpeg", "ogg", "flv", "asf", "apng", "ivf")
"""Containers that are opened. Not among them are lists of other files and streams of a network, which a file from
outside could have opened too."""

_READ = "MP4, MOV, Matroska, WebM, AVI, GIF, APNG, MPEG, FLV, Ogg, ASF, IVF"

_OPTIONS = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file", "max_streams": "100"}


class ClipFile:
    """A video file, or its bytes."""

    def __init__(self, held: Path | bytes, locator: str) -> None:
        self._held = held
        self._locator = locator
        self.known_origin: str | None = None
        """The digest of the file's bytes, once they were read."""

    @property
    def held(self) -> int:
        """Bytes of the file that are held in memory."""
        return len(self._held) if isinstance(self._held, bytes) else 0

    def origin(self) -> str:
        """Return the digest of the file's bytes. Raises Unreadable."""
        if self.known_origin is None:
            total = hashlib.sha256()
            try:
                with io.BytesIO(self._held) if isinstance(self._held, bytes) else open_regular(self._held) as file:
                    while piece := file.read(_PIECE):
                        total.update(piece)
            except OSError as error:
                raise Unreadable(f"{self._locator}: {error.strerror or error}") from error
            self.known_origin = total.hexdigest()[:32]
        return self.known_origin

    def open(self, folder_fps: float | None) -> "_FileReel":  # noqa: ARG002 - a file has its own rate
        """Count and time the frames. Raises Unreadable, and DataError without PyAV."""
        self._refuse_cut()
        with ExitStack() as stack:
            container = stack.enter_context(self._opened())
            index = index_of(container, self._locator)
            if index is not None:
                return _FileReel(index, self._locator, self._opened, (stack.pop_all(), container), self.held)
        # A file that was read to its end is opened anew: not every one can go back to what lies before its first time.
        with self._opened() as container:
            return _FileReel(counted(container, self._locator), self._locator, self._opened, None, self.held)

    def spooled(self, folder: Path) -> "ClipFile":
        """Return the same with what it holds in memory written to a file of `folder`."""
        if isinstance(self._held, Path):
            return self
        file = folder / self.origin()
        if not file.exists():
            file.write_bytes(self._held)
        return ClipFile(file, self._locator)

    def _refuse_cut(self) -> None:
        try:
            with io.BytesIO(self._held) if isinstance(self._held, bytes) else open_regular(self._held) as file:
                missing = cut_short(file)
                file.seek(0)
                start = file.read(MOST)
        except OSError as error:
            raise Unreadable(f"{self._locator}: {error.strerror or error}") from error
        if found := instead(start):
            raise Unreadable(f"{self._locator}: not a readable video ({found})")
        if missing:
            raise Unreadable(f"{self._locator}: the file is cut: at least {missing:,} bytes of it are missing")

    def _start(self) -> bytes:
        with io.BytesIO(self._held) if isinstance(self._held, bytes) else open_regular(self._held) as file:
            return file.read(MOST)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        av = _pyav()
        opened = False
        try:
            held = io.BytesIO(self._held) if isinstance(self._held, bytes) else f"file:{regular(self._held)}"
        except OSError as error:
            raise Unreadable(f"{self._locator}: {error.strerror or error}") from error
        try:
            with av.open(held, container_options=_OPTIONS, metadata_errors="replace") as container:
                opened = True
                stream = stream_of(container)
                if stream is None:
                    cover = ", only the picture of a cover" if container.streams.video else ""
                    raise Unreadable(f"{self._locator}: there is no video in it{cover}")
                if stream.codec_context is None:
                    raise Unreadable(f"{self._locator}: its video is of a codec that nothing here decodes")
                yield container
        except (MmbenchError, KeyboardInterrupt, GeneratorExit, MemoryError):
            raise
        except Exception as error:  # decoders raise whatever they meet in damaged files
            if not opened and getattr(error, "errno", None) == EINVAL:  # of a container that is not in the list
                told = picture(self._start()) or f"what is read: {_READ}; save it as one of these"
                raise Unreadable(f"{self._locator}: not a readable video ({told})") from error
            raise Unreadable(f"{self._locator}: not a readable video ({_reason(error)})") from error


def _pyav() -> Any:
    try:
        import av
    except ImportError as error:
        raise DataError("videos need PyAV; install it with: pip install 'mmbench[video]'") from error
    return av


def _reason(error: BaseException) -> str:
    """Return why in a few words, without what a file may have written into them."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return "".join(each if each.isprintable() else " " for each in str(said))[:200]


class _FileReel:
    """An open clip of a file: what is in it, and its frames by one pass that many readers share."""

    def __init__(
        self,
        index: ClipIndex,
        locator: str,
        opened: Callable[[], Any],
        first: tuple[ExitStack, Any] | None,
        held: int,
    ) -> None:
        self._held = held
        self._first = first
        """The open file, for the first pass: to open one again costs a tenth of what eight frames do."""
        self._index = index
        self._locator = locator
        self._opened = opened
        self.total = len(index)
        """Frames."""
        self.times: Sequence[float] = index.times
        """Seconds at which they are shown."""
        self.fps: float | None = index.fps
        """Frames a second."""
        self.decoder = f"PyAV {_pyav().__version__}"
        """What decodes them."""

    def frames(self, indices: Sequence[int]) -> list[Image]:
        """Return the pictures at these ascending indices, which are decoded when read, in one pass."""
        shared = _Pass(indices, self._decoded)
        share = self._held // len(indices)  # a file in memory stays there until the last of its frames was read
        return [
            Image(lambda index=index: self._content(shared, index), f"{self._locator} frame {index}", beside=share)  # type: ignore[misc]
            for index in indices
        ]

    def _content(self, shared: "_Pass", index: int) -> Content:
        pixels, changes = shared.take(index)
        return replace(Image.from_array(pixels, f"{self._locator} frame {index}").read(), changes=changes)

    def _decoded(self, indices: Sequence[int]) -> Iterator[tuple[int, Rgb, tuple[str, ...]]]:
        """Yield the pixels at ascending indices. Raises Unreadable where one cannot be decoded."""
        first, self._first = self._first, None
        with ExitStack() as stack:
            if first is None:
                container = stack.enter_context(self._opened())
            else:
                container = first[1]
                stack.push(first[0].__exit__)
            stream = stream_of(container)
            stream.thread_type = "NONE"  # clips are decoded beside each other; threads for one cost more than they give
            stream.codec_context.options = {"max_pixels": str(LARGEST)}
            for index, frame in self._index.decoded(container, indices, self._locator):
                yield index, *pixels_of(frame, f"{self._locator} frame {index}")


class _Pass:
    """One pass of decoding, which goes on as far as somebody asks; what was passed waits for who asks for it."""

    def __init__(self, indices: Sequence[int], decode: Callable[[Sequence[int]], Iterator[Any]]) -> None:
        self._decode = decode
        self._lock = Lock()
        self._left = list(indices)
        self._running: Iterator[Any] | None = None
        self._waiting: dict[int, tuple[Rgb, tuple[str, ...]]] = {}

    def take(self, index: int) -> tuple[Rgb, tuple[str, ...]]:
        """Return the pixels at an index and what was done to them. Raises Unreadable."""
        with self._lock:
            if index not in self._waiting and index in self._left:
                self._advance(index)
            if index in self._waiting:
                return self._waiting.pop(index)
        for _, pixels, changes in self._decode([index]):  # asked once more: it alone
            return pixels, changes
        raise AssertionError("a pass yields what it is asked for")

    def _advance(self, index: int) -> None:
        try:
            if self._running is None:
                self._running = self._decode(list(self._left))
            while index in self._left:
                place, pixels, changes = next(self._running)
                self._left.remove(place)
                self._waiting[place] = pixels, changes
        except Unreadable:
            self._left = [place for place in self._left if place > index]  # the others are tried from there on
            self._running = None
            raise
        if not self._left:
            next(self._running, None)  # to its end: closed before it, its error would hold the decoder's memory
            self._running = None
