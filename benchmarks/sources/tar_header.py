"""Headers of tar members, read as far as rows need them: name and size of a plain file."""

import tarfile
from typing import Self

_BLOCK = 512
_NAME, _SIZE, _SUM, _PREFIX = slice(0, 100), slice(124, 136), slice(148, 156), slice(345, 500)
_KIND = 156
_OCTAL = frozenset(b"01234567")


class PlainHeader(tarfile.TarInfo):
    """A header of which owner, times and rights are left unread: half of what listing a shard takes.

    What is no plain file, and whatever is written in an unusual way, is read by `tarfile` itself.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the member of a header block. Raises as `tarfile` does."""
        size, told = buf[_SIZE].strip(b" \0"), buf[_SUM].strip(b" \0")
        usual = len(buf) == _BLOCK and buf[_KIND : _KIND + 1] == tarfile.REGTYPE and size and told
        if not usual or not _OCTAL.issuperset(size + told) or int(told, 8) != _summed(buf):
            return super().frombuf(buf, encoding, errors)
        name, prefix = (bytes(buf[part]).partition(b"\0")[0].decode(encoding, errors) for part in (_NAME, _PREFIX))
        made = cls(f"{prefix}/{name}" if prefix else name)
        made.size = int(size, 8)
        return made


def _summed(buf: bytes | bytearray) -> int:
    """Return the sum of a header, in which its own field counts as blanks."""
    return sum(buf) - sum(buf[_SUM]) + 8 * ord(" ")
