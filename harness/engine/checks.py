"""Checks of an adapter's answers before they are used."""

import math
from typing import Any

import numpy as np

from mmbench.harness.engine.packing import Value
from mmbench.harness.errors import AdapterError
from mmbench.harness.models.abilities import Array, ImageVectors
from mmbench.harness.types import Failure


def vectors(made: Any, n: int, method: str) -> list[Value | Failure]:
    """Return n rows of an (n, d) array, or n pairs of rows; one with NaN is a Failure. Raises AdapterError."""
    if isinstance(made, ImageVectors):
        embeddings, features = np.asarray(made.embedding), np.asarray(made.features)
        _check_rows(embeddings, n, method)
        _check_rows(features, n, method)
        pairs = [ImageVectors(e, f) for e, f in zip(embeddings, features, strict=True)]
        return [p if _finite(p.embedding) and _finite(p.features) else _NOT_FINITE for p in pairs]
    array = np.asarray(made)
    _check_rows(array, n, method)
    return [row if _finite(row) else _NOT_FINITE for row in array]


_NOT_FINITE = Failure("the model returned a vector with NaN or infinity; try --dtype fp32")


def _finite(row: Array) -> bool:
    return bool(np.isfinite(row).all())


def _check_rows(array: Array, n: int, method: str) -> None:
    if array.ndim != 2 or len(array) != n or array.dtype.kind != "f":
        raise AdapterError(
            f"{method} got {n} inputs and returned {array.dtype} of shape {array.shape}; "
            f"expected ({n}, d) floating-point numbers"
        )


def scores(made: Any, counts: list[int]) -> list[Value | Failure]:
    """Return an array of log-probabilities for each item, `counts` long. Raises AdapterError."""
    if [len(row) for row in made] != counts:
        raise AdapterError(f"score_texts must return one number for each text; expected counts {counts[:3]}…")
    return [
        np.asarray(row, dtype=np.float64)
        if not any(map(math.isnan, row))
        else Failure("the model returned NaN as a log-probability")
        for row in made
    ]


def replies(made: Any, n: int) -> list[Value | Failure]:
    """Return n texts. Raises AdapterError."""
    if len(made) != n or not all(isinstance(reply, str) for reply in made):
        raise AdapterError(f"generate got {n} prompts and must return {n} texts")
    return list(made)
