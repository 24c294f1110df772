"""Kept pictures: what an adapter prepared, for the questions of other kinds that show the same picture."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock

from mmbench.harness.engine.queue import nbytes_of
from mmbench.harness.models.abilities import Adapter, Prepared, PreparesOnce, abilities
from mmbench.harness.types import Failure

KEPT_BYTES = 256 << 20
"""Prepared pictures that are kept at a time: all scenes of the perception suite at 64 x 64 and the regions of them that
it shows, or 440 at 224 x 224."""

_BESIDE = 1024
"""Bytes that a kept picture takes besides its own."""


@dataclass(slots=True)
class _Held:
    picture: Prepared
    size: int
    used: int = 0
    """Pass in which it was last asked for."""


class Kept:
    """Prepared pictures by the digest of their content, up to a number of bytes; may be used by several threads.

    A pass is one stream of questions, which goes through the pictures of a task once. Those of the oldest pass make
    room, the last of them first, and never those of the present one: where a task shows more than there is room for,
    the first ones are there when the next task shows them again, and the others are prepared as they were before.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._held: dict[str, _Held] = {}
        self._used: dict[int, dict[str, None]] = {}
        """Digests by the pass in which they were last asked for, the oldest pass first."""
        self._making: dict[str, Future[Prepared] | None] = {}
        """Those that a thread prepares, and what others wait by where any does."""
        self._bytes = 0
        self._pass = 0
        self._lock = Lock()

    @classmethod
    def of(cls, adapter: Adapter) -> "Kept | None":
        """Return where the pictures of an adapter are kept; None for one to which none is shown twice.

        That is one which does not say that it allows it, or which only embeds: a vector is remembered.
        """
        asked_again = abilities(adapter) & {"score_texts", "generate"}
        return cls() if asked_again and isinstance(adapter, PreparesOnce) and adapter.prepares_once is True else None

    def next_pass(self) -> None:
        """Begin another pass."""
        with self._lock:
            self._pass += 1

    def found(self, digests: Sequence[str]) -> list[Prepared] | None:
        """Return the prepared pictures of these contents where all are there; None where one is to be prepared."""
        with self._lock:
            found = [self._held.get(digest) for digest in digests]
            pictures = [held.picture for held in found if held is not None]
            if len(pictures) < len(digests):
                return None
            for digest in dict.fromkeys(digests):
                held = self._held[digest]
                self._forget(digest, held.used)
                self._use(digest, held)
            return pictures

    def get(self, digest: str, make: Callable[[], Prepared | Failure]) -> Prepared | Failure:
        """Return the prepared picture of this content; `make` prepares it. Raises what `make` raises."""
        with self._lock:
            held = self._held.get(digest)
            if held is not None:
                self._forget(digest, held.used)
                self._use(digest, held)
                return held.picture
            waited: Future[Prepared] | None = None
            if digest in self._making:
                waited = self._making[digest] = self._making[digest] or Future()
            else:
                self._making[digest] = None
        return self._make(digest, make) if waited is None else waited.result()

    def _make(self, digest: str, make: Callable[[], Prepared | Failure]) -> Prepared | Failure:
        try:
            picture = make()
        except BaseException as error:  # raised again for each who waits
            with self._lock:
                waiting = self._making.pop(digest)
            if waiting is not None:
                waiting.set_exception(error)
            raise
        with self._lock:
            self._keep(digest, picture)
            waiting = self._making.pop(digest)
        if waiting is not None:
            waiting.set_result(picture)
        return picture

    def _keep(self, digest: str, picture: Prepared) -> None:
        size = 0 if isinstance(picture, Failure) else nbytes_of(picture)
        if not size:  # of unknown size: no bound would hold
            return
        size += _BESIDE
        while self._held and self._bytes + size > self._most:
            oldest = next(iter(self._used))
            if oldest == self._pass:
                return
            last = next(reversed(self._used[oldest]))
            self._bytes -= self._held.pop(last).size
            self._forget(last, oldest)
        if size <= self._most:
            self._held[digest] = held = _Held(picture, size)
            self._use(digest, held)
            self._bytes += size

    def _use(self, digest: str, held: _Held) -> None:
        held.used = self._pass
        self._used.setdefault(self._pass, {})[digest] = None

    def _forget(self, digest: str, used: int) -> None:
        del self._used[used][digest]
        if not self._used[used]:
            del self._used[used]
