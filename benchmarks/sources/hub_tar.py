"""Tar shards of a repository of the hub, each fetched when its rows are due."""

from mmbench.benchmarks.sources.fetched import Fetched
from mmbench.benchmarks.sources.hub_files import Part
from mmbench.benchmarks.sources.webdataset import BESIDE, WebDataset
from mmbench.harness.hub.repository import Repository


def hub_shards(repository: Repository, part: Part) -> WebDataset:
    """Return tar shards with the files that CLIP_benchmark keeps beside them. Raises DataError."""
    beside = {path.rpartition("/")[2]: repository.fetch(path) for path in beside_shards(repository, part)}
    return WebDataset.of(Fetched(part.files, lambda path: repository.fetch(path, part.files)), beside)


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
