"""Item: a part of a sentence as the matcher sees it."""

from typing import NamedTuple

from mmbench.harness.replies.lexicon import Roles

NO_ROLES: Roles = frozenset()


class Item(NamedTuple):
    """A part of a sentence."""

    text: str
    start: int
    end: int
    roles: Roles = NO_ROLES
    option: int | None = None
    by: str = ""
    """How it names the option: by its `mark`, its `text`, as `yes` or `no`, or by a bare `letter` that is a mark only
    where it is judged; `sign` for punctuation."""
