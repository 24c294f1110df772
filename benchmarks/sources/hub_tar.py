"""Tar shards of a repository of the hub, each fetched when its rows are due."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

from mmbench.benchmarks.sources.hub_files import Part
from mmbench.benchmarks.sources.webdataset import BESIDE, WebDataset
from mmbench.harness.hub.repository import Repository


def hub_shards(repository: Repository, part: Part) -> WebDataset:
    """Return tar shards with the files that CLIP_benchmark keeps beside them. Raises DataError."""
    beside = {path.rpartition("/")[2]: repository.fetch(path) for path in beside_shards(repository, part)}
    return WebDataset.of(_Fetched(repository, part.files), beside)


def beside_shards(repository: Repository, part: Part) -> tuple[str, ...]:
    """Return the files that CLIP_benchmark keeps beside shards, the nearest of each name."""
    first = part.files[0].rpartition("/")[0]
    folders = [first, *([first.rpartition("/")[0]] if first else [])]
    listed = set(repository.files)
    found = {
        name: path
        for folder in reversed(folders)
        for name in BESIDE
        if (path := f"{folder}/{name}".lstrip("/")) in listed
    }
    return tuple(found.values())


class _Fetched(Sequence[Path]):
    """Files of a repository, each fetched when it is first asked for."""

    def __init__(self, repository: Repository, paths: Sequence[str]) -> None:
        self._repository = repository
        self._paths = paths
        self._files: dict[int, Path] = {}

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, at: int) -> Path: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Path]: ...
    def __getitem__(self, at: int | slice) -> Path | Sequence[Path]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        path = self._paths[at]
        if at not in self._files:
            self._files[at] = self._repository.fetch(path, self._paths)
        return self._files[at]
