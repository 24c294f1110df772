"""A file of a repository of the hub read where it lies, in small pieces, for a look at its beginning and its end."""

import io

from mmbench.harness.errors import DataError
from mmbench.harness.hub.repository import Repository

_PIECE = 1 << 17
"""Bytes that are asked for at a time."""
MOST = 32_000_000
"""Bytes of one file that a look may take."""


class Spent(DataError):
    """A look would take more of a file than it may."""


class Remote(io.RawIOBase):
    """A file that is read by ranges, each asked for once. Reading raises DataError, Spent after MOST bytes."""

    def __init__(self, repository: Repository, path: str) -> None:
        self._repository = repository
        self._path = path
        self._size = repository.bytes_of([path])
        self._at = 0
        self._pieces: dict[int, bytes] = {}

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def size(self) -> int:
        """Return the size in bytes."""
        return self._size

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, fewer at the end."""
        stop = self._size if size is None or size < 0 else min(self._at + size, self._size)
        found = b"".join(self._piece(number) for number in range(self._at // _PIECE, -(-stop // _PIECE)))
        first = self._at // _PIECE * _PIECE
        content = found[self._at - first : stop - first]
        self._at += len(content)
        return content

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Read into a buffer and return how many bytes."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _piece(self, number: int) -> bytes:
        if number not in self._pieces:
            if len(self._pieces) * _PIECE >= MOST:
                raise Spent(
                    f"{self._path} of {self._repository.name}: more than {MOST / 1e6:.0f} MB would be looked at"
                )
            start = number * _PIECE
            self._pieces[number] = self._repository.part(self._path, start, min(start + _PIECE, self._size))
        return self._pieces[number]
