"""The overlap of two boxes is that of arrays of boxes, to the bit."""

import numpy as np
import pytest

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.boxes import iou, overlap


def test_overlap_is_iou() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        corners = rng.choice([0.0, 1.0, 2.5, 10.0, 20 * rng.random()], (2, 4))
        corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2])
        (a, b, c, d), (e, f, g, h) = corners.tolist()
        assert overlap((a, b, c, d), (e, f, g, h)) == np.nan_to_num(iou((a, b, c, d), (e, f, g, h)))


@pytest.mark.parametrize("box", [(1, 0, 0, 1), (0, 1, 1, 0), (0, 0, np.nan, 1), (-np.inf, 0, 1, 1)])
def test_what_is_no_box_has_no_overlap(box: tuple[float, float, float, float]) -> None:
    for one, other in ((box, (0.0, 0.0, 1.0, 1.0)), ((0.0, 0.0, 1.0, 1.0), box)):
        with pytest.raises(ArgumentError, match=r"corner|NaN"):
            overlap(one, other)
