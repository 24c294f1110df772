"""Names where a line is too short for them: folded at their marks, never inside a word while that can be helped."""

import re

from rich.cells import cell_len, chop_cells

_PIECE = re.compile(r"[^-_/.:@, ]+[-_/.:@, ]*|[-_/.:@, ]+")


def folded(name: str, width: int) -> list[str]:
    """Return the lines of a name that is longer than a line.

    >>> folded("scenes-captioning@1", 12), folded("tiny-coca", 12), folded("abcdefgh", 5)
    (['scenes-', 'captioning@1'], ['tiny-coca'], ['abcde', 'fgh'])
    """
    lines = [""]
    for piece in _PIECE.findall(name):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
        if cell_len(lines[-1].rstrip()) > width:
            lines[-1:] = chop_cells(lines[-1], max(width, 2))
    return [line.rstrip() for line in lines]
