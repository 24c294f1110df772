"""CLIPScore: cosine of the CLIP vectors of caption and picture, with or without references."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import listed, matrix, numbers, squarable
from mmbench.harness.numerics.arrays import Floats

Vectors = npt.NDArray[np.floating]

PREFIX = "A photo depicts "
"""Prefix that the official script puts before candidates and references alike, the space included."""
WEIGHT = 2.5
"""Stretches the cosines that occur over about 0..1."""


def clipscore(images: Vectors, candidates: Vectors) -> Floats:
    """Return (n,) CLIPScore 2.5 x max(cosine, 0) of pictures and captions (Hessel et al. 2021).

    `images` and `candidates` are (n, d), of any length: they are made unit in float64. The published figures are of
    ViT-B/32 in float16 on a GPU; the official script warns that its own on a CPU, or with NumPy 1.21 and later, differ
    slightly. A zero vector fits nothing: 0.

    >>> clipscore(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [-1.0, 0.0]]))
    array([2., 0.])
    """
    pictures, texts = _unit(images), _unit(candidates)
    if pictures.shape != texts.shape:
        raise ArgumentError(
            f"pictures are of shape {pictures.shape}, captions of {texts.shape}; give pairs of one model"
        )
    cosine = (pictures * texts).sum(axis=1)
    return np.asarray(WEIGHT * np.maximum(cosine, 0.0))


def ref_clipscore(clipscores: Floats, candidates: Vectors, references: Sequence[Vectors]) -> Floats:
    """Return (n,) RefCLIPScore: the harmonic mean of CLIPScore and the best cosine of candidate and reference.

    `clipscores` is (n,), with their weight of 2.5, which the cosine of texts does not get; `candidates` is (n, d);
    `references` holds one (k, d) array an item. A best cosine below 0 counts 0, as in the paper; the official script
    leaves it, which its own vectors never notice. Where either part is 0 so is the mean. Raises ArgumentError,
    which names an item without references.

    >>> ref_clipscore(np.array([2.0]), np.array([[1.0, 0.0]]), [np.array([[0.0, 1.0], [3.0, 0.0]])])  # 2 x 2 x 1 / 3
    array([1.33333333])
    """
    held = [*references] if isinstance(references, np.ndarray) and references.ndim else listed(references, "references")
    for position, given in enumerate(held):
        if np.shape(given)[:1] == (0,):
            raise ArgumentError(f"the caption at position {position} has no reference: give it one or leave it out")
    if not held:
        return np.zeros(0)
    made, texts, worded = numbers(clipscores, "clipscores"), _unit(candidates), [_unit(given) for given in held]
    if made.shape != (len(held),) or len(texts) != len(held) or {each.shape[1] for each in worded} != {texts.shape[1]}:
        raise ArgumentError("give a CLIPScore, a vector and an array of references, all of one width, for each caption")
    counts = np.array([len(given) for given in worded])
    every = np.repeat(texts, counts, axis=0)
    cosines = (every * np.concatenate(worded)).sum(axis=1)
    best = np.maximum(np.maximum.reduceat(cosines, np.cumsum(counts) - counts), 0.0)
    total = made + best
    return np.asarray(np.divide(2 * made * best, total, out=np.zeros_like(total), where=total > 0))


def _unit(vectors: Vectors) -> Floats:
    exact = matrix(vectors, "vectors", rows=0)
    squarable(exact)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.asarray(np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0))
