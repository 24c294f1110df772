"""Whether a video file ends before its container does: decoders pass over a missing tail without a word."""

from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_SYNC = 0x47
_MOST_BOXES = 200_000


def cut_short(file: BinaryIO) -> int:
    """Return how many bytes at least are missing behind the end.

    Known of MP4, Matroska, WebM, AVI, GIF and FLV, and of MPEG transport streams that are cut within a packet; else 0.
    """
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(12)
    end = size
    if start[:4] == _EBML:
        end = _end_of_segment(file, size)
    elif start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        end = int.from_bytes(start[4:8], "little") + 8
    elif start[:4] == b"GIF8":
        end = size + (not _gif_ends(file))
    elif start[:3] == b"FLV":
        end = size + (not _flv_ends(file, size))
    elif start[4:8] == b"ftyp":
        end = _end_of_boxes(file, size)
    elif packet := _transport_packet(file):
        end = size + -size % packet
    return max(0, end - size)


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


def _end_of_segment(file: BinaryIO, size: int) -> int:
    """Return where the segment ends, or the last element within one that does not say, as live recordings do not.

    RFC 8794, 4 and 6.2. An element of unknown length goes on until one of its parents, so that what is in it counts.
    """
    file.seek(4)
    head = _number(file)
    if head is None:
        return 0
    file.seek(head, 1)
    if file.read(4) != _SEGMENT:
        return 0
    length = _number(file)
    at = file.tell() + (length or 0)
    for _ in range(_MOST_BOXES if length is None else 0):
        if at >= size:
            return at
        file.seek(at)
        name = _number(file)
        inside = _number(file)
        if name is None and inside is None:
            return size
        at = file.tell() + (inside or 0)
    return at if length is not None else size


def _flv_ends(file: BinaryIO, size: int) -> bool:
    """Tell whether the last bytes of an FLV tell the length of a tag that lies before them (FLV 10.1, annex E.3)."""
    file.seek(max(0, size - 4))
    last = int.from_bytes(file.read(4), "big")
    if last < 11 or last + 4 > size:
        return size <= 13  # a head alone, behind which stands 0
    file.seek(size - 4 - last)
    return int.from_bytes(file.read(4)[1:], "big") + 11 == last


def _transport_packet(file: BinaryIO) -> int:
    """Return the bytes of a packet of an MPEG transport stream, 188, or 192 with a time before each; else 0."""
    file.seek(0)
    start = file.read(4 * 192)
    for length, first in ((188, 0), (192, 4)):
        marks = start[first::length]
        if len(marks) >= 3 and set(marks) == {_SYNC}:
            return length
    return 0


def _number(file: BinaryIO) -> int | None:
    """Return a variable-size integer; None for the one that stands for unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    rest = file.read(width - 1)
    value = int.from_bytes(bytes([first[0] & ((1 << (8 - width)) - 1)]) + rest, "big")
    return None if value == (1 << (7 * width)) - 1 else value
