"""Points that a reply writes, in pixels: by the convention that is declared, as boxes are."""

from mmbench.harness.errors import ArgumentError, nearest
from mmbench.harness.metrics.arguments import shown
from mmbench.harness.replies.coordinates import LEAST_PIXELS, MOST_PIXELS, SCALES, Seen, text_of, within
from mmbench.harness.replies.written import pairs

Point = tuple[float, float]
"""x, y in pixels of the picture."""


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
    `{"point_2d": [1, 2]}`. Where none does, `x` and `y` with their numbers count, or the only two numbers of the reply.
    Thoughts are no reply. A coordinate outside by up to 1 % is put to the edge; a point with one farther outside is
    left out. Raises ArgumentError, a ValueError.

    >>> read_points('<points x1="50.0" y1="25" x2="10" y2="100" alt="cups">cups</points>', "percent", 200, 100)
    [(100.0, 25.0), (20.0, 100.0)]
    >>> read_points('[{"point": [250, 500], "label": "cup"}]', "thousand-yxyx", 200, 100)
    [(100.0, 25.0)]
    """
    made = written_points(reply, convention, Seen(width, height, size, least_pixels, most_pixels))
    return [point for point in made if point is not None]


def written_points(reply: str, convention: str, seen: Seen) -> list[Point | None]:
    """Return the points of a reply as `read_points`, None for each that is written and lies beyond the scale."""
    text, (width, height, *_) = text_of(reply), seen.checked()
    if not isinstance(convention, str) or convention not in SCALES:
        known = f"{nearest(str(convention), SCALES)}; points have {', '.join(SCALES)}"
        raise ArgumentError(f"no convention {shown(convention)} of points{known}")
    scale = SCALES[convention]
    sides = seen.sides(scale)
    scaled = (within(point, sides) for point in pairs(text, scale))
    return [None if parts is None else (parts[0] * width, parts[1] * height) for parts in scaled]
