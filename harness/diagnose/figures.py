"""Figures of an embedding space: what each is of, its interval or the reason why there is none, and its baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from mmbench.harness.diagnose import baselines
from mmbench.harness.diagnose.vectors import Space, Vectors
from mmbench.harness.digest import Json
from mmbench.harness.metrics.embeddings import (
    alignment,
    effective_rank,
    k_occurrence,
    kernel_means,
    linear_cka,
    modality_gap,
    pair_losses,
    skewness,
)
from mmbench.harness.metrics.modalities import cosine_means, modality_separability, sigmoid_loss
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.clusters import mean_interval
from mmbench.harness.statistics.wilson import wilson

Better = Literal["higher", "lower"]
Ends = tuple[float, float] | None

K = 10
"""Neighbours that are counted, as usual in the field."""
_FOLDS = 10
_FEWEST_OF_CKA = 4


class Kind(NamedTuple):
    """What a figure is."""

    group: str
    better: Better | None
    """Where one end is better by itself."""
    meaning: str


KINDS: Mapping[str, Kind] = {
    "matched_cosine": Kind("pairs", "higher", "picture and its text; baseline: another's"),
    "alignment": Kind("pairs", "lower", "the same as squared distance, 2 - 2 cosine"),
    "info_nce": Kind("pairs", "lower", "loss at the model's scale; baseline: ln n"),
    "image_to_text/info_nce": Kind("pairs", "lower", "of finding the text of a picture"),
    "text_to_image/info_nce": Kind("pairs", "lower", "of finding the picture of a text"),
    "sigmoid_loss": Kind("pairs", "lower", "at the model's scale; baseline: 1 in n"),
    "linear_cka": Kind("pairs", "higher", "like geometry, debiased; 1: one rotated"),
    "modality_gap": Kind("modalities", None, "distance of means; baseline: chance at n"),
    "separability": Kind("modalities", None, "told apart by nearest mean; 0.5: not at all"),
    f"image_to_text/hubness@{K}": Kind("search", "lower", "skewness of finds; baseline: blind draws"),
    f"image_to_text/antihubs@{K}": Kind("search", "lower", f"texts never among the {K} nearest"),
    f"text_to_image/hubness@{K}": Kind("search", "lower", "skewness of finds; baseline: blind draws"),
    f"text_to_image/antihubs@{K}": Kind("search", "lower", f"pictures never among the {K} nearest"),
    "image/uniformity": Kind("pictures", "lower", "log closeness of two; baseline: even spread"),
    "image/anisotropy": Kind("pictures", "lower", "mean cosine of two; 1: one direction alone"),
    "image/effective_rank": Kind("pictures", "higher", "directions in use; baseline: noise at n"),
    "text/uniformity": Kind("texts", "lower", "log closeness of two; baseline: even spread"),
    "text/anisotropy": Kind("texts", "lower", "mean cosine of two; 1: one direction alone"),
    "text/effective_rank": Kind("texts", "higher", "directions in use; baseline: noise at n"),
}
"""All figures, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a space."""

    name: str
    value: float | None
    """None where it cannot be given."""
    low: float | None
    """Lower end of the 95 % interval over pictures; None, as the upper one, where none is defined."""
    high: float | None
    baseline: float | None
    """What it comes to, at this n and d, where there is nothing to find."""
    n: int
    """What it is made of: pairs, pictures, texts, queries."""
    better: Better | None
    meaning: str
    reason: str | None = None
    """Why it has no value."""

    def as_json(self) -> dict[str, Json]:
        """Return it as `--format json` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


class _Made(NamedTuple):
    value: float
    ends: Ends
    baseline: float | None
    n: int


_Found = dict[str, _Made | str]
"""Figures by name, or why they cannot be given."""


def figures(space: Space, without_scale: str) -> list[Figure]:
    """Return all figures; `without_scale` is why there is no loss where the model tells no scale."""
    found: _Found = {**_pairs(space, without_scale), **_between(space), **_within("image", space.pictures, None)}
    if space.texts is None or len(space.texts) < 2:
        found |= dict.fromkeys((name for name in KINDS if name.startswith("text/")), space.without_texts or _ONE_TEXT)
    else:
        found |= _within("text", space.texts, space.owner)
    return [_figure(name, found[name]) for name in KINDS]


_ONE_TEXT = "there is but one distinct text"
_ALIKE = "it is not defined where all are alike"


def _figure(name: str, made: _Made | str) -> Figure:
    _, better, meaning = KINDS[name]
    if isinstance(made, str):
        return Figure(name, None, None, None, None, 0, better, meaning, made)
    if np.isnan(made.value):
        return Figure(name, None, None, None, made.baseline, made.n, better, meaning, _ALIKE)
    low, high = made.ends or (None, None)
    return Figure(name, made.value, low, high, made.baseline, made.n, better, meaning)


def _pairs(space: Space, without_scale: str) -> _Found:
    """Return what is made of each picture and its first text."""
    names = [name for name, kind in KINDS.items() if kind.group == "pairs"]
    held = np.flatnonzero(space.first >= 0)
    if space.texts is None:
        return dict.fromkeys(names, space.without_texts)
    if space.kind == "classes":
        return dict.fromkeys(names, "texts of classes are of many pictures each, so that there are no pairs")
    if len(held) < 2:
        return dict.fromkeys(names, f"it needs two pictures with a text or more, and there are {len(held)}")
    x, y = space.pictures[held], space.texts[space.first[held]]
    n = len(held)
    cosine = np.einsum("ij,ij->i", x, y, dtype=np.float64)
    total = float(x.sum(axis=0, dtype=np.float64) @ y.sum(axis=0, dtype=np.float64))
    others = (total - float(cosine.sum())) / (n * (n - 1))
    few = f"it needs {_FEWEST_OF_CKA} pairs or more, and there are {n}"
    return {
        "matched_cosine": _Made(float(cosine.mean()), _ends(cosine), others, n),
        "alignment": _Made(alignment(x, y), _ends(2 - 2 * cosine), 2 - 2 * others, n),
        "linear_cka": few if n < _FEWEST_OF_CKA else _Made(linear_cka(x, y, debiased=True), None, 0.0, n),
        **_losses(space, x, y, without_scale),
    }


def _losses(space: Space, x: Vectors, y: Vectors, without_scale: str) -> _Found:
    names = ("info_nce", "image_to_text/info_nce", "text_to_image/info_nce")
    if space.scale is None:
        return dict.fromkeys((*names, "sigmoid_loss"), without_scale)
    factor, bias = space.scale
    n = len(x)
    if bias:
        loss = _Made(sigmoid_loss(x, y, factor, bias), None, baselines.base_rate(n), n)
        softmax = dict.fromkeys(names, "the model learnt by a sigmoid of each pair, not by a softmax")
        return {**softmax, "sigmoid_loss": loss}
    forth, back = pair_losses(x, y, factor)
    blind = baselines.knows_nothing(n)
    made = {
        name: _Made(float(losses.mean()), _ends(losses), blind, n)
        for name, losses in zip(names, ((forth + back) / 2, forth, back), strict=True)
    }
    return {**made, "sigmoid_loss": "the model learnt by a softmax over pairs, not by a sigmoid: it tells no bias"}


def _between(space: Space) -> _Found:
    """Return what is made of all pictures and all texts."""
    names = [name for name, kind in KINDS.items() if kind.group in ("modalities", "search")]
    if space.texts is None or len(space.texts) < 2:
        return dict.fromkeys(names, space.without_texts or _ONE_TEXT)
    x, y = space.pictures, space.texts
    return {
        "modality_gap": _Made(modality_gap(x, y), _gap_ends(space, y), baselines.gap_by_chance(x, y), len(x) + len(y)),
        "separability": _separability(space, y),
        **_hubs("image_to_text", x, y),
        **_hubs("text_to_image", y, x),
    }


def _separability(space: Space, texts: Vectors) -> _Made | str:
    """Return how well means part the modalities; a picture and its text are judged by means without both."""
    x, y, ends = space.pictures, texts, False
    if space.kind == "texts":
        held = np.flatnonzero(space.first >= 0)
        x, y, ends = x[held], y[space.first[held]], True
    if len(x) < 2:
        return "it needs two pictures with a text or more"
    mean = modality_separability(x, y, min(_FOLDS, len(x), len(y))).mean
    return _Made(mean, wilson(mean * len(x), len(x)) if ends else None, 0.5, len(x) + len(y))


def _hubs(direction: str, queries: Vectors, gallery: Vectors) -> _Found:
    names = f"{direction}/hubness@{K}", f"{direction}/antihubs@{K}"
    n, m = len(queries), len(gallery)
    if m < 2 * K:  # of fewer most are among the nearest of any
        return dict.fromkeys(names, f"it needs {2 * K} or more to search among, and there are {m}")
    counts = k_occurrence(queries, gallery, K)
    return {
        names[0]: _Made(skewness(counts), None, baselines.hubs_by_chance(n, m, K), n),
        names[1]: _Made(float(np.mean(counts == 0)), None, baselines.antihubs_by_chance(n, m, K), n),
    }


def _within(modality: str, rows: Vectors, owner: np.ndarray | None) -> _Found:
    """Return what is made of the vectors of one modality; texts that share a picture (`owner`) vary together."""
    n, d = rows.shape
    sampled = owner is None or bool((owner >= 0).all())
    clusters = np.arange(n) if owner is None else owner
    kernel, cosines = kernel_means(rows), cosine_means(rows)
    mean = float(kernel.mean())
    value = float(np.log(mean))
    # Both are means over pairs, of which each item is in as many: to the first order it moves them by twice its own.
    logs = value + 2 * (kernel / mean - 1)
    slopes = 2 * cosines - cosines.mean()
    return {
        f"{modality}/uniformity": _Made(
            value, mean_interval(logs, clusters) if sampled else None, baselines.spread_evenly(d), n
        ),
        f"{modality}/anisotropy": _Made(
            float(cosines.mean()), mean_interval(slopes, clusters) if sampled else None, 0.0, n
        ),
        f"{modality}/effective_rank": _Made(effective_rank(rows), None, baselines.rank_of_noise(n, d), n),
    }


def _gap_ends(space: Space, texts: Vectors) -> Ends:
    """Return the interval of the gap over pictures, each with its texts, to the first order.

    What a vector adds to the gap is its part along it. Prompts of classes are those of the task, and do not vary.
    """
    apart = space.pictures.mean(axis=0, dtype=np.float64) - texts.mean(axis=0, dtype=np.float64)
    size = float(np.linalg.norm(apart))
    if not size:
        return None
    along = apart / size
    own, other = space.pictures @ along, texts @ along
    held = space.owner >= 0
    of_texts = np.bincount(space.owner[held], weights=(other - other.mean())[held], minlength=len(own))
    return _ends(own - other.mean() - of_texts * (len(own) / len(other)))


def _ends(values: Floats) -> Ends:
    return mean_interval(values, np.arange(len(values)))
