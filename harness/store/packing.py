"""Answers as bytes: exact, whatever the dtype, and without a decoder of their own."""

import struct

import numpy as np

from mmbench.harness.engine.question import Value
from mmbench.harness.models.abilities import ImageVectors

_HEADER = struct.Struct("<c2sxI")
"""Before each stored array: a type mark, the dtype, padding to eight bytes, the length."""


def pack(value: Value) -> bytes:
    """Return the bytes under which an answer is stored: a type mark, then text or arrays with dtype and shape."""
    if isinstance(value, str):
        return b"t" + value.encode(errors="replace")  # half of a surrogate pair has no UTF-8
    arrays = (value.embedding, value.features) if isinstance(value, ImageVectors) else (value,)
    parts: list[bytes] = []
    for made in arrays:
        array = made.astype(min(made.dtype.newbyteorder("<"), np.dtype("<f8")), copy=False)
        parts.append(_HEADER.pack(b"v", array.dtype.str[1:].encode(), len(array)))
        parts.append(array.tobytes())
    return b"".join(parts)


def unpack(data: bytes) -> Value:
    """Return the answer behind `pack`'s bytes.

    >>> unpack(pack("a dog"))
    'a dog'
    >>> unpack(pack(np.array([1.5, 2.5], dtype=np.float32)))
    array([1.5, 2.5], dtype=float32)
    """
    if data[:1] == b"t":
        return data[1:].decode()
    arrays, at = [], 0
    while at < len(data):
        _, code, length = _HEADER.unpack_from(data, at)
        dtype = np.dtype(code.decode())
        arrays.append(np.frombuffer(data, dtype, length, at + _HEADER.size))
        at += _HEADER.size + length * dtype.itemsize
    return ImageVectors(arrays[0], arrays[1]) if len(arrays) == 2 else arrays[0]
