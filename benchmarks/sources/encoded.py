"""Pictures written as text: base64 as JSON and CSV exports hold it, and data URIs."""

import base64
import binascii
import re

_SHORTEST = 32
"""Characters: fewer hold no picture."""
_LONGEST_PATH = 1024
_LONGEST_NAME = 255
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]+={0,2}\s*")
_BEGINS = ("/9j/", "_9j_", "iVBORw0KGgo", "R0lGOD", "UklGR", "SUkqA", "TU0AK")
"""How the base64 of a JPEG, PNG, GIF, WebP or TIFF file begins."""
_URI = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL | re.IGNORECASE)
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")


class Damaged(Exception):
    """A picture as text that was cut or changed: its row is lost, and tells nothing of the others."""


def encoded(cell: str) -> bytes | None:
    """Return the file that a text holds, or None where it is a path.

    Raises Damaged where a picture was there, and ValueError where it can be neither.

    A text is taken for base64 only where a picture file comes out of it, a data URI always.
    """
    if cell[:5].lower() == "data:":
        found = _URI.fullmatch(cell)
        if found is None:
            raise ValueError("a data URI of a picture holds base64")
        data = _decoded(found[1])
        if data is None:
            raise Damaged("it is no base64")
        return data
    spelt = len(cell) >= _SHORTEST and _BASE64.fullmatch(cell) is not None
    if spelt:
        data = _decoded(cell)
        if data is not None and _is_picture(data):
            return data
    # What is base64 but for a damage is no path either, or it would be shown and kept as the name of a file.
    if "base64," in cell or (len(cell) >= _SHORTEST and cell.startswith(_BEGINS) and "." not in cell):
        raise Damaged("base64 that was cut or changed")
    if len(cell) > _LONGEST_PATH or (spelt and max(map(len, cell.split("/"))) > _LONGEST_NAME):
        raise ValueError("a text that is no path")
    return None


def _decoded(cell: str) -> bytes | None:
    try:
        text = "".join(cell.split()).rstrip("=").replace("-", "+").replace("_", "/")  # also the alphabet of addresses
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def _is_picture(data: bytes) -> bool:
    if data.startswith(b"BM"):
        return int.from_bytes(data[2:6], "little") == len(data)
    if data.startswith(b"RIFF"):
        return data[8:12] == b"WEBP"
    return data.startswith(_STARTS) or data[4:12] in (b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1")
