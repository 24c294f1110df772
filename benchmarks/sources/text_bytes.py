"""Bytes of text files, also of those that gzip packed, read in pieces."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from mmbench.harness.errors import DataError
from mmbench.harness.regular import open_regular, read_regular

_GZ = ".gz"
_PIECE = 1 << 24


def ending(file: Path) -> str:
    """Return the ending that says what a file is, in small letters, whether or not it is packed.

    >>> ending(Path("MME.tsv.gz")), ending(Path("a.CSV"))
    ('.tsv', '.csv')
    """
    suffix = file.suffix.lower()
    return file.with_suffix("").suffix.lower() if suffix == _GZ else suffix


def coding(start: BinaryIO | bytes) -> str:
    """Return `utf-16` where a text begins with its mark, as spreadsheets write "Unicode text", else `utf-8`."""
    first = start if isinstance(start, bytes) else cast(BufferedReader, start).peek(2)
    return "utf-16" if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"


def decoded(content: bytes, file: Path) -> str:
    """Return the text of a whole file without its mark. Raises DataError."""
    try:
        return content.decode("utf-16" if coding(content) == "utf-16" else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file.name} is not UTF-8 text ({error.reason}); save the file as UTF-8") from error


def whole_text(file: Path, most: int) -> bytes:
    """Return the content of a file of at most this many bytes, unpacked. Raises DataError."""
    if file.suffix.lower() != _GZ:
        try:
            return read_regular(file, most)
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    pieces: list[bytes] = []
    with text_bytes(file) as plain:
        while piece := plain.read(_PIECE):
            pieces.append(piece)
            if len(pieces) * _PIECE > most + _PIECE:
                raise DataError(f"{file.name} holds more than {most / 1e6:g} MB when it is unpacked, which is not read")
    return b"".join(pieces)


@contextmanager
def text_bytes(file: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked where its name says that it is packed. Raises DataError."""
    try:
        with open_regular(file) as packed:
            if file.suffix.lower() != _GZ:
                yield packed
                return
            with gzip.GzipFile(fileobj=packed) as plain:
                yield cast(BinaryIO, plain)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{file.name} cannot be unpacked ({error}); fetch it again") from error
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
