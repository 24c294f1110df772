"""Answers under the contract: the adapter is asked and its answers become comparable rows, one comparison a clause."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.adapters.contract import inputs
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.models.abilities import Ability, Frames, Generation, ImageVectors

Vector: TypeAlias = npt.NDArray[Any]
Row: TypeAlias = str | tuple[Vector, ...]
"""The answer to one input: a reply, or one vector (two where `embed_images` returns ImageVectors)."""
Prepare: TypeAlias = Callable[[Pixels], Any]
Ask: TypeAlias = Callable[[Any, list[Any], Prepare], list[Row]]

HALF_TOLERANCE = 5e-3
FULL_TOLERANCE = 1e-5


class Malformed(Exception):
    """An answer that is none; the message says what the adapter did, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One ability and the inputs it is tried with."""

    ability: Ability
    """Name of the method called."""
    inputs: list[Any]
    """Inputs, one for each answer."""
    ask: Ask
    """(adapter, inputs, prepare) -> one row an input, in order. Raises Malformed and what the adapter raises."""
    sees_pictures: bool = True
    """False where `prepare_image` is not to be tried in threads."""
    must_differ: int = 0
    """Number of leading inputs whose answers must differ from each other."""

    def describe(self, index: int) -> str:
        """Return how a sentence names one input: a text as it is, else by number."""
        item = self.inputs[index]
        return repr(item) if isinstance(item, str) else f"input {index}"


def probes(seen: list[Pixels], tune_settings: Mapping[str, float], *, clips: bool = False) -> list[Probe]:
    """Return one probe for each ability, over the pictures `seen`, and over clips of them where it takes `clips`."""
    texts, scored = inputs.texts(), inputs.scored_items(seen)
    asked: list[Any] = [([seen[i]], prompt) for i, prompt in enumerate(inputs.PROMPTS)]
    films = inputs.shown_clips(seen) if clips else []
    asked += [([film], prompt) for film, prompt in zip(films, inputs.PROMPTS, strict=False)]
    return [
        Probe("embed_images", seen, _embed_images, must_differ=len(seen)),
        Probe("embed_texts", texts, _embed_texts, sees_pictures=False, must_differ=len(texts)),
        Probe("embed_videos", inputs.clips(seen), _embed_videos, must_differ=3),
        Probe("score_texts", [*scored, *(([film], *scored[0][1:]) for film in films)], _score_texts, must_differ=3),
        Probe("generate", asked, _generate),
        # Training is slow and sees the pictures through `embed_images`, which is tried in threads itself.
        Probe("tune_prompts", [(seen[:6], dict(tune_settings))], _tune_prompts, sees_pictures=False),
    ]


def prepare_of(adapter: Any) -> Prepare:
    """Return the adapter's own preparation, or one that hands the picture on."""
    prepare = getattr(adapter, "prepare_image", None)
    return prepare if callable(prepare) else lambda picture: picture


def tolerance_of(rows: Iterable[Row]) -> float:
    """Return how far equal vectors may lie apart, relative to their norm: more for float16."""
    half = any(vector.dtype == np.float16 for row in rows if not isinstance(row, str) for vector in row)
    return HALF_TOLERANCE if half else FULL_TOLERANCE


def same(one: Row, other: Row, tolerance: float) -> bool:
    """Return whether two rows are equal replies, or vectors no farther apart than `tolerance` times their norm."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return len(one) == len(other) and all(_near(a, b, tolerance) for a, b in zip(one, other, strict=True))


def all_same(some: list[Row], others: list[Row], tolerance: float) -> bool:
    """Return whether two lists hold the same rows in the same order."""
    return len(some) == len(others) and all(same(a, b, tolerance) for a, b in zip(some, others, strict=True))


def permuted(some: list[Row], others: list[Row], tolerance: float) -> bool:
    """Return whether two lists hold the same rows in any order."""
    left = list(others)
    for row in some:
        match = next((index for index, other in enumerate(left) if same(row, other, tolerance)), None)
        if match is None:
            return False
        del left[match]
    return not left


def _near(one: Vector, other: Vector, tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    a, b = one.astype(np.float64), other.astype(np.float64)
    return bool(np.linalg.norm(a - b) <= tolerance * max(np.linalg.norm(a), np.linalg.norm(b)))


def _embed_images(adapter: Any, asked: list[Any], prepare: Prepare) -> list[Row]:
    answer = adapter.embed_images([prepare(picture) for picture in asked])
    if isinstance(answer, ImageVectors):
        embedding, features = _matrix(answer.embedding, len(asked)), _matrix(answer.features, len(asked))
        return list(zip(embedding, features, strict=True))
    return _single(_matrix(answer, len(asked)))


def _embed_texts(adapter: Any, asked: list[Any], prepare: Prepare) -> list[Row]:
    return _single(_matrix(adapter.embed_texts(list(asked)), len(asked)))


def _embed_videos(adapter: Any, asked: list[Any], prepare: Prepare) -> list[Row]:
    return _single(_matrix(adapter.embed_videos([[prepare(frame) for frame in clip] for clip in asked]), len(asked)))


def _prepared(seen: list[Any], prepare: Prepare) -> list[Any]:
    """Return the pictures of an item as `prepare` makes them, those of a clip too."""
    return [
        replace(each, pictures=tuple(map(prepare, each.pictures))) if isinstance(each, Frames) else prepare(each)
        for each in seen
    ]


def _score_texts(adapter: Any, asked: list[Any], prepare: Prepare) -> list[Row]:
    items = [(_prepared(seen, prepare), prompt, list(texts)) for seen, prompt, texts in asked]
    answer = _counted(adapter.score_texts(items), len(items), "items")
    return [(_scores(scores, len(item[2])),) for scores, item in zip(answer, items, strict=True)]


def _generate(adapter: Any, asked: list[Any], prepare: Prepare) -> list[Row]:
    prompts = [(_prepared(seen, prepare), prompt) for seen, prompt in asked]
    replies = _counted(adapter.generate(prompts, Generation(max_tokens=8)), len(prompts), "prompts")
    for reply in replies:
        if not isinstance(reply, str):
            raise Malformed(f"gave a {type(reply).__name__} where a reply is a str")
    return replies


def _tune_prompts(adapter: Any, asked: list[Any], prepare: Prepare) -> list[Row]:
    rows: list[Row] = []
    for seen, settings in asked:
        labels = np.arange(len(seen)) % len(inputs.CLASS_NAMES)
        vectors = np.stack([row[0] for row in _embed_images(adapter, seen, prepare) if not isinstance(row, str)])
        tuned = adapter.tune_prompts(list(inputs.CLASS_NAMES), vectors, labels, dict(settings), 0)
        matrix = _matrix(tuned, len(inputs.CLASS_NAMES))
        if matrix.shape[1] != vectors.shape[1]:
            raise Malformed(f"gave class vectors of {matrix.shape[1]} numbers for vectors of {vectors.shape[1]}")
        rows.append((matrix.ravel(),))
    return rows


def _matrix(answer: Any, n: int) -> Vector:
    if answer is None:
        raise Malformed("returned None")
    if not isinstance(answer, np.ndarray):
        raise Malformed(f"returned a {type(answer).__module__}.{type(answer).__name__}, not a NumPy array")
    if answer.ndim != 2 or answer.shape[0] != n or answer.shape[1] == 0:
        raise Malformed(f"returned the shape {answer.shape} for {n} inputs, not ({n}, d)")
    if not np.issubdtype(answer.dtype, np.floating):
        raise Malformed(f"returned {answer.dtype}, not floating-point numbers")
    if not np.isfinite(answer).all():
        raise Malformed("returned numbers that are not finite")
    return answer


def _single(matrix: Vector) -> list[Row]:
    return [(row,) for row in matrix]


def _counted(answer: Any, n: int, what: str) -> list[Any]:
    if answer is None:
        raise Malformed("returned None")
    if not isinstance(answer, list) or len(answer) != n:
        size = f" of {len(answer)}" if isinstance(answer, list) else ""
        raise Malformed(f"returned a {type(answer).__name__}{size} for {n} {what}, not a list of {n}")
    return answer


def _scores(answer: Any, n: int) -> Vector:
    scores = _counted(answer, n, "texts")
    for score in scores:
        if not isinstance(score, float):
            raise Malformed(f"gave a {type(score).__name__} where a score is a float")
        if not math.isfinite(score) or score > 1e-6:
            raise Malformed(f"gave {score} where a log-probability is finite and at most 0")
    return np.array(scores)
