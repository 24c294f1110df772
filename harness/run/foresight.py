"""Foresight: pictures that the tasks of a run still to come will ask, so that one task's last batch is a full one."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.question import Question
from mmbench.harness.foreign import tamed
from mmbench.harness.models.abilities import AnswersApart
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.run.sitting import Sitting


class Foresight:
    """Questions about pictures of the sittings behind the present one, task by task, read as far as they are wanted.

    It ends before a task that is asked otherwise, so that nothing waits for as long as that takes, and before one whose
    data are still to be fetched. A control shows the pictures of its task, none, or some made for it alone, and is
    passed over. Of a model that answers one input at a time, which has no batches, nothing is foreseen.
    """

    def __init__(self, subject: Subject, sittings: Sequence[Sitting], settings: RunSettings) -> None:
        self._subject = subject
        self._settings = settings
        apart = isinstance(subject.adapter, AnswersApart) and subject.adapter.concurrency is not None
        self._left = deque(sitting for sitting in sittings if sitting.control is None and not apart)
        self._open: Iterator[Question] | None = None
        """Of the first of those left."""

    def begin(self, sitting: Sitting) -> None:
        """Learn which is asked now: it asks its pictures itself."""
        while self._left and self._left[0].place.number <= sitting.place.number:
            self.skip()

    def take(self, most: int) -> list[Question]:
        """Return up to so many of the next questions, of one task; none where there are no more for now."""
        while self._left:
            try:
                taken = tamed(lambda: self._take(most))
            except Exception:  # told when its turn comes
                taken = []
            if taken is None:
                return []
            if taken:
                return taken
            self.skip()
        return []

    def skip(self) -> None:
        """Leave out the rest of the task that the last questions were of."""
        self._open = None
        self._left.popleft()

    def _take(self, most: int) -> list[Question] | None:
        """Return questions of the first task that is left, none at its end; None where it is asked otherwise."""
        if self._open is None:
            task = self._left[0].task
            if task.opened.missing_bytes():
                return None
            family = task.family
            samples = self._settings.part_of(family).of(family.samples())
            self._open = self._subject.sit(task.routes).foreseen(family.verb, samples)
        return None if self._open is None else list(islice(self._open, most))
