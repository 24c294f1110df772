"""Digests: one way to turn content into a short identity, so that every key in the project is made alike."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

_CHUNK = 1 << 22
_JSON = len(b"json").to_bytes(8, "little") + b"json"


def digest_bytes(*parts: bytes | memoryview) -> str:
    """Return the first 128 bits of SHA-256 over length-prefixed parts, as 32 hexadecimal characters.

    A view is one of bytes, whose length is that of its content.
    """
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()[:32]


def digest_json(value: Json) -> str:
    """Return the digest of a JSON value, the same for every order of its keys.

    >>> digest_json({"a": 1, "b": [2]}) == digest_json({"b": [2], "a": 1})
    True
    """
    text = _as_text(value).encode()
    # As `digest_bytes` of this mark and the text, in one call: each question and each item of a run passes here.
    return hashlib.sha256(_JSON + len(text).to_bytes(8, "little") + text).hexdigest()[:32]


def _encoder() -> Callable[[Json], str]:
    """Return what writes JSON. It is made once: `json.dumps` makes an encoder for each call, which makes another."""
    whole = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # in a Python without it
        return whole.encode
    parts = make(None, whole.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)
    return lambda value: "".join(parts(value, 0))


_as_text = _encoder()


def digest_file(path: Path) -> str:
    """Return the digest of a file's content, read in pieces. Raises OSError when it cannot be read."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()[:32]
