"""Text of others made fit to print: no control characters, no reordering, no blobs, and no longer than a few lines."""

import re

MOST = 600
"""Characters of a message."""

_CONTROL = re.compile(
    # A terminal's commands whole, with what they take, then every other control character and override of direction.
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


def plain(text: str, most: int = MOST) -> str:
    """Return a text in one line, as a terminal, XML or Markdown may show it; head and tail where it is too long.

    Accents, other scripts and the joiners of emoji stay.

    >>> plain("a\\x1b[2Jb\\x07 c\\nd"), plain("x" * 50, 20)
    ('a�b� c d', 'xxxxxxxxx...xxxxxxxx')
    """
    text = " ".join(_CONTROL.sub("\ufffd", text).split())
    text = _BLOB.sub(lambda blob: f"{blob[0][:20]}... ({len(blob[0]):,} characters)", text)
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]}...{text[-tail:]}"
