"""Boxes that a reply writes, in pixels: read by the convention that adapter or task declares, never by a guess.

What a reply cannot mean in its convention is no box: numbers beyond the scale, another model's location tokens, three
corners. The answer is never looked at, nor is a unit told from the size of the numbers.
"""

import re

import numpy as np

from mmbench.harness.errors import ArgumentError, nearest
from mmbench.harness.metrics.arguments import shown
from mmbench.harness.replies.coordinates import LEAST_PIXELS, MOST_PIXELS, SCALES, Seen, text_of, within
from mmbench.harness.replies.written import fours

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the picture."""

_TOKENS = {
    "florence-2": re.compile(r"<loc_([0-9]{1,4})>"),
    "paligemma": re.compile(r"<loc([0-9]{4})>"),
    "kosmos-2": re.compile(r"<patch_index_([0-9]{4})>"),
}

CONVENTIONS = (*SCALES, *_TOKENS)
"""Names of conventions."""

_PATCHES = 32
"""Kosmos-2 cuts a picture into this many rows and columns."""


def read_boxes(
    reply: str,
    convention: str,
    width: int,
    height: int,
    *,
    least_pixels: int = LEAST_PIXELS,
    most_pixels: int = MOST_PIXELS,
    size: tuple[int, int] | None = None,
) -> list[Box]:
    """Return the boxes of a reply about a picture of `width` x `height` pixels, in its order; none if it has no box.

    | convention | numbers |
    |---|---|
    | `qwen2.5-vl` | pixels of the picture as resized to multiples of 28, `least_pixels` to `most_pixels` in all |
    | `thousand` | 0 to 1000 of width and height: Qwen2-VL, Qwen3-VL, GLM-V, InternVL, CogVLM |
    | `thousand-yxyx` | the same, y before x: Gemini, Gemma |
    | `unit`, `percent` | 0 to 1, 0 to 100 |
    | `pixels` | pixels of the picture |
    | `florence-2` | `<loc_0>` to `<loc_999>`, the middle of a bin, cut to whole pixels as its processor does |
    | `paligemma` | `<loc0000>` to `<loc1023>`, y before x, of 1024 |
    | `kosmos-2` | `<patch_index_0000>` to `<patch_index_1023>`, 32 x 32 patches |

    Where the model was shown the picture in another size, whose pixels it counts, that is `size` (width, height).

    Numbers stand in brackets by fours (JSON with or without a fence, `[[…]]`, `<box>…</box>`, several parted by `;`),
    as two corners `(x1,y1),(x2,y2)`, or as an object with `x1`, `y1`, `x2`, `y2`, or with `left`, `top` (or `x`, `y`),
    `width`, `height`. Where none does, the same names in a sentence count, the corners `top-left (…)` and `bottom-right
    (…)`, or the only four numbers of the reply. Thoughts are no reply, and a list that is cut off within its numbers is
    no box. Corners in the other order are the same box. A coordinate outside by up to 1 % is put to the edge; a box
    with one farther outside is not of this convention and left out. Raises ArgumentError, a ValueError.

    >>> read_boxes('```json\\n[{"bbox_2d": [100, 200, 300, 400]}]\\n```', "thousand", 640, 480)
    [(64.0, 96.0, 192.0, 192.0)]
    >>> read_boxes("It is at <loc0256><loc0512><loc0512><loc1023>.", "paligemma", 1024, 512)
    [(512.0, 128.0, 1023.0, 256.0)]
    >>> read_boxes("There are 2 dogs.", "unit", 640, 480), read_boxes("[640, 10, 1900, 20]", "thousand", 640, 480)
    ([], [])
    """
    made = written_boxes(reply, convention, Seen(width, height, size, least_pixels, most_pixels))
    return [box for box in made if box is not None]


def written_boxes(reply: str, convention: str, seen: Seen) -> list[Box | None]:
    """Return the boxes of a reply as `read_boxes`, None for each that is written and lies beyond the scale."""
    text, (width, height, *_) = text_of(reply), seen.checked()
    if not isinstance(convention, str) or convention not in CONVENTIONS:
        known = ", ".join(CONVENTIONS)
        raise ArgumentError(
            f"no convention {shown(convention)}{nearest(str(convention), CONVENTIONS)}; there are {known}"
        )
    if convention in SCALES:
        scale = SCALES[convention]
        sides = seen.sides(scale)
        scaled = (within(four, sides) for four in fours(text, scale))
        return [None if parts is None else _box(parts, width, height) for parts in scaled]
    runs = _runs(text, _TOKENS[convention])
    if convention == "kosmos-2":
        pairs = [run[i : i + 2] for run in runs for i in range(0, len(run) - 1, 2)]
        return [_patches(pair, width, height) if max(pair) < _PATCHES**2 else None for pair in pairs]
    read = _florence if convention == "florence-2" else _paligemma
    return [read(run[i : i + 4], width, height) for run in runs for i in range(0, len(run) - 3, 4)]


def _box(parts: list[float], width: int, height: int) -> Box:
    x1, y1, x2, y2 = parts
    return _sorted(x1 * width, y1 * height, x2 * width, y2 * height)


def _sorted(x1: float, y1: float, x2: float, y2: float) -> Box:
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _runs(text: str, token: re.Pattern[str]) -> list[list[int]]:
    """Return the numbers of location tokens that stand side by side."""
    runs: list[list[int]] = []
    end = -1
    for match in token.finditer(text):
        if 0 <= match.start() - end < 20 and end >= 0 and not text[end : match.start()].strip():
            runs[-1].append(int(match.group(1)))
        else:
            runs.append([int(match.group(1))])
        end = match.end()
    return runs


def _florence(four: list[int], width: int, height: int) -> Box | None:
    if max(four) > 999:
        return None
    # In single precision, as there, so that a coordinate that is nearly whole is cut to the same pixel.
    sides = (np.float32(width / 1000), np.float32(height / 1000))
    return _sorted(*(float(int((np.float32(value) + np.float32(0.5)) * sides[i % 2])) for i, value in enumerate(four)))


def _paligemma(four: list[int], width: int, height: int) -> Box | None:
    if max(four) > 1023:
        return None
    y1, x1, y2, x2 = (value / 1024 for value in four)
    return _sorted(x1 * width, y1 * height, x2 * width, y2 * height)


def _patches(pair: list[int], width: int, height: int) -> Box:
    """Return the box from one patch to another: from middle to middle, whole patches if they share a row or column."""
    rows, columns = sorted(patch // _PATCHES for patch in pair), sorted(patch % _PATCHES for patch in pair)
    low, high = (0.0, 1.0) if rows[0] == rows[1] or columns[0] == columns[1] else (0.5, 0.5)
    across, down = width / _PATCHES, height / _PATCHES
    return (columns[0] + low) * across, (rows[0] + low) * down, (columns[1] + high) * across, (rows[1] + high) * down
