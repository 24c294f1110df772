"""Attribution maps, their curves and how they lie to boxes, beside figures of other implementations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.attribution import (
    Patch,
    by_salience,
    counts,
    curve_area,
    energy_inside,
    exchanged,
    inside,
    occlusion_map,
    patches,
    pointing_hit,
    rise_map,
    rise_mask,
)

CLOSE = {"rtol": 0, "atol": 1e-8}


def test_everything_is_as_the_reference_has_it(reference: Callable[[str], Any]) -> None:
    for case in reference("attribution_fairness_agreement")["attribution"]:
        picture, weights, expected = np.array(case["image"]), np.array(case["weights"]), case["expected"]

        def score(shown: np.ndarray, weights: np.ndarray = weights, bias: float = case["bias"]) -> float:
            return float(1 / (1 + np.exp(-((weights * shown.mean(axis=-1)).sum() + bias))))

        def turn(start: np.ndarray, end: np.ndarray, order: np.ndarray, score: Any = score) -> list[float]:
            return [score(exchanged(start, end, order, count)) for count in counts(256, 16)]

        saliency, nothing = np.array(case["saliency"]), np.zeros_like(picture)
        order = by_salience(saliency)
        deletion = turn(picture, nothing, order)
        blurred = gaussian_filter(picture, (2, 2, 0))
        assert np.allclose(deletion, expected["deletion_curve_to_zero_step_16"], **CLOSE)
        assert np.isclose(curve_area(deletion), expected["deletion_auc"], **CLOSE)
        assert np.isclose(curve_area(turn(nothing, picture, order)), expected["insertion_auc_from_zero"], **CLOSE)
        area = curve_area(turn(blurred, picture, order))
        assert np.isclose(area, expected["insertion_auc_from_gaussian_blur_sigma_2"], **CLOSE)

        hidden, drops = patches(16, 16, 4, 4), []
        for patch in hidden:
            shown = picture.copy()
            shown[patch.top : patch.bottom, patch.left : patch.right] = 0.5
            drops.append(score(picture) - score(shown))
        made = occlusion_map(hidden, drops, 16, 16)
        assert np.allclose(made[::4, ::4], expected["occlusion_drop_4x4_grey_half"], **CLOSE)

        masks = [np.kron(mask, np.ones((4, 4))) for mask in case["masks_4x4"]]
        scores = [score(picture * mask[..., None]) for mask in masks]
        upper_left = rise_map(masks, scores, keep=0.5)[::4, ::4]
        assert np.allclose(upper_left, expected["rise_upper_left_of_each_cell"], **CLOSE)
        assert np.allclose(rise_map(masks, scores)[::4, ::4], expected["rise_normalised_by_mask_sum"], **CLOSE)

        box = inside([tuple(case["box_xyxy_exclusive"])], 16, 16)
        assert pointing_hit(saliency, box) == expected["pointing_hit_no_tolerance"]
        assert pointing_hit(saliency, box, 2) == expected["pointing_hit_tolerance_2"]
        assert np.isclose(energy_inside(saliency, box), expected["energy_pointing_of_positive_part"], **CLOSE)
        assert np.isclose(box.mean(), expected["area_share_of_box"], **CLOSE)


@pytest.mark.parametrize(("height", "width", "cells"), [(30, 45, 7), (16, 16, 2), (9, 50, 5)])
def test_a_mask_is_enlarged_as_the_official_script_does(height: int, width: int, cells: int) -> None:
    """Which resizes by scikit-image, whose edges are mirrored at the centres of the outermost cells."""
    grid = np.random.default_rng(cells).integers(0, 2, (cells, cells)).astype(float)
    down, across = -(-height // cells), -(-width // cells)
    larger = zoom(
        grid, (down * (cells + 1) / cells, across * (cells + 1) / cells), order=1, mode="mirror", grid_mode=True
    )
    top, left = int(0.4 * down), int(0.7 * across)
    made = rise_mask(grid, (0.4, 0.7), height, width)
    assert np.allclose(made, larger[top : top + height, left : left + width])


def test_patches_cover_a_picture_of_any_size() -> None:
    for height, width, side, stride in ((16, 16, 4, 4), (7, 13, 5, 2), (3, 40, 8, 8), (1, 1, 1, 1), (10, 10, 3, 3)):
        hidden = patches(height, width, side, stride)
        assert occlusion_map(hidden, np.ones(len(hidden)), height, width).min() == 1.0
        assert max(patch.right for patch in hidden) == width and max(patch.bottom for patch in hidden) == height
        assert len(set(hidden)) == len(hidden)


def test_a_constant_score_makes_a_constant_map_by_the_summed_masks_alone() -> None:
    """The bias of the border, which the paper's own division has."""
    draw = np.random.default_rng(0)
    masks = [rise_mask(draw.random((4, 4)) < 0.5, tuple(draw.random(2)), 12, 12) for _ in range(50)]
    assert np.allclose(rise_map(masks, np.full(50, 0.25)), 0.25)
    assert np.ptp(rise_map(masks, np.full(50, 0.25), keep=0.5)) > 0.01


def test_a_map_without_a_positive_part_has_no_share_inside() -> None:
    box = inside([(0, 0, 1, 1)], 2, 2)
    assert energy_inside(-np.ones((2, 2)), box) is None
    assert not pointing_hit(np.ones((2, 2)), np.zeros((2, 2), dtype=bool), 9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: patches(8, 8, 2, 3),
        lambda: occlusion_map([Patch(0, 0, 1, 1)], [1.0, 2.0], 2, 2),
        lambda: rise_mask([[1.0]], (0, 0), 2, 2),
        lambda: rise_map([[[1.0]]], [np.nan]),
        lambda: curve_area([1.0]),
        lambda: counts(0, 4),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ArgumentError):
        make()
