"""Whether a video file ends before its container does: decoders pass over a missing tail without a word."""

from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_MOST_BOXES = 100_000


def cut_short(file: BinaryIO) -> int:
    """Return how many bytes at least are missing behind the end: of MP4, Matroska, WebM, AVI and GIF; else 0."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(12)
    if start[:4] == _EBML:
        return max(0, _end_of_segment(file) - size)
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return max(0, int.from_bytes(start[4:8], "little") + 8 - size)
    if start[:4] == b"GIF8":
        return 0 if _gif_ends(file) else 1
    if start[4:8] == b"ftyp":
        return max(0, _end_of_boxes(file, size) - size)
    return 0


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Return where the last box ends (ISO/IEC 14496-12, 4.2)."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return at
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: to the end of the file; anything else is no box
            return size
        at += length
        if at >= size:
            return at
    return size


def _gif_ends(file: BinaryIO) -> bool:
    """Tell whether a GIF has its trailer (GIF89a, 27)."""
    file.seek(10)
    head = file.read(3)
    if len(head) < 3:
        return False
    file.seek(_colours(head[0]), 1)
    while mark := file.read(1):
        if mark == b"!":
            file.seek(1, 1)
        elif mark == b",":
            place = file.read(9)
            if len(place) < 9:
                return False
            file.seek(_colours(place[8]) + 1, 1)
        else:
            return mark == b";"
        while (size := file.read(1)) not in (b"", b"\0"):
            file.seek(size[0], 1)
    return False


def _colours(packed: int) -> int:
    """Return the bytes of the table of colours that a packed byte tells of."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _end_of_segment(file: BinaryIO) -> int:
    """Return where the segment ends (RFC 8794, 4); 0 where it does not say, as live recordings do not."""
    file.seek(4)
    head = _number(file)
    if head is None:
        return 0
    file.seek(head, 1)
    if file.read(4) != _SEGMENT:
        return 0
    length = _number(file)
    return 0 if length is None else file.tell() + length


def _number(file: BinaryIO) -> int | None:
    """Return a variable-size integer; None for the one that stands for unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    rest = file.read(width - 1)
    value = int.from_bytes(bytes([first[0] & ((1 << (8 - width)) - 1)]) + rest, "big")
    return None if value == (1 << (7 * width)) - 1 else value
