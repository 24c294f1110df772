"""Option marks: the letters before the options of a prompt, by which a reply may name one."""

import string
from collections.abc import Sequence


def letters(count: int) -> list[str]:
    """Return the marks of `count` options: A, B, … Z, then numbers from 1 when there are more than 26."""
    return list(string.ascii_uppercase[:count]) if count <= 26 else [str(i + 1) for i in range(count)]


def lettered(labels: Sequence[str]) -> str:
    """Return the options as lines `A. label`."""
    return "\n".join(f"{mark}. {label}" for mark, label in zip(letters(len(labels)), labels, strict=True))
