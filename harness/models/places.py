"""Places: by which convention a model writes boxes and points, as its adapter declares it."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from mmbench.harness.errors import AdapterError, nearest
from mmbench.harness.foreign import described, tamed
from mmbench.harness.render.plain import plain
from mmbench.harness.replies.boxes import CONVENTIONS
from mmbench.harness.replies.coordinates import SCALES

POINT_CONVENTIONS = tuple(SCALES)
"""Names of conventions that have points."""


@dataclass(frozen=True, slots=True)
class Places:
    """How a model writes places in a picture; nothing where nobody says."""

    boxes: str | None = None
    """Convention of its boxes."""
    points: str | None = None
    """Convention of its points."""
    size: Callable[[int, int], tuple[int, int]] | None = None
    """Size in which it is shown a picture of a width and height, of which its pixels are; None: as the convention has
    it."""


def places_of(name: str, adapter: object) -> Places:
    """Return what an adapter declares by its attributes `boxes` and `points` and its method `picture_size`.

    Points are written as boxes are where only these are declared. Raises AdapterError for what is no convention.
    """
    boxes = _declared(name, adapter, "boxes", CONVENTIONS)
    points = _declared(name, adapter, "points", POINT_CONVENTIONS)
    if points is None and boxes in POINT_CONVENTIONS:
        points = boxes
    given: Any = getattr(adapter, "picture_size", None)
    return Places(boxes, points, _checked(name, given) if callable(given) else None)


def _declared(name: str, adapter: object, attribute: str, known: Container[str]) -> str | None:
    found = getattr(adapter, attribute, None)
    if found is None or (isinstance(found, str) and found in known):
        return found
    names = CONVENTIONS if attribute == "boxes" else POINT_CONVENTIONS
    raise AdapterError(
        f"{name} declares {attribute} = {plain(repr(found), 60)}, which is no convention"
        f"{nearest(str(found), names)}; there are {', '.join(names)}"
    )


def _checked(name: str, given: Callable[[int, int], Any]) -> Callable[[int, int], tuple[int, int]]:
    def size(width: int, height: int) -> tuple[int, int]:
        try:
            made = tamed(lambda: given(width, height))
            wide, high = (int(side) for side in made)
        except Exception as error:  # foreign code may raise anything
            raise AdapterError(f"{name}: picture_size({width}, {height}) failed ({described(error)})") from error
        if wide < 1 or high < 1:
            raise AdapterError(f"{name}: picture_size({width}, {height}) returned {wide} x {high}, which is no size")
        return wide, high

    return size
