"""Packing of answers: exact bytes, whatever the dtype, without a decoder of their own."""

import json
import struct
from functools import cache, lru_cache
from typing import Any, TypeAlias

import numpy as np

from mmbench.harness.models.abilities import Array, ImageVectors
from mmbench.harness.models.reply import Reply, from_json

Value: TypeAlias = Array | ImageVectors | str
"""One answer: a vector, two vectors of one pass, log-probabilities (a vector), or a text."""

_HEADER = struct.Struct("<c2sxI")
"""Before each stored array: a type mark, the dtype, padding to eight bytes, the length."""
_TEXT = b"t"
_TOLD = b"r"
_ARRAY = b"v"


def pack_text(value: Value) -> bytes:
    """Return the bytes of a text behind a type mark, and behind what a service told of it."""
    text = _utf8(str(value))
    if isinstance(value, Reply) and (told := value.told_as_json()):
        return _TOLD + json.dumps(told, ensure_ascii=True).encode() + b"\n" + text
    return _TEXT + text


def _utf8(text: str) -> bytes:
    """Return the bytes of a text; half of a surrogate pair has none, and is replaced by the sign that stands for it.

    >>> _utf8("yes \\ud83d").decode(), _utf8("\\ud83d\\ude00").decode()
    ('yes \ufffd', '\U0001f600')
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def unpack_text(data: bytes) -> Value:
    """Return the text behind `pack_text`'s bytes. Raises ValueError for other bytes.

    >>> unpack_text(pack_text("a dog"))
    'a dog'
    """
    if data.startswith(_TEXT):
        return data[len(_TEXT) :].decode()
    if not data.startswith(_TOLD):
        raise ValueError("these bytes are no packed text")
    told, _, text = data[len(_TOLD) :].partition(b"\n")
    return from_json(text.decode(), json.loads(told))


def pack_arrays(value: Value) -> bytes:
    """Return the bytes of a vector, or of two of one pass: before each its dtype and length."""
    arrays = (value.embedding, value.features) if isinstance(value, ImageVectors) else (np.asarray(value),)
    parts: list[bytes] = []
    for made in arrays:
        dtype, code = _kept(made.dtype)
        parts.append(_HEADER.pack(_ARRAY, code, len(made)))
        parts.append(made.astype(dtype, copy=False).tobytes())
    return b"".join(parts)


@cache
def _kept(dtype: np.dtype[Any]) -> tuple[np.dtype[Any], bytes]:
    """Return the dtype in which an array is kept, and its name."""
    kept = min(dtype.newbyteorder("<"), np.dtype("<f8"))
    return kept, kept.str[1:].encode()


_dtype = lru_cache(maxsize=64)(lambda code: np.dtype(code.decode()))
"""Type of numbers by its name in the store."""


def unpack_arrays(data: bytes) -> Value:
    """Return the vector or vectors behind `pack_arrays`' bytes. Raises ValueError or TypeError for other bytes.

    >>> unpack_arrays(pack_arrays(np.array([1.5, 2.5], dtype=np.float32)))
    array([1.5, 2.5], dtype=float32)
    """
    arrays, at = [], 0
    while at < len(data):
        if len(data) < at + _HEADER.size:
            raise ValueError("these bytes are cut short")
        mark, code, length = _HEADER.unpack_from(data, at)
        dtype = _dtype(code)
        if mark != _ARRAY or dtype.kind != "f":
            raise ValueError("these bytes are no packed arrays")
        arrays.append(np.frombuffer(data, dtype, length, at + _HEADER.size))
        at += _HEADER.size + length * dtype.itemsize
    if not 1 <= len(arrays) <= 2:
        raise ValueError("these bytes are no packed arrays")
    return ImageVectors(arrays[0], arrays[1]) if len(arrays) == 2 else arrays[0]
