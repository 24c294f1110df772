"""Errors: one class for each kind of failure a user can meet, so that none ends in a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class MmbenchError(Exception):
    """Something the user can mend: the message is one sentence that says what is wrong and what to do."""


class UsageError(MmbenchError):
    """A command, a name or an option that cannot be used as given."""


class DataError(UsageError):
    """A task file or a data file that does not say what its task needs."""


class Unsupported(MmbenchError):
    """The model lacks the abilities that every allowed route needs; shown as `-`, never scored 0."""


class AdapterError(MmbenchError):
    """An adapter broke its contract or failed for every input."""


class WeightsUnavailable(MmbenchError):
    """A model's weights are not on this machine and cannot be fetched."""


class Unreadable(MmbenchError):
    """One picture could not be read or decoded; its item is an `error`, never a wrong answer."""


class InternalError(MmbenchError):
    """Something that nobody foresaw, in one task or one model; the others go on."""


class OutOfMemory(Exception):
    """An adapter raises this when a batch does not fit the device; the engine halves the batch and goes on."""


_LONGEST = 300


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the known name nearest to `name`, or an empty string.

    >>> nearest("clip-vitb23", ["clip-vitb32", "chance"])
    "; did you mean 'clip-vitb32'?"
    """
    if len(name) > _LONGEST:
        return ""  # no name is that long, and likeness takes quadratic time
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
