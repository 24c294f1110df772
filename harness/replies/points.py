"""Points that a reply writes, in pixels: by the convention that is declared, as boxes are."""

import re

from mmbench.harness.errors import ArgumentError, nearest
from mmbench.harness.metrics.arguments import shown
from mmbench.harness.replies.coordinates import (
    LEAST_PIXELS,
    MOST_PIXELS,
    NUMBER,
    SCALES,
    Scale,
    check_picture,
    within,
)
from mmbench.harness.replies.thoughts import spoken

Point = tuple[float, float]
"""x, y in pixels of the picture."""

_TAG = re.compile(r"<points?\s[^<>]{0,100000}>")
_MARK = re.compile(rf"\b([xy])([0-9]{{0,4}})\s{{0,5}}=\s{{0,5}}[\"']?\s?({NUMBER})")


def read_points(
    reply: str,
    convention: str,
    width: int,
    height: int,
    *,
    least_pixels: int = LEAST_PIXELS,
    most_pixels: int = MOST_PIXELS,
    size: tuple[int, int] | None = None,
) -> list[Point]:
    """Return the points of a reply about a picture of `width` x `height` pixels, in its order; none if it has none.

    Conventions are those of numbers in `read_boxes`: `qwen2.5-vl`, `thousand`, `thousand-yxyx` (y before x), `unit`,
    `percent` (Molmo) and `pixels`; `size` is meant as there. Points stand in tags `<point x="1" y="2">` and
    `<points x1="1" y1="2" x2=…>`, whose names say which is which, or by twos in brackets: `[1, 2]`, `(1, 2), (3, 4)`,
    `{"point_2d": [1, 2]}`. Thoughts are no reply. A coordinate outside by up to 1 % is put to the edge; a point with
    one farther outside is left out. Raises ArgumentError, a ValueError.

    >>> read_points('<points x1="50.0" y1="25" x2="10" y2="100" alt="cups">cups</points>', "percent", 200, 100)
    [(100.0, 25.0), (20.0, 100.0)]
    >>> read_points('[{"point": [250, 500], "label": "cup"}]', "thousand-yxyx", 200, 100)
    [(100.0, 25.0)]
    """
    check_picture(reply, width, height)
    if not isinstance(convention, str) or convention not in SCALES:
        known = f"{nearest(str(convention), SCALES)}; points have {', '.join(SCALES)}"
        raise ArgumentError(f"no convention {shown(convention)} of points{known}")
    scale = SCALES[convention]
    sides = scale.sides(width, height, least_pixels, most_pixels) if size is None or scale.full else size
    scaled = (within(point, sides) for point in _written(spoken(reply).text, scale))
    return [(parts[0] * width, parts[1] * height) for parts in scaled if parts is not None]


def _written(text: str, scale: Scale) -> list[tuple[float, float]]:
    """Return the pairs of numbers of a text, x before y."""
    places = []
    for match in scale.grammar.point.finditer(text):
        one, other = map(float, match.groups())
        places.append((match.start(), (other, one) if scale.rows_first else (one, other)))
    for tag in _TAG.finditer(text):
        marks: dict[str, dict[str, float]] = {}
        for axis, number, value in _MARK.findall(tag.group()):
            marks.setdefault(number, {})[axis] = float(value)
        whole = (mark for mark in marks.values() if len(mark) == 2)
        places += [(tag.start(), (mark["x"], mark["y"])) for mark in whole]
    return [point for _, point in sorted(places, key=lambda place: place[0])]
