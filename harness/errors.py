"""Errors: one class for each kind of failure a user can meet, so that none ends in a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class MmbenchError(Exception):
    """Something the user can mend: the message is one sentence that says what is wrong and what to do.

    `step` is what to do next, where a run ends with a table of what has no scores; each kind of error has one.
    """

    step: str = "correct it, and run the same command again"

    details: tuple[str, ...] = ()
    """Further sentences, each shown in a line of its own."""

    def __init__(self, message: str = "", *, step: str = "", details: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)
        if step:
            self.step = step


class UsageError(MmbenchError):
    """A command, a name or an option that cannot be used as given."""


class DataError(UsageError):
    """A task file or a data file that does not say what its task needs."""

    step = "correct the task or its data, and run the same command again"


class DataUnavailable(DataError):
    """Data of a task are not on this machine and cannot be fetched."""

    step = "fetch the data where there is a network, and run again"


class ArgumentError(DataError, ValueError):
    """An argument of a metric's function that cannot be meant."""

    step = "correct the argument"


class Unsupported(MmbenchError):
    """The model lacks the abilities that every allowed route needs; shown as `-`, never scored 0."""

    step = "leave the task out for this model, or ask another model"


class NoPicture(Unsupported):
    """An item shows nothing, and the model must look at something."""


class OnePicture(Unsupported):
    """An adapter raises this for an item of several pictures where it takes one; another route may look at each."""


class AdapterError(MmbenchError):
    """An adapter broke its contract or failed for every input."""

    step = "mend the adapter (--debug shows where it failed), and run again"


class DoesNotFit(AdapterError):
    """A question is longer than the model reads; another route may ask it in fewer words."""

    step = "shorten the question or the task's prompt, or ask a model that reads more"


class Unavailable(MmbenchError):
    """Nothing more can be asked of this model in this run; what it answered is kept, and the other models go on."""

    step = "mend what is said, and run the same command again; what was answered is not asked again"


class LimitReached(Unavailable):
    """A limit of cost or tokens is reached."""

    step = "run the same command again to go on, or allow more"


class WeightsUnavailable(Unavailable):
    """A model's weights are not on this machine and cannot be fetched."""

    step = "fetch the weights, or name a file that is here"


class Unreadable(MmbenchError):
    """One picture could not be read or decoded; its item is an `error`, never a wrong answer."""


class InternalError(MmbenchError):
    """Something that nobody foresaw, in one task or one model; the others go on."""

    step = "see where with --debug"


class OutOfMemory(Exception):
    """An adapter raises this when a batch does not fit the device; the engine halves the batch and goes on."""


class TooLong(ValueError):
    """An adapter raises this for a prompt that fills its context: its item fails, or its task is asked otherwise."""


class Unanswered(Exception):
    """An adapter raises this for an input that it has no answer to: not recorded, or lost in spite of several tries.

    The item of this input is an error in these words, and the adapter is not taken to be broken, however often it
    happens.
    """


_LONGEST = 300


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the known name nearest to `name`, or an empty string.

    >>> nearest("clip-vitb23", ["clip-vitb32", "chance"])
    "; did you mean 'clip-vitb32'?"
    """
    if len(name) > _LONGEST:
        return ""  # no name is that long, and likeness takes quadratic time
    spelt = {each.lower(): each for each in known}  # capitals are what is mistaken most
    close = get_close_matches(name.lower(), spelt, n=1, cutoff=0.5)
    return f"; did you mean '{spelt[close[0]]}'?" if close else ""
