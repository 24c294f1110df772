"""Data digest of a run: identity of the data it really saw, computed as the samples stream by."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError, Unreadable
from mmbench.harness.media.pixels import NOTES
from mmbench.harness.media.video import Medium
from mmbench.harness.tasks.part import Part
from mmbench.harness.types import Sample

_PENDING = 1024
"""Samples whose pictures nobody has read yet, and which may hold their bytes; past this they are read for their
digest alone. More than any stream of questions has in flight, so that no file is read for it twice."""


class Dataset:
    """Passes samples on and digests their content: pictures, questions, options, references and targets, in order.

    A picture's digest is taken after whoever asks the model has read it, so that each file is read once; with `ahead`
    before, where nobody else reads it and outcomes would know no digest. With `ids` the items' names are content too,
    where the family draws by them.
    """

    def __init__(
        self, samples: Iterable[Sample], part: Part | None = None, *, ahead: bool = False, ids: bool = False
    ) -> None:
        self._samples = samples
        self._part = part or Part()
        self._ahead = ahead
        self._with_ids = ids
        self._pending: deque[Sample] = deque()
        self._digest = ""
        self._ids: set[str] = set()
        self._changed: defaultdict[str, set[str]] = defaultdict(set)
        """What is done to pictures besides decoding, with the digests of those it is done to."""
        self.n = 0
        """Samples passed on so far."""
        self.cut = False
        """True when there were more samples than the part that is asked."""

    def __iter__(self) -> Iterator[Sample]:
        for place, sample in enumerate(self._samples):
            if self._part.places is not None and place not in self._part.places:
                self.cut = True
                continue
            if self.n == self._part.limit:
                self.cut = True
                return
            self.n += 1
            if sample.id in self._ids:
                raise DataError(f"two items have the id '{sample.id}'; name a unique column as 'id' in 'fields'")
            self._ids.add(sample.id)
            if self._ahead:
                self._take(sample)
            else:
                self._pending.append(sample)
            yield sample
            self._drain()

    def digest(self) -> str:
        """Return the identity of all samples passed on."""
        while self._pending:
            self._take(self._pending.popleft())
        return self._digest

    def notes(self) -> list[str]:
        """Return what was done to how many pictures, once `digest` was taken."""
        counts = ((len(self._changed[change]), text) for change, text in NOTES.items() if change in self._changed)
        return [f"pictures {text}: {count}" for count, text in counts]

    def _drain(self) -> None:
        while self._pending and (
            len(self._pending) > _PENDING or all(image.settled for image in self._pending[0].media)
        ):
            self._take(self._pending.popleft())

    def _take(self, sample: Sample) -> None:
        content: list[Json] = [
            self._digest,
            [_digest(image) for image in sample.media],
            sample.question,
            [[option.label, list(option.phrasings)] for option in sample.options],
            list(sample.references),
            list(sample.target),
        ]
        if self._with_ids:
            content.append(sample.id)
        self._digest = digest_json(content)
        for image in sample.media:
            for change in image.changes:
                self._changed[change].add(image.digest)


def _digest(image: Medium) -> str:
    try:
        return image.digest
    except Unreadable:
        return "unreadable"
