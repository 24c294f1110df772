"""Option marks: what stands before the options of a prompt, by which a reply may name one."""

import string
from collections.abc import Sequence
from typing import Literal

Marks = Literal["A.", "(A)", "(1)", "1.", "none"]
"""How a prompt marks its options: by letters or by numbers from 1, or not at all."""


def letters(count: int) -> list[str]:
    """Return the marks of `count` options: A, B, … Z, then numbers from 1 when there are more than 26."""
    return list(string.ascii_uppercase[:count]) if count <= 26 else numbers(count)


def numbers(count: int) -> list[str]:
    """Return the numbers from 1 to `count`."""
    return [str(i + 1) for i in range(count)]


def names(count: int, marks: Marks) -> list[str]:
    """Return what a reply may call each of `count` options; nothing where they have no marks."""
    if marks == "none":
        return []
    return letters(count) if "A" in marks else numbers(count)


def lettered(labels: Sequence[str], marks: Marks = "A.") -> str:
    """Return the options as lines `A. label`, marked in this way.

    >>> lettered(["cat", "dog"]), lettered(["cat", "dog"], "(1)"), lettered(["cat", "dog"], "none")
    ('A. cat\\nB. dog', '(1) cat\\n(2) dog', 'cat\\ndog')
    """
    if marks == "none":
        return "\n".join(labels)
    frame = "({}) {}" if marks.startswith("(") else "{}. {}"
    return "\n".join(frame.format(*each) for each in zip(names(len(labels), marks), labels, strict=True))
