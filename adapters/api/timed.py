"""Socket with a deadline: every operation ends by it, however slowly the other side goes on."""

import io
import selectors
import socket
import time
from typing import Any

_CHUNK = 1 << 16


class TimedSocket:
    """What `http.client` needs of a socket; each read and write is over by `until`, of `time.monotonic`."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self.until = until
        self._readers = 0
        self._closing = False

    def _limit(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)

    def sendall(self, data: Any) -> None:
        """Send all, or raise TimeoutError."""
        self._limit()
        self._sock.sendall(data)

    def readable(self) -> bool:
        """Tell whether a read would not wait."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._sock, selectors.EVENT_READ)
            return bool(waiting.select(0))

    def recv_into(self, buffer: Any) -> int:
        """Read into a buffer, or raise TimeoutError."""
        self._limit()
        return self._sock.recv_into(buffer)

    def makefile(self, *mode: Any, **more: Any) -> io.BufferedReader:
        """Return a reader, as of a socket."""
        self._readers += 1
        return io.BufferedReader(_Reader(self), _CHUNK)

    def left(self) -> None:
        """Hear that a reader is done."""
        self._readers -= 1
        if self._closing and not self._readers:
            self._sock.close()

    def close(self) -> None:
        """Close once nobody reads: the last answer of a connection is read after it was given up."""
        self._closing = True
        if not self._readers:
            self._sock.close()

    def kill(self) -> None:
        """Close now."""
        self._sock.close()


class _Reader(io.RawIOBase):
    """The bytes of a timed socket."""

    def __init__(self, sock: TimedSocket) -> None:
        self._timed = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._timed.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._timed.left()
