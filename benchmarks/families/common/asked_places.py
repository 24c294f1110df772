"""Prompts that ask for a box or points, in the convention that a task declares."""

from collections.abc import Mapping
from typing import Literal

from mmbench.harness.errors import DataError, nearest
from mmbench.harness.models.places import POINT_CONVENTIONS
from mmbench.harness.replies.boxes import CONVENTIONS

Asks = Literal["box", "points"]

_ASKED = {
    "box": "Locate {question} in the picture. Answer with its bounding box only{how}.",
    "points": "Point to {question} in the picture. Answer with the point only{how}.",
}
_HOW: Mapping[str, tuple[str, str]] = {
    "thousand": (
        ", as [x1, y1, x2, y2] with numbers from 0 to 1000 of width and height",
        ", as [x, y] with numbers from 0 to 1000 of width and height",
    ),
    "thousand-yxyx": (
        ", as [y1, x1, y2, x2] with numbers from 0 to 1000 of height and width",
        ", as [y, x] with numbers from 0 to 1000 of height and width",
    ),
    "unit": (
        ", as [x1, y1, x2, y2] with numbers from 0 to 1 of width and height",
        ", as [x, y] with numbers from 0 to 1 of width and height",
    ),
    "percent": (
        ", as [x1, y1, x2, y2] in percent of width and height",
        ", as [x, y] in percent of width and height",
    ),
    "pixels": (", as [x1, y1, x2, y2] in pixels", ", as [x, y] in pixels"),
    "qwen2.5-vl": (", as [x1, y1, x2, y2] in pixels", ", as [x, y] in pixels"),
}
"""How a box and a point are asked for where the task declares the convention; else as the model has learnt it."""


def prompt_for(asks: Asks, convention: str | None) -> str:
    """Return the prompt that asks for a box or points.

    >>> prompt_for("points", "pixels")
    'Point to {question} in the picture. Answer with the point only, as [x, y] in pixels.'
    """
    how = _HOW.get(convention or "", ("", ""))[asks == "points"]
    return _ASKED[asks].replace("{how}", how)


def check_convention(given: str | None, asks: Asks) -> None:
    """Raise DataError for a convention that there is not."""
    known = POINT_CONVENTIONS if asks == "points" else CONVENTIONS
    if given is not None and given not in known:
        raise DataError(f"`convention: {given}` is none{nearest(given, known)}; there are {', '.join(known)}")
