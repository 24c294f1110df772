"""SVG charts written inline, because a plotting library's script alone would exceed the page's size budget.

Positions along x are per cent of the width, so that a chart is as wide as its page and its text never shrinks.
"""

from collections.abc import Sequence

from mmbench.harness.render.html import Html, tag

SHAPES: Sequence[str] = (
    "M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z",  # circle
    "M-4 -4H4V4H-4Z",  # square
    "M0 -5.5L5 4H-5Z",  # triangle
    "M0 -5.8L5.8 0L0 5.8L-5.8 0Z",  # diamond
    "M0 5.5L5 -4H-5Z",  # triangle pointing down
    "M-1.7 -5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",  # plus
)
"""Series differ in shape too, for those who do not see the colours."""

COLOURS = 12
"""Series that the style sheet has colours for, `s0` to `s11`."""


def percent(share: float) -> str:
    """Return a share of the width.

    >>> percent(0.125)
    '12.5%'
    """
    return f"{100 * share:.4g}%"


def series_class(number: int) -> str:
    """Return the class that gives a series its colour."""
    return f"s{number % COLOURS}"


def line(kind: str, x1: str, y1: float, x2: str, y2: float) -> Html:
    """Return a line; x in per cent, y in pixels."""
    return tag("line", {"class": kind, "x1": x1, "y1": float(y1), "x2": x2, "y2": float(y2)})


def label(text: str, x: str, y: float, anchor: str = "middle") -> Html:
    """Return a text of an axis."""
    return tag("text", {"class": "axis", "x": x, "y": float(y), "text-anchor": anchor}, text)


def marker(number: int, x: str, y: float, title: str) -> Html:
    """Return the mark of a series, with what a pointer that rests on it is told."""
    shape = tag("path", {"d": SHAPES[number % len(SHAPES)]}, tag("title", None, title))
    return tag("svg", {"x": x, "y": float(y), "overflow": "visible", "class": "mark"}, shape)


def swatch(number: int) -> Html:
    """Return the mark of a series as legends show it."""
    shape = tag("path", {"d": SHAPES[number % len(SHAPES)]})
    box = {"class": f"swatch {series_class(number)}", "viewBox": "-7 -7 14 14", "aria-hidden": "true"}
    return tag("svg", box, shape)


def legend(names: Sequence[str]) -> Html:
    """Return a button for each series, which hides and shows it."""
    buttons = [
        tag(
            "button",
            {"type": "button", "class": "key", "aria-pressed": "true", "data-series": number},
            swatch(number),
            name,
        )
        for number, name in enumerate(names)
    ]
    return tag("div", {"class": "legend", "role": "group", "aria-label": "models shown"}, *buttons)
