"""Checksum of a stored answer: damage is noticed before anything is scored with it."""

from typing import Any
from zlib import crc32

from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value


def seed_of(fingerprint: str) -> int:
    """Return what the checksums of a model's answers begin with, so that no other model's answer fits."""
    return crc32(fingerprint.encode(errors="replace"))


def checksum(seed: int, key: bytes, value: bytes, truncated: bool) -> int:
    """Return the CRC-32 of an answer with all that it depends on; it costs a microsecond a vector."""
    return crc32(value, crc32(b"%b%d" % (key, truncated), seed))


def is_intact(seed: int, key: Any, value: Any, truncated: Any, found: Any) -> bool:
    """Tell whether the cells of a stored row are what was written; all that is known of one without checksum is shape.

    >>> seed = seed_of("m")
    >>> is_intact(seed, b"k", b"v", 0, checksum(seed, b"k", b"v", False))
    True
    >>> is_intact(seed, b"k", b"w", 0, checksum(seed, b"k", b"v", False)), is_intact(seed, b"k", "v", 0, None)
    (False, False)
    """
    if not isinstance(key, bytes) or not isinstance(value, bytes) or truncated not in (0, 1):
        return False
    return found is None or found == checksum(seed, key, value, bool(truncated))


def unpacked(kind: Kind, value: bytes) -> Value | None:
    """Return a stored answer, or None where its bytes, which no checksum vouches for, are none."""
    try:
        return kind.unpack(value)
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
