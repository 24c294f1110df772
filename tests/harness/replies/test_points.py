"""Points of replies: as models write them; what is not of the convention is no point."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmbench import metrics
from tests.effort import within

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "boxes_points_counts.json"


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference figures are not here")
def test_points_are_those_of_the_reference() -> None:
    for case in json.loads(REFERENCE.read_text(encoding="utf-8"))["points"]:
        mask = np.array([[cell == "1" for cell in row] for row in case["mask_rows"]])
        made = metrics.read_points(case["reply"], "percent", mask.shape[1], mask.shape[0])
        assert np.allclose(made, case["expected"]["points_in_mask_grid"])
        assert [bool(mask[int(y), int(x)]) for x, y in made] == case["expected"]["hit_of_each"]


@pytest.mark.parametrize(
    ("reply", "convention", "points"),
    [
        ('<point x="25" y="50.0" alt="cup">cup</point>', "percent", [(100, 100)]),
        ("<point x='25%' y='50'>", "percent", [(100, 100)]),
        ('<points x2="50" y2="50" x1="25" y1="10" y3="1">', "percent", [(200, 100), (100, 20)]),
        ("[(0.25, 0.5), (0.5, 0.1)]", "unit", [(100, 100), (200, 20)]),
        ('```json\n[{"point_2d": [250, 500], "label": "cup 1"}]\n```', "thousand", [(100, 100)]),
        ('[{"point": [500, 250]}]', "thousand-yxyx", [(100, 100)]),
        ("[98, 98]", "qwen2.5-vl", [(100, 100)]),  # of 392 x 196
        ("<think>(1, 1)</think>It is at (250, 500).", "thousand", [(100, 100)]),
        ("[-5, 1005]", "thousand", [(0, 200)]),
        ("(250, 500) and (250, 5000)", "thousand", [(100, 100)]),
        ("[0.25,0.5;0.5,0.1]", "unit", [(100, 100), (200, 20)]),  # Shikra
        ("<point>250 500</point>", "thousand", [(100, 100)]),
        ("<|box_start|>(250,500)<|box_end|>", "thousand", [(100, 100)]),
        ('{"x": 100, "y": 100}', "pixels", [(100, 100)]),
        ("x=100px, y=100px", "pixels", [(100, 100)]),
        ("100, 100", "pixels", [(100, 100)]),
        ("（0.25，0.5）", "unit", [(100, 100)]),
        ('["100", "100"]', "pixels", [(100, 100)]),
        (
            'Counting the <points coords="1 1 250 500 2 500 100">cups</points> shows 2.',
            "thousand",
            [(100, 100), (200, 20)],
        ),
        ('<points coords="250 500">cup</points>', "thousand", []),  # of no picture
        ('<point x="25" y="50" alt="x = 3, y = 4">(1, 2) > 1</point>', "percent", [(100, 100)]),  # a name with numbers
        ('[{"label": "sign (1, 2)", "point_2d": [250, 500]}]', "thousand", [(100, 100)]),
        ("[２５０，５００]", "thousand", [(100, 100)]),
        ("I see 2 cups, 3 of them red.", "thousand", []),
        ("x: (100, 300), y: (200, 400)", "pixels", []),  # from where to where
        ("[1, 2, 3, 4]", "thousand", []),
        ("two cups", "percent", []),
        ("", "unit", []),
    ],
)
def test_points_are_read_as_they_are_written(reply: str, convention: str, points: list[tuple[float, float]]) -> None:
    made = metrics.read_points(reply, convention, 400, 200)
    assert len(made) == len(points)
    assert np.allclose(np.array(made), np.array(points))


@pytest.mark.parametrize(
    "reply", ["(1," * 20_000, "<point " * 20_000, '<points x1="1" ' + 'x2="3" ' * 5_000, "x=1 " * 20_000, " " * 100_000]
)
def test_hostile_replies_take_linear_time(reply: str) -> None:
    with within(10):
        metrics.read_points(reply, "percent", 400, 200)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="no convention 'florence-2' of points; points have qwen2.5-vl, thousand"):
        metrics.read_points("(1, 2)", "florence-2", 400, 200)
    with pytest.raises(ValueError, match="height is a whole number of pixels from 1, not 1.5"):
        metrics.read_points("(1, 2)", "unit", 400, 1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="least_pixels is a whole number from 1 to 40, not 50"):
        metrics.read_points("(1, 2)", "unit", 400, 200, least_pixels=50, most_pixels=40)
    with pytest.raises(ValueError, match="size is the width and the height of what was shown, not 224"):
        metrics.read_points("(1, 2)", "pixels", 400, 200, size=224)  # type: ignore[arg-type]
