"""Readers: files of questions read ahead, in threads of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Readers:
    """Threads that read.

    They are not those that prepare: behind a full queue of pictures to prepare, reading would hold up the forward pass.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mmbench-read")

    def read(self, readers: Sequence[Callable[[], Any]], *, apart: bool) -> list[Any]:
        """Run `readers`, in threads where they read files, and return their results in order."""
        if not apart:
            return [reader() for reader in readers]
        return list(self._pool.map(lambda reader: reader(), readers))

    def close(self) -> None:
        """Stop; what is not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
