"""From a free reply to an option, or to nothing: an unclear reply is never turned into a guess."""

import re
import string
from collections.abc import Sequence

VERSION = 1
"""Part of the protocol id of every task that is asked in writing."""

_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:)]?")


def letters(count: int) -> list[str]:
    """Return the marks of `count` options: A, B, … Z, then numbers from 1 when there are more than 26."""
    return list(string.ascii_uppercase[:count]) if count <= 26 else [str(i + 1) for i in range(count)]


def lettered(labels: Sequence[str]) -> str:
    """Return the options as lines `A. label`."""
    return "\n".join(f"{mark}. {label}" for mark, label in zip(letters(len(labels)), labels, strict=True))


def match_option(reply: str, labels: Sequence[str]) -> int | None:
    """Return the index of the option that the whole reply names, by mark or by text, or None.

    Only a reply that is nothing but a mark (`B`, `(b)`, `B.`) or an option's own text, with or without its mark, is
    matched; case, surrounding space and a final full stop do not matter.

    >>> [match_option(r, ["cat", "dog"]) for r in ("B", "(a).", "B. dog", "Dog.", "I see a dog or a cat")]
    [1, 0, 1, 1, None]
    """
    said = _plain(reply)
    texts = [_plain(label) for label in labels]
    exact = [i for i, text in enumerate(texts) if said == text]
    if exact:
        return exact[0] if len(exact) == 1 else None
    marks = [mark.lower() for mark in letters(len(labels))]
    marked = [i for i, (mark, text) in enumerate(zip(marks, texts, strict=True)) if said == f"{mark}. {text}"]
    if len(marked) == 1:
        return marked[0]
    alone = _LETTER.fullmatch(reply.strip().rstrip("."))
    mark = alone.group(1).lower() if alone else said
    return marks.index(mark) if mark in marks else None


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")
