"""Checks of an adapter's answers before they are used."""

from typing import Any

import numpy as np

from mmbench.harness.engine.packing import Value
from mmbench.harness.models.abilities import Array, ImageVectors
from mmbench.harness.types import Failure


class BrokenReply(Exception):
    """A reply whose elements cannot be told apart, so that the inputs of its call are asked one by one."""


def vectors(made: Any, n: int, method: str) -> list[Value | Failure]:
    """Return n rows of an (n, d) array, or n pairs of rows; one with NaN is a Failure. Raises BrokenReply."""
    if isinstance(made, ImageVectors):
        embeddings, features = np.asarray(made.embedding), np.asarray(made.features)
        _check_rows(embeddings, n, method)
        _check_rows(features, n, method)
        pairs = [ImageVectors(e, f) for e, f in zip(embeddings, features, strict=True)]
        return [p if _finite(p.embedding) and _finite(p.features) else _NOT_FINITE for p in pairs]
    if callable(getattr(made, "detach", None)):  # a tensor that NumPy has no numbers for, or that is trained
        made = made.detach().cpu()
        made = made.float() if "bfloat16" in str(made.dtype) else made
    try:
        array = np.asarray(made)
    except ValueError as error:  # lists of unequal length within
        raise _broken(made, n, method) from error
    if array.dtype == object and not array.ndim:
        raise _broken(made, n, method)
    _check_rows(array, n, method)
    return [row if _finite(row) else _NOT_FINITE for row in array]


def _broken(made: Any, n: int, method: str) -> BrokenReply:
    return BrokenReply(
        f"{method} got {n} inputs and returned a {_of(made)}; expected ({n}, d) floating-point numbers in an array"
    )


_NOT_FINITE = Failure("the model returned a vector with NaN or infinity; try --dtype fp32")


def _finite(row: Array) -> bool:
    return bool(np.isfinite(row).all())


def _check_rows(array: Array, n: int, method: str) -> None:
    if array.ndim != 2 or len(array) != n or not array.shape[1] or array.dtype.kind != "f":
        raise BrokenReply(
            f"{method} got {n} inputs and returned {array.dtype} of shape {array.shape}; "
            f"expected ({n}, d) floating-point numbers"
        )


SLACK = 1e-6
"""How far above 0 rounding may lift a log-probability."""


def scores(made: Any, counts: list[int]) -> list[Value | Failure]:
    """Return an array of log-probabilities for each item, `counts` long; a row that is none is a Failure.

    Raises BrokenReply where there is not one row an item.
    """
    rows = _elements(made, len(counts), "score_texts", "items", "rows")
    return [_row_of_scores(row, count) for row, count in zip(rows, counts, strict=True)]


def _row_of_scores(made: Any, count: int) -> Value | Failure:
    try:
        row = np.asarray(made)
    except ValueError:  # lists of unequal length within
        row = np.empty(0, object)
    if row.dtype.kind not in "fiu" or row.shape != (count,):
        return Failure(
            f"score_texts must return one number for each text of an item, here {count}; it gave {_of(made)}"
        )
    row = row.astype(np.float64)
    return row if (wrong := no_likelihood(row)) is None else wrong


def no_likelihood(row: Array) -> Failure | None:
    """Return why these numbers are no log-probabilities, which are finite or minus infinity and at most 0."""
    broken = row[~(row <= SLACK)]
    if not broken.size:
        return None
    return Failure(f"the model returned {broken[0]:.6g} as a log-probability, which is at most 0 and never NaN")


def replies(made: Any, n: int) -> list[Value | Failure]:
    """Return n texts; what is no text is a Failure. Raises BrokenReply where there are not n."""
    return [
        each if isinstance(each, str) else Failure(f"generate must return texts; it gave {_of(each)}")
        for each in _elements(made, n, "generate", "prompts", "texts")
    ]


def _elements(made: Any, n: int, method: str, inputs: str, outputs: str) -> list[Any]:
    """Return the n elements of a reply. Raises BrokenReply."""
    # These have a length too, but letters are no replies, and a set has no order.
    if isinstance(made, (str, bytes, dict, set)) or not hasattr(made, "__len__") or len(made) != n:
        raise BrokenReply(f"{method} got {n} {inputs} and must return {n} {outputs}; it gave {_of(made)}")
    return list(made)


def _of(made: Any) -> str:
    kind = type(made).__name__
    if callable(getattr(made, "close", None)) and kind == "coroutine":
        made.close()  # else Python warns that nobody waited for it
    try:
        return f"{kind} of {len(made)}"
    except TypeError:
        return kind
