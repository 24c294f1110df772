"""Lists written as text in a cell: JSON, Python as pandas writes them, and NumPy without commas."""

import ast
import re
from typing import Any

from mmbench.harness.strict_json import parse_json

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<value>
        '(?:[^'\\\n]|\\(?:[\\'"abfnrtv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*'
        |"(?:[^"\\\n]|\\(?:[\\'"abfnrtv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*"
        |[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])
        |(?:True|False|None)(?!\w))
    |(?P<mark>[\[\](){}:,])""",
    re.VERBOSE,
)
_ARRAY = re.compile(r"array\((\[.*\])(?:,\s*dtype=[\w<>|'\"]+)?\)", re.DOTALL)
_DEEPEST = 20

REMEDY = 'write a list as JSON, ["a", "b"], and a text that stands in brackets as a list of one, ["[a]"]'


class Unclear(ValueError):
    """A text that may be a list or not, or one that was cut."""


def read_list(source: str) -> list[Any] | None:
    """Return the list that a text writes, or None where it is a text. Raises Unclear.

    >>> read_list("['a' 'b']"), read_list('''["it's", 'b']'''), read_list("[0.5 1.2]"), read_list("[1] see above")
    (['a', 'b'], ["it's", 'b'], [0.5, 1.2], None)
    """
    written = source.strip()
    if array := _ARRAY.fullmatch(written):
        written = array[1]
    elif written.startswith("array(["):
        raise Unclear(source)
    elif written.startswith(("('", '("')):
        return _tuple(written)
    elif not written.startswith("["):
        return None
    if (found := _json(written)) is not None:
        return found
    if not re.match(r"\[\s*['\"]", written) and not _encloses(written):
        return None
    return _read(written)


def _tuple(written: str) -> list[Any] | None:
    """Return a tuple; what is no whole one is a text: people write such brackets too."""
    try:
        return _read(written, "()")
    except Unclear:
        return None


def _json(written: str) -> list[Any] | None:
    try:
        found = parse_json(written)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _encloses(written: str) -> bool:
    """Tell whether the bracket at the start closes at the end and not before."""
    depth = 0
    for place, character in enumerate(written):
        depth += (character == "[") - (character == "]")
        if not depth:
            return place == len(written) - 1
    return False


def _read(written: str, brackets: str = "[]") -> list[Any]:
    tokens = _tokens(written)
    marks = [token for token, value in tokens if not value]
    if marks[:1] != [brackets[0]] or tokens[-1] != (brackets[1], False):
        raise Unclear(written)
    inner = tokens[1:-1]
    if len(inner) > 1 and all(value for _, value in inner):
        return _literal(f"[{','.join(token for token, _ in inner)}]", tokens)
    # Python would join two strings without a comma into one.
    if any(first and second for (_, first), (_, second) in zip(tokens, tokens[1:], strict=False)):
        raise Unclear(written)
    return _literal(written, tokens)


def _literal(written: str, tokens: list[tuple[str, bool]]) -> list[Any]:
    deep = deepest = 0
    for piece, value in tokens:
        deep += 0 if value else (piece in "[({") - (piece in "])}")
        deepest = max(deepest, deep)
    if deepest > _DEEPEST:
        raise Unclear(written)
    try:
        found = ast.literal_eval(written)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise Unclear(written) from error
    if not isinstance(found, list | tuple):
        raise Unclear(written)
    return list(found)


def _tokens(written: str) -> list[tuple[str, bool]]:
    """Return the tokens, each with whether it is a value. Raises Unclear for anything that no list is made of."""
    tokens = []
    place, last = 0, ""
    while place < len(written):
        found = _TOKEN.match(written, place)
        # Values that touch are one in SQL, `'it''s'`, and two in Python.
        if found is None or found.lastgroup == last == "value":
            raise Unclear(written)
        last = str(found.lastgroup)
        if last != "blank":
            tokens.append((found[0], last == "value"))
        place = found.end()
    return tokens
