"""What lies in the place of a picture or a clip where a download went wrong."""

MOST = 64
"""Bytes of a file's start that tell it."""


def instead(start: bytes) -> str | None:
    """Return what a file is that is neither, told from its start, and what to do; None where nothing tells it.

    >>> instead(b"version https://git-lfs.github.com/spec/v1\\noid sha256:ab")
    'it is a pointer of Git LFS and not the file; fetch it with: git lfs pull'
    >>> instead(b"\\xff\\xd8\\xff")
    """
    if not start:
        return "the file is empty"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS and not the file; fetch it with: git lfs pull"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "it is a web page, as of a download that was refused; fetch the file again"
    return None


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
