"""Shapes as signed distances, so that edges are smooth at every size and rotation."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.floating[Any]]
Distance = Callable[[Field, Field], Field]

# Inigo Quilez's collection of 2-D distance functions is the source of the forms of star and heart.


def _norm(x: Field, y: Field) -> Field:
    found: Field = np.sqrt(x * x + y * y)
    return found


def _circle(x: Field, y: Field) -> Field:
    edge: Field = _norm(x, y) - np.float32(0.95)
    return edge


def _ring(x: Field, y: Field) -> Field:
    edge: Field = np.abs(_norm(x, y) - np.float32(0.7)) - np.float32(0.25)
    return edge


def _crescent(x: Field, y: Field) -> Field:
    moved = x - np.float32(0.5)
    edge: Field = np.maximum(_norm(x, y) - np.float32(0.98), np.float32(0.8) - _norm(moved, y))
    return edge


def _polygon(corners: int, apothem: float, first: float) -> Distance:
    """A regular convex polygon; `first` is the angle of one side's normal in degrees."""
    angles = [math.radians(first + 360 * k / corners) for k in range(corners)]
    normals = [(np.float32(math.cos(a)), np.float32(math.sin(a))) for a in angles]

    def distance(x: Field, y: Field) -> Field:
        found = normals[0][0] * x + normals[0][1] * y
        for across, up in normals[1:]:
            np.maximum(found, across * x + up * y, out=found)
        return found - np.float32(apothem)

    return distance


def _cross(x: Field, y: Field) -> Field:
    across, up = np.abs(x), np.abs(y)
    long, thin = np.float32(0.92), np.float32(0.3)
    return np.minimum(np.maximum(across - long, up - thin), np.maximum(across - thin, up - long))


def _star(x: Field, y: Field) -> Field:
    # Two folds bring the five points onto half of one, whose edge is a line.
    outer, inner = 1.0, 0.42
    x = np.abs(x)
    for angle in (36, 144):
        across, up = np.float32(math.cos(math.radians(angle))), np.float32(-math.sin(math.radians(angle)))
        beyond = np.maximum(across * x + up * y, 0)
        x, y = x - 2 * beyond * across, y - 2 * beyond * up
    x = np.abs(x)
    valley = inner * math.sin(math.radians(36)), inner * math.cos(math.radians(36))
    along = valley[0], valley[1] - outer
    length = math.hypot(*along)
    across, up = np.float32(-along[1] / length), np.float32(along[0] / length)
    edge: Field = across * x + up * (y - np.float32(outer))
    return edge


def _heart(x: Field, y: Field) -> Field:
    scale = np.float32(0.62)
    x, y = np.abs(x) * scale, y * scale + np.float32(0.52)
    lobe = _norm(x - np.float32(0.25), y - np.float32(0.75)) - np.float32(math.sqrt(2) / 4)
    middle = np.maximum(x + y, 0) / 2
    below = np.minimum(_norm(x, y - 1), _norm(x - middle, y - middle)) * np.sign(x - y)
    edge: Field = np.where(x + y > 1, lobe, below) / scale
    return edge


def _arrow(x: Field, y: Field) -> Field:
    up = np.abs(y)
    shaft = np.maximum(np.maximum(np.float32(-0.95) - x, x - np.float32(0.2)), up - np.float32(0.22))
    head = np.maximum(-x, (up + x - np.float32(0.95)) * np.float32(math.sqrt(0.5)))
    edge: Field = np.minimum(shaft, head)
    return edge


DISTANCES: Mapping[str, Distance] = {
    "circle": _circle,
    "square": _polygon(4, 0.78, 0),
    "triangle": _polygon(3, 0.52, -90),
    "star": _star,
    "cross": _cross,
    "heart": _heart,
    "ring": _ring,
    "diamond": _polygon(4, 0.7, 45),
    "crescent": _crescent,
    "hexagon": _polygon(6, 0.84, 90),
    "arrow": _arrow,
}
"""Signed distance (negative inside) at points in units of the radius, y upwards, by shape."""
