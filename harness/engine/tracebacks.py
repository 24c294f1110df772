"""Tracebacks of an adapter's own code: the first of each kind, for whoever has to mend it."""

import traceback
from pathlib import Path
from types import TracebackType

_HARNESS = str(Path(__file__).resolve().parents[1])
_MOST = 10
"""Kinds that are kept."""


class Tracebacks:
    """What was raised, and where in the adapter's code; texts only, for a traceback holds the pictures of its batch."""

    def __init__(self) -> None:
        self._found: dict[tuple[type[BaseException], str, int], str] = {}

    def note(self, error: BaseException) -> None:
        """Keep the traceback of an error, unless one of its kind, raised at the same line, was kept before."""
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        place = ("", 0) if last is None else (last.tb_frame.f_code.co_filename, last.tb_lineno)
        key = (type(error), *place)
        if key not in self._found and len(self._found) < _MOST:
            self._found[key] = _own(error)

    def texts(self) -> list[str]:
        """Return the tracebacks, in the order in which they were first met."""
        return list(self._found.values())


def _own(error: BaseException) -> str:
    """Return a traceback without the harness's own calls before those of the adapter."""
    below: TracebackType | None = error.__traceback__
    while below is not None and _is_harness(below):
        below = below.tb_next
    try:
        made = traceback.format_exception(type(error), error, below or error.__traceback__, limit=-_DEEPEST)
    except Exception:  # foreign errors may raise while they are told
        return f"{type(error).__name__}, whose message cannot be read\n"
    return "".join(made)


_DEEPEST = 30
"""Frames of a traceback that are shown, those nearest to the error."""


def _is_harness(at: TracebackType) -> bool:
    return str(Path(at.tb_frame.f_code.co_filename).resolve()).startswith(_HARNESS)
