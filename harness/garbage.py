"""Garbage that reference counts do not find, looked for seldom where much is held to the end."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 10_000
"""Objects made until garbage is looked for. The 700 of Python cost a tenth of a run that only remembers: items are held
to its end, and such garbage is rare."""
_YOUNG = 50
"""How many times it is looked for among these until it is among those before them too."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have garbage looked for seldom within, and not among what is there already.

    Who has switched the search off, has it yet more seldom or has frozen objects keeps that.
    """
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    if 0 < before[0] < _OBJECTS:
        gc.set_threshold(_OBJECTS, _YOUNG, before[2])
    if not frozen:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
        gc.set_threshold(*before)
