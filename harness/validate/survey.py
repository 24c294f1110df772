"""One pass over a task's data: every picture read once, and what later checks need of each kept in a few bytes."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count

import numpy as np

from mmbench.harness.errors import MmbenchError
from mmbench.harness.media.video import Medium, Video, pictures_of
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample
from mmbench.harness.validate.likeness import SIDE, Copies, Hashes, looks

_AHEAD = 64
"""Pictures being read at a time."""


@dataclass(slots=True)
class Survey:
    """What a task's data holds."""

    samples: list[Sample] = field(default_factory=list)
    """Without pixels."""
    pictures: list[int] = field(default_factory=list)
    """Place of the sample that each picture that could be read is of."""
    digests: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """(width, height) of each, in pixels."""
    hashes: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    copies: Copies = field(default_factory=lambda: np.zeros((0, SIDE * SIDE * 3), np.uint8))
    unreadable: list[str] = field(default_factory=list)
    """A sentence for each picture that cannot be read."""
    parts: list[str] = field(default_factory=list)
    """`train`, `validation`, `test` or nothing for each sample."""


@dataclass(frozen=True, slots=True)
class _Seen:
    digest: str
    size: tuple[int, int]
    hash: int
    copy: Copies


def survey(task: Task) -> Survey:
    """Read all of a task's data. Raises DataError for a row that is none; pictures that fail are told in the survey."""
    found = Survey()
    hashes: list[int] = []
    copies: list[Copies] = []
    for place, sample, seen in _read(task):
        if place == len(found.samples):
            found.samples.append(sample.without_pixels())
        if isinstance(seen, str):
            found.unreadable.append(f"{sample.id}: {seen}")
        elif seen is not None:
            found.pictures.append(place)
            found.digests.append(seen.digest)
            found.sizes.append(seen.size)
            hashes.append(seen.hash)
            copies.append(seen.copy)
    found.hashes = np.array(hashes, np.uint64)
    found.copies = np.array(copies, np.uint8).reshape(len(copies), SIDE * SIDE * 3)
    parts = getattr(task.family, "parts", None)
    found.parts = [*parts(found.samples)] if parts is not None else [""] * len(found.samples)
    return found


def _read(task: Task) -> Iterator[tuple[int, Sample, _Seen | str | None]]:
    """Yield the place of each sample, the sample, and each of its pictures as it was seen, or why it was not."""
    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        waiting: deque[tuple[int, Sample, Future[_Seen | str] | None]] = deque()
        try:
            for place, sample in enumerate(task.family.samples()):
                for medium in sample.media or (None,):
                    waiting.append((place, sample, None if medium is None else pool.submit(_seen, medium)))
                while len(waiting) > _AHEAD:
                    yield _done(*waiting.popleft())
            while waiting:
                yield _done(*waiting.popleft())
        finally:
            for _, _, future in waiting:
                if future is not None:
                    future.cancel()


def _done(place: int, sample: Sample, future: "Future[_Seen | str] | None") -> tuple[int, Sample, _Seen | str | None]:
    return place, sample, None if future is None else future.result()


def _seen(medium: Medium) -> _Seen | str:
    """Return a picture as it was seen, of a clip its middle frame under the digest of the whole, or why it was not."""
    try:
        pictures = pictures_of(medium)
        content = pictures[len(pictures) // 2].read()
        picture = content.decode()
        value, copy = looks(picture)
    except MmbenchError as error:
        return str(error)
    digest = medium.digest if isinstance(medium, Video) else content.digest
    return _Seen(digest, picture.size, value, copy)
