"""Pictures written as text: base64 as JSON and CSV exports hold it, and data URIs."""

import base64
import binascii
import re

_SHORTEST = 32
"""Characters: fewer hold no picture."""
_LONGEST_PATH = 1024
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_URI = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL | re.IGNORECASE)
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")


def encoded(cell: str) -> bytes | None:
    """Return the file that a text holds, or None where it is a path. Raises ValueError where it can be neither.

    A text is taken for base64 only where a picture file comes out of it, a data URI always.
    """
    if cell[:5].lower() == "data:":
        found = _URI.fullmatch(cell)
        if found is None:
            raise ValueError("a data URI of a picture holds base64")
        return base64.b64decode(re.sub(r"\s", "", found[1]), validate=True)
    if len(cell) >= _SHORTEST and _BASE64.fullmatch(cell):
        data = _decoded(cell)
        if data is not None and _is_picture(data):
            return data
    if len(cell) > _LONGEST_PATH:
        raise ValueError("a text of this length is no path")
    return None


def _decoded(cell: str) -> bytes | None:
    try:
        return base64.b64decode("".join(cell.split()), validate=True)
    except binascii.Error:
        return None


def _is_picture(data: bytes) -> bool:
    if data.startswith(b"BM"):
        return int.from_bytes(data[2:6], "little") == len(data)
    if data.startswith(b"RIFF"):
        return data[8:12] == b"WEBP"
    return data.startswith(_STARTS) or data[4:12] in (b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1")
