"""The question of a family, overheard: the options and the wording by which it has its subject choose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmbench.harness.ask.examinee import Answer, Answers, Choice
from mmbench.harness.ask.subject import Subject
from mmbench.harness.ask.wording import DEFAULT, Wording
from mmbench.harness.errors import UsageError
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Option, Sample


@dataclass(frozen=True, slots=True)
class Question:
    """What an item is asked."""

    options: tuple[Option, ...]
    wording: Wording

    def place(self, label: str | None) -> int | None:
        """Return the place of the option that a run chose; None where no option, or more than one, is called so."""
        found = [place for place, option in enumerate(self.options) if option.label == label]
        return found[0] if len(found) == 1 else None


class _Heard(Exception):
    """The family asked, which is all that it is wanted for."""

    def __init__(self, options: Sequence[Option] | None, wording: Wording) -> None:
        super().__init__()
        self.options = options
        self.wording = wording


class _Listener(Subject):
    """A subject that answers nothing, and tells what it is asked."""

    def __init__(self, subject: Subject) -> None:
        vars(self).update(vars(subject))

    def choose(
        self, samples: Iterable[Sample], options: Sequence[Option] | None = None, wording: Wording = DEFAULT
    ) -> Answers[Choice]:
        """Raise what was heard."""
        raise _Heard(options, wording)

    def answer(self, samples: Iterable[Sample], candidates: Sequence[str], wording: Wording) -> Answers[Answer]:
        """Raise what was heard: candidates are ranked as options that are their own phrasing."""
        raise _Heard([Option(candidate, (candidate,)) for candidate in candidates], wording)


def question_of(task: Task, subject: Subject, sample: Sample) -> Question:
    """Return what a task asks of an item. Raises UsageError where it has no subject choose."""
    try:
        task.family.outcomes(_Listener(subject), [sample])
    except _Heard as heard:
        return Question(tuple(sample.options if heard.options is None else heard.options), heard.wording)
    raise UsageError(f"{task.reference} asks no model to choose, so that there is no choice to explain")
