"""Files of the hub's cache held against the digests that the hub tells of them."""

import hashlib
from contextlib import suppress
from pathlib import Path

from mmbench.harness.store.remembered import remembered_digest


def has_digest(file: Path, digest: str) -> bool:
    """Tell whether a file's content has a digest: SHA-256 in 64 digits, or SHA-1 as git counts it. Raises OSError."""
    if len(digest) == 64:
        return remembered_digest(file) == digest[:32]
    total = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as content:
        while chunk := content.read(1 << 20):
            total.update(chunk)
    return total.hexdigest() == digest


def remove(file: Path) -> None:
    """Remove a file of the cache, and what it links to, as far as that is ours."""
    for each in (file, file.resolve()):
        with suppress(OSError):
            each.unlink()
