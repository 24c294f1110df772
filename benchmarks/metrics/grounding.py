"""Metrics of grounding: how well a box lies on another, and whether points lie where they should."""

from collections.abc import Sequence

from mmbench.benchmarks.metrics.segmentation import Mask
from mmbench.harness.metrics.boxes import overlap
from mmbench.harness.replies.boxes import Box
from mmbench.harness.replies.points import Point
from mmbench.harness.tasks.metric import Metric

BOX_METRICS = (
    Metric("accuracy@iou0.5", "Intersection over union of at least one half (RefCOCO; Mao et al. 2016)."),
    Metric("accuracy@iou0.75", "The same of at least three quarters."),
    Metric("mean_iou", "Intersection over union, 0 without a box."),
    Metric("centre_in_box", "The middle of the box lies in the true one."),
)
POINT_METRICS = (
    Metric("point_accuracy", "Share of the points that lie in mask or box (RoboPoint; Yuan et al. 2024)."),
    Metric("first_point_accuracy", "The first point does."),
)


def box_values(predicted: Box | None, true: Box) -> dict[str, float]:
    """Return what a box is worth against the true one; all 0 without a box.

    Boxes are areas: an edge lies between pixels. An overlap of exactly one half counts.

    >>> box_values((0, 0, 10, 5), (0, 0, 10, 10))
    {'accuracy@iou0.5': 1.0, 'accuracy@iou0.75': 0.0, 'mean_iou': 0.5, 'centre_in_box': 1.0}
    """
    shared = 0.0 if predicted is None else overlap(predicted, true)
    inside = predicted is not None and in_boxes(centre(predicted), [true])
    return {
        "accuracy@iou0.5": float(shared >= 0.5),
        "accuracy@iou0.75": float(shared >= 0.75),
        "mean_iou": shared,
        "centre_in_box": float(inside),
    }


def point_values(points: Sequence[Point | None], true: Sequence[Box], mask: Mask | None = None) -> dict[str, float]:
    """Return the share of the points that lie in the mask, else in one of the boxes, and whether the first one does.

    Without a point both are 0. None is a point outside of the picture: a miss, as in RoboPoint's script.

    >>> point_values([(5, 5), (50, 50)], [(0, 0, 10, 10)])
    {'point_accuracy': 0.5, 'first_point_accuracy': 1.0}
    """
    hits = [
        float(point is not None and (in_boxes(point, true) if mask is None else in_mask(point, mask)))
        for point in points
    ]
    return {
        "point_accuracy": sum(hits) / len(hits) if hits else 0.0,
        "first_point_accuracy": hits[0] if hits else 0.0,
    }


def centre(box: Box) -> Point:
    """Return the middle of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def in_boxes(point: Point, boxes: Sequence[Box]) -> bool:
    """Tell whether a point lies in one of the boxes, their edges included."""
    return any(x1 <= point[0] <= x2 and y1 <= point[1] <= y2 for x1, y1, x2, y2 in boxes)


def in_mask(point: Point, mask: Mask) -> bool:
    """Tell whether a point lies on a mask: at the pixel that holds it, which is never rounded up.

    >>> from numpy import array
    >>> in_mask((1.9, 0.2), array([[False, True]])), in_mask((2.0, 0.0), array([[False, True]]))
    (True, True)
    """
    height, width = mask.shape
    column, row = (min(max(int(place), 0), side - 1) for place, side in zip(point, (width, height), strict=True))
    return bool(mask[row, column])


def covered(boxes: Sequence[Box], width: int, height: int) -> float:
    """Return the share of a picture that boxes cover, which is what a point set at random hits.

    >>> covered([(0, 0, 10, 10), (5, 0, 15, 10)], 20, 10)
    0.75
    """
    across = sorted({min(max(x, 0.0), width) for box in boxes for x in (box[0], box[2])})
    down = sorted({min(max(y, 0.0), height) for box in boxes for y in (box[1], box[3])})
    area = sum(
        (right - left) * (bottom - top)
        for left, right in zip(across, across[1:], strict=False)
        for top, bottom in zip(down, down[1:], strict=False)
        if in_boxes(((left + right) / 2, (top + bottom) / 2), boxes)
    )
    return area / (width * height)
