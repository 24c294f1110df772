"""File patterns as people type them, in quotes: `'ckpts/*.pt'`, `'data/*.yaml'`."""

import glob
import re


def is_pattern(text: str) -> bool:
    """Tell whether a text has a character of a pattern."""
    return bool(re.search(r"[*?\[]", text))


def matching(pattern: str) -> list[str]:
    """Return the files that a pattern matches, `epoch_9` before `epoch_10`."""
    return sorted(glob.glob(pattern, recursive=True), key=_natural)  # noqa: PTH207 - it may be absolute


def _natural(path: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path)]
