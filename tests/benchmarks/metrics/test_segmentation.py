"""Masks of COCO: the values are those of pycocotools 2.0.11."""

import numpy as np
import pytest

from mmbench.benchmarks.metrics.segmentation import Mask, mask_of_polygons, mask_of_runs
from mmbench.harness.errors import DataError

POLYGONS = [[2.5, 1.25, 9, 2, 7.5, 8.75, 3, 7], [5, 5, 11, 5, 11, 9, 5, 9]]
DRAWN = [
    "000000000000",
    "000110000000",
    "000111111000",
    "000111111000",
    "000111110000",
    "000111111110",
    "000111111110",
    "000011111110",
    "000001111110",
    "000000000000",
]


def rows(mask: Mask) -> list[str]:
    return ["".join(map(str, row)) for row in mask.astype(int)]


def test_outlines_and_runs_are_those_of_pycocotools() -> None:
    assert rows(mask_of_polygons(POLYGONS, 10, 12)) == DRAWN
    assert rows(mask_of_runs("o064100O0000KN250005", 10, 12)) == DRAWN


def test_long_runs() -> None:
    text = "ni0^8R400000000000000hIbL^3^3bLbL^3^3bLbL^3^3bLbL^3^3j20000000000000000000000000000b;"
    held = np.zeros((400, 30), bool)
    held[30:300, 2:29] = True
    held[100:120, 10:14] = False
    made = mask_of_runs(text, 400, 30)
    assert np.array_equal(made, held)


@pytest.mark.parametrize(
    ("polygon", "inside"),
    [
        ([-5, -5, 100, -5, 100, 100, -5, 100], 48),  # beyond the picture
        ([1, 1, 3, 1, 3, 1, 3, 4, 1, 4], 6),  # a point twice
        ([3, 4, 1, 4, 1, 1, 3, 1], 6),  # the other way round
        ([0, 0, 8, 0, 4, 0], 0),  # a line
    ],
)
def test_odd_outlines(polygon: list[float], inside: int) -> None:
    assert mask_of_polygons([polygon], 6, 8).sum() == inside


@pytest.mark.parametrize("counts", ["", "abc\x7f", "z" * 50, [1, -1, 4], [5], "é"])
def test_runs_that_are_none_are_refused(counts: str | list[int]) -> None:
    with pytest.raises(DataError, match="mask"):
        mask_of_runs(counts, 2, 2)


@pytest.mark.parametrize(
    "outline", [[0.0, 0, 1e9, 0, 0, 1], [0.0, 0, 9e5, 9e5] * 50, [0, 0, float("nan"), 1, 2, 2], [0.0] * 5]
)
def test_outlines_that_are_none_are_refused(outline: list[float]) -> None:
    with pytest.raises(DataError, match="outline"):
        mask_of_polygons([outline], 6, 8)
