"""Arguments of metrics as float64, checked in one place: what cannot be meant is refused in one sentence."""

import sys
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.numerics.arrays import Floats

ROUNDING = 1e-6
"""How far a probability in single precision may lie outside 0..1; it is then put to the end."""


LARGEST = 1e100
"""The largest number that distances are computed of."""


def shown(given: object) -> str:
    """Return what was given on one short line.

    >>> shown(np.zeros((2, 1))), shown("thousands")
    ('array([[0.], [0.]])', "'thousands'")
    """
    return " ".join(f"{given!r:.60}".split())


def numbers(given: npt.ArrayLike, what: str) -> Floats:
    """Return an array of numbers or truth values as float64.

    Text, complex numbers, None, ragged lists and masked numbers are refused.

    >>> numbers([True, False], "answers")
    array([1., 0.])
    """
    try:
        made = np.asarray(given)
    except ValueError:
        raise ArgumentError(f"{what} are a ragged list; give an array with one number in each place") from None
    except (TypeError, RuntimeError):  # a tensor with gradients, on a device, or of a type that NumPy lacks
        raise ArgumentError(f"{what} are no array; of a tensor give x.detach().cpu().float().numpy()") from None
    masked = sys.modules.get("numpy.ma")  # looked up, since to import it takes longer than most metrics
    if masked is not None and isinstance(given, masked.MaskedArray) and masked.is_masked(given):
        raise ArgumentError(f"{what} hold masked numbers; leave such items out (of every list alike)")
    if made.dtype.kind == "O":
        made = _plain(made, what)
    if made.dtype.kind not in "biuf":
        raise ArgumentError(f"{what} are of type {made.dtype}; give numbers")
    return made.astype(np.float64)


def vector(given: npt.ArrayLike, what: str, *, finite: bool = True) -> Floats:
    """Return (n,) numbers, at least one, without NaN; infinite ones only if `finite` is False."""
    made = numbers(given, what)
    if made.ndim != 1 or not made.size:
        raise ArgumentError(f"{what} are of shape {made.shape}; give a list with a number for each item, at least one")
    _check(made, what, finite=finite)
    return made


def matrix(given: npt.ArrayLike, what: str, *, rows: int = 1, finite: bool = True) -> Floats:
    """Return (n, d) numbers without NaN, with at least `rows` rows and one column."""
    made = numbers(given, what)
    if made.ndim != 2 or not made.shape[1]:
        raise ArgumentError(f"{what} are of shape {made.shape}; give a matrix with a row for each item")
    if len(made) < rows:
        raise ArgumentError(f"{what} have {len(made)} rows, and this needs {rows} or more")
    _check(made, what, finite=finite)
    return made


def same_length(*given: tuple[str, Any]) -> None:
    """Refuse (name, array) pairs of different lengths."""
    lengths = [len(array) for _, array in given]
    if len(set(lengths)) > 1:
        told = ", ".join(f"{name} {length}" for (name, _), length in zip(given, lengths, strict=True))
        raise ArgumentError(f"the lists differ in length ({told}); give one of each for every item")


def shares(given: npt.ArrayLike, what: str) -> Floats:
    """Return (n,) numbers in 0..1; what is outside by no more than single precision rounds is put to the end."""
    made = vector(given, what)
    if made.min() < -ROUNDING or made.max() > 1 + ROUNDING:
        outside = made[(made < -ROUNDING) | (made > 1 + ROUNDING)][0]
        raise ArgumentError(f"{what} lie in 0 to 1, and one is {outside:g}")
    return np.clip(made, 0.0, 1.0)


def truths(given: npt.ArrayLike, what: str) -> Floats:
    """Return (n,) of 0 and 1."""
    made = vector(given, what)
    if not np.isin(made, (0.0, 1.0)).all():
        raise ArgumentError(
            f"{what} are of 0 and 1 (or False and True) alone, and one is {made[~np.isin(made, (0, 1))][0]:g}"
        )
    return made


def indices(given: npt.ArrayLike, what: str, most: int) -> npt.NDArray[np.int64]:
    """Return (n,) whole numbers in 0 to most - 1."""
    made = vector(given, what)
    if (made != np.floor(made)).any() or made.min() < 0 or made.max() >= most:
        raise ArgumentError(f"{what} are the 0-based indices of classes, whole numbers from 0 to {most - 1}")
    return made.astype(np.int64)


def whole(given: object, what: str, least: int = 1, most: int = 1 << 53) -> int:
    """Return a whole number from `least` to `most`."""
    if isinstance(given, (bool, np.bool_)) or not isinstance(given, (int, np.integer)) or not least <= given <= most:
        ends = f"{least} to {most}" if isinstance(given, (int, np.integer)) and given > most else f"{least}"
        raise ArgumentError(f"{what} is a whole number from {ends}, not {shown(given)}")
    return int(given)


def number(given: object, what: str, low: float = -np.inf, high: float = np.inf) -> float:
    """Return a finite number from `low` to `high`."""
    kinds = (int, float, np.integer, np.floating)
    try:
        made = np.nan if isinstance(given, bool) or not isinstance(given, kinds) else float(given)
    except OverflowError:
        made = np.inf
    if not np.isfinite(made) or not low <= made <= high:
        ends = f" from {low:g} to {high:g}" if np.isfinite(high) else f" from {low:g}" if np.isfinite(low) else ""
        raise ArgumentError(f"{what} is a number{ends}, not {shown(given)}")
    return made


def listed(given: object, what: str) -> list[Any]:
    """Return the items of a list, a tuple, an array, a tensor or a column of a table.

    A text has none, a set no order, and a whole table is a list of the names of its columns.
    """
    unordered = isinstance(given, (str, bytes, Set, Mapping)) or hasattr(given, "columns")
    to_list = None if unordered else getattr(given, "tolist", None)
    made = to_list() if callable(to_list) else given
    if unordered or isinstance(made, str) or not isinstance(made, Iterable):
        raise ArgumentError(f"{what} are a list with one for each item, not {type(given).__name__}")
    return list(made)


def flag(given: object, what: str) -> bool:
    """Return True or False."""
    if not isinstance(given, (bool, np.bool_)):
        raise ArgumentError(f"{what} is True or False, not {shown(given)}")
    return bool(given)


def one_of(given: object, what: str, known: tuple[str, ...]) -> str:
    """Return a text that is one of `known`."""
    if not isinstance(given, str) or given not in known:
        raise ArgumentError(f"{what} is {', '.join(known[:-1])} or {known[-1]}, not {shown(given)}")
    return given


def unit(vectors: Floats, what: str) -> Floats:
    """Return (n, d) rows scaled to length 1; a row of zeros has no direction and is refused."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)  # squares of very large or small numbers have no room
    if not largest.all():
        raise ArgumentError(f"row {int(np.argmin(largest))} of {what} is zero, and has no direction")
    scaled = vectors / largest
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True))


def squarable(*given: Floats) -> None:
    """Refuse arrays whose squares have no room in a number."""
    if any(np.abs(array).max(initial=0.0) > LARGEST for array in given):
        raise ArgumentError(f"a number is larger than {LARGEST:g}; look whether the vectors are what a model gave")


def same_width(x: Floats, y: Floats, names: str) -> None:
    """Refuse (n, d) and (m, e) of which d and e differ."""
    if x.shape[1] != y.shape[1]:
        raise ArgumentError(
            f"{names} are vectors of {x.shape[1]} and of {y.shape[1]} numbers; give both from one model"
        )


def _plain(made: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    """Return an array of Python objects as numbers, if they are."""
    if not all(isinstance(each, (bool, int, float, np.generic)) for each in made.flat):
        raise ArgumentError(f"{what} hold something that is no number; leave such items out, or give them a number")
    try:
        return made.astype(np.float64)
    except OverflowError:
        raise ArgumentError(f"{what} hold a number that is too large; give numbers up to 1e308") from None


def _check(made: Floats, what: str, *, finite: bool) -> None:
    if np.isnan(made).any():
        raise ArgumentError(f"{what} hold NaN; leave such items out, or find out why they have no number")
    if finite and np.isinf(made).any():
        raise ArgumentError(f"{what} hold an infinite number; give finite ones")
