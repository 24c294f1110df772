"""What a task reads of a data set of the hub: the files, how many bytes of them are not here, and under what terms."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mmbench.harness.errors import MmbenchError
from mmbench.harness.hub.repository import Repository

_AT_ONCE = 4
_SMALL = 4_000_000
"""Bytes of a file of which several are fetched at a time."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Files of one data set at one commit."""

    repository: Repository
    files: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of all files, here or not."""
        return self.repository.bytes_of(self.files)

    @property
    def missing(self) -> int:
        """Bytes that are not here."""
        return self.repository.missing_bytes(self.files)

    def missing_files(self) -> list[str]:
        """Return the files that are not here."""
        return [path for path in self.files if self.repository.here(path) is None]

    def fetch(self) -> Iterator[MmbenchError | int]:
        """Fetch what is missing and check all, yielding the bytes of each file, or why it could not be had."""
        small = [path for path in self.files if self.repository.bytes_of([path]) <= _SMALL]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(self._fetch, small)
        few = set(small)
        # One by one in this thread, so that a person who stops the command need not wait for the end of a shard.
        yield from map(self._fetch, (path for path in self.files if path not in few))

    def _fetch(self, path: str) -> MmbenchError | int:
        try:
            self.repository.fetch(path)
        except MmbenchError as error:
            return error
        return self.repository.bytes_of([path])
