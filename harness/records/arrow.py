"""Arrow columns from Python values and back, without importing pandas, which takes most of a second of a warm run."""

import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_BYTES = 2**31 - 1
"""What 32-bit offsets can address."""
_LEFT = [50_000]
"""Cells of this process that are still gone through one by one: to import Arrow's own functions takes about as long."""


def texts(cells: Sequence[str | None]) -> Any:
    """Return a string column."""
    import pyarrow as pa

    whole = ["" if cell is None else cell for cell in cells]
    data = "".join(whole).encode(errors="replace")
    held: Sequence[str | bytes] = whole
    if len(data) > sum(map(len, whole)):  # else all is ASCII, and characters are bytes
        held = [cell.encode(errors="replace") for cell in whole]
    small = len(data) <= MOST_BYTES
    offsets = _offsets(held, np.dtype(np.int32 if small else np.int64))
    kind = pa.string() if small else pa.large_string()
    return pa.Array.from_buffers(kind, len(cells), [_valid(cells), pa.py_buffer(offsets), pa.py_buffer(data)])


def repeated(cells: Sequence[str | None]) -> Any:
    """Return a string column of few distinct texts, each held once."""
    import pyarrow as pa

    places = {cell: place for place, cell in enumerate(dict.fromkeys(cell for cell in cells if cell is not None))}
    indices = np.array([0 if cell is None else places[cell] for cell in cells], dtype=np.int32)
    held = pa.Array.from_buffers(pa.int32(), len(cells), [_valid(cells), pa.py_buffer(indices)])
    return pa.DictionaryArray.from_arrays(held, texts(list(places)))


def numbers(cells: Sequence[float | None]) -> Any:
    """Return a float64 column."""
    import pyarrow as pa

    held = cells if None not in cells else [0.0 if cell is None else cell for cell in cells]
    values = np.array(held, dtype=np.float64)
    return pa.Array.from_buffers(pa.float64(), len(cells), [_valid(cells), pa.py_buffer(values)])


def lists(cells: Sequence[Sequence[float] | None]) -> Any:
    """Return a column of lists of float64."""
    import pyarrow as pa

    held = [cell or () for cell in cells]
    values = numbers(list(chain.from_iterable(held)))
    offsets = pa.py_buffer(_offsets(held, np.dtype(np.int32)))
    kind = pa.list_(pa.float64())
    return pa.Array.from_buffers(kind, len(cells), [_valid(cells), offsets], children=[values])


def plain(cells: Sequence[Any]) -> Any:
    """Return a column of the narrowest type that holds all cells: bool, int64, float64, else string."""
    import pyarrow as pa

    kinds = {type(cell) for cell in cells if cell is not None}
    huge = any(isinstance(cell, int) and abs(cell) >= 2**63 for cell in cells)
    if kinds == {bool}:
        flags = np.packbits(np.array([bool(cell) for cell in cells]), bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(cells), [_valid(cells), pa.py_buffer(flags)])
    if kinds == {int} and not huge:
        whole = np.array([cell or 0 for cell in cells], dtype=np.int64)
        return pa.Array.from_buffers(pa.int64(), len(cells), [_valid(cells), pa.py_buffer(whole)])
    if kinds and kinds <= {int, float} and not huge:
        return numbers(cells)
    return texts([None if cell is None else str(cell) for cell in cells])


def flat(column: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return the numbers of a column without nulls, of this type; Arrow's own `to_numpy` imports pandas."""
    return np.frombuffer(column.buffers()[1], dtype)[column.offset : column.offset + len(column)]


def taken(column: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Return some cells of a column of texts without nulls."""
    if len(rows) == len(column):
        return column
    if not _one_by_one(column):
        return column.take(whole_numbers(rows))
    cells = column.to_pylist()
    return texts([cells[row] for row in rows])


def content(column: Any) -> tuple[npt.NDArray[np.integer], memoryview]:
    """Return (n,) lengths in bytes of the texts of a column without nulls, and the bytes of them all."""
    import pyarrow as pa

    _, offsets, data = column.buffers()
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    ends = np.frombuffer(offsets, kind)[column.offset : column.offset + len(column) + 1]
    return np.diff(ends), memoryview(data or b"")[ends[0] : ends[-1]]


def present(column: Any) -> npt.NDArray[np.bool_]:
    """Tell which cells of a column are not null."""
    if not column.null_count:
        return np.ones(len(column), dtype=bool)
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)].astype(bool)


def _one_by_one(column: Any) -> bool:
    """Return whether the cells of a column are gone through here, for as long as Arrow's functions are not imported."""
    if "pyarrow.compute" in sys.modules or len(column) > _LEFT[0]:
        return False
    _LEFT[0] -= len(column)
    return True


def coded(column: Any) -> tuple[npt.NDArray[np.int32], list[Any]]:
    """Return (n,) numbers of the cells of a column, -1 for null, and the distinct cells that they number."""
    if _one_by_one(column):
        cells = column.to_pylist()
        names = [cell for cell in dict.fromkeys(cells) if cell is not None]
        places = {None: -1, **{name: place for place, name in enumerate(names)}}
        return np.array([places[cell] for cell in cells], np.int32), names
    encoded = column.dictionary_encode()
    encoded = getattr(encoded, "combine_chunks", lambda: encoded)()
    indices = encoded.indices.cast("int32")
    codes = np.where(present(indices), flat(indices, np.int32), np.int32(-1))
    return codes, encoded.dictionary.to_pylist()


def equal(column: Any, text: str) -> npt.NDArray[np.bool_]:
    """Tell where a chunked column says this; Arrow's own comparison with a Python value imports pandas."""
    codes, names = coded(column)
    return np.asarray(np.array([*(name == text for name in names), False], dtype=bool)[codes])


def whole_numbers(numbers: npt.NDArray[np.integer]) -> Any:
    """Return an int64 column."""
    import pyarrow as pa

    held = np.ascontiguousarray(numbers, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def struct(rows: Sequence[Mapping[str, Any]], column: Any) -> Any:
    """Return a struct column of what `column` makes of each name, null where a row lacks it.

    Parquet has no struct without fields, so that one without names gets a field that is null throughout.
    """
    import pyarrow as pa

    names = list(dict.fromkeys(chain.from_iterable(rows))) or ["none"]
    return pa.StructArray.from_arrays([column([row.get(name) for row in rows]) for name in names], names)


def _offsets(cells: Sequence[Sequence[Any]], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    offsets = np.zeros(len(cells) + 1, dtype)
    np.cumsum(np.fromiter(map(len, cells), dtype, len(cells)), out=offsets[1:])
    return offsets


def _valid(cells: Sequence[Any]) -> Any:
    """Return the validity bitmap, None where every cell is there."""
    import pyarrow as pa

    if None not in cells:
        return None
    present = np.array([cell is not None for cell in cells], dtype=bool)
    return pa.py_buffer(np.packbits(present, bitorder="little"))
