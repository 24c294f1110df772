"""What lies in the place of a picture or a clip where a download went wrong."""

import re

MOST = 1024
"""Bytes of a file's start that tell it."""

_NEITHER = (
    (rb"$", "the file is empty"),
    (rb"\0+$", "it holds nothing but zeros; fetch it again"),
    (rb"version https://git-lfs", "it is a pointer of Git LFS and not the file; fetch it with: git lfs pull"),
    (
        rb"(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head|<script)",
        "it is a web page, as of a download that was refused; fetch it again",
    ),
    (rb"%PDF", "it is a PDF; save its pages as PNG"),
    (rb"\x1f\x8b|PK\x03\x04|Rar!|7z\xbc\xaf", "it is packed; unpack it"),
    (rb"\s*[{\[]", "it is text, perhaps the message of a server; fetch it again"),
)
"""How files begin that are neither, and what to do."""
_NO_PICTURE = (
    (rb"\s*<(svg|\?xml|!doctype svg)", "it is XML, such as an SVG drawing; save it as PNG"),
    (rb"....ftyp(hei|hev|mif1|msf1)", "it is HEIC; save it as JPEG or PNG"),
    (rb"....ftypavi", "it is AVIF, which Pillow here cannot read; save it as PNG"),
    (rb"....ftyp|\x1aE\xdf\xa3", "it is a video"),
)


def instead(start: bytes) -> str | None:
    """Return what a file is that is neither, told from its start, and what to do; None where nothing tells it.

    >>> instead(b"version https://git-lfs.github.com/spec/v1\\noid sha256:ab")
    'it is a pointer of Git LFS and not the file; fetch it with: git lfs pull'
    >>> instead(b"\\xff\\xd8\\xff")
    """
    return _told(start, _NEITHER)


def no_picture(start: bytes) -> str | None:
    """Return what a file is that should be a picture, and what to do; None where nothing tells it.

    >>> no_picture(b"\\x1aE\\xdf\\xa3")
    'it is a video'
    """
    return _told(start, _NEITHER + _NO_PICTURE)


def _told(start: bytes, kinds: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((said for begins, said in kinds if re.match(begins, start, re.IGNORECASE | re.DOTALL)), None)


def picture(start: bytes) -> str | None:
    """Return what a clip's file is if it is a picture, and what to do.

    >>> picture(b"RIFF\\x10\\0\\0\\0WEBPVP8X")
    'it is a picture (WebP); name its column as `image`, or save a moving one as GIF, APNG or MP4'
    """
    for name, found in (
        ("JPEG", start.startswith(b"\xff\xd8\xff")),
        ("PNG", start.startswith(b"\x89PNG\r\n\x1a\n") and b"acTL" not in start),
        ("WebP", start[:4] == b"RIFF" and start[8:12] == b"WEBP"),
    ):
        if found:
            return f"it is a picture ({name}); name its column as `image`, or save a moving one as GIF, APNG or MP4"
    return None
