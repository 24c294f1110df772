"""Text of others made fit to print: no control characters, no reordering, no blobs, and no longer than a few lines."""

import re
import shlex
from pathlib import Path

MOST = 600
"""Characters of a message."""

_CONTROL = re.compile(
    # A terminal's commands whole, with what they take, then every other control character and override of direction.
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\|[]`"})
_TAG = re.compile("<(?=[A-Za-z/!?])")
_ESCAPED = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


def clean(text: str) -> str:
    """Return a text of any length without control characters and reordering; lines stay lines.

    >>> clean("a\\x1b[2Jb\\n\\rc")
    'a�b\\n�c'
    """
    return text if text.isascii() and text.isprintable() else _CONTROL.sub("\ufffd", text)


def markdown_text(text: str) -> str:
    """Return a text in one line that makes no link, code, table, picture or tag of Markdown or HTML.

    >>> markdown_text("<b>[x](y) | `z`")
    '&lt;b>\\\\[x\\\\](y) \\\\| \\\\`z\\\\`'
    """
    return _TAG.sub("&lt;", plain(text).translate(_MARKS))


def escaped_json(text: str) -> str:
    """Return the same JSON with escapes for what a terminal would obey or could not show; the values stay.

    >>> escaped_json('"a\\x9bb"')
    '"a\\\\u009bb"'
    """
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def quoted(path: Path) -> str:
    """Return a path as a command takes it.

    >>> quoted(Path("results")), quoted(Path("my results"))
    ('results', "'my results'")
    """
    return shlex.quote(str(path))


def plain(text: str, most: int = MOST) -> str:
    """Return a text in one line, as a terminal, XML or Markdown may show it; head and tail where it is too long.

    Accents, other scripts and the joiners of emoji stay.

    >>> plain("a\\x1b[2Jb\\x07 c\\nd"), plain("x" * 50, 20)
    ('a�b� c d', 'xxxxxxxxx...xxxxxxxx')
    """
    text = " ".join(clean(text).split())
    text = _BLOB.sub(lambda blob: f"{blob[0][:20]}... ({len(blob[0]):,} characters)", text)
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]}...{text[-tail:]}"
