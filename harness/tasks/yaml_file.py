"""YAML files, read and validated: every error names the file, the line and the nearest known key."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import BaseModel, ValidationError

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, nearest

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one written in C where PyYAML was built with it: suites of a thousand tasks load in a second."""

Lines: TypeAlias = dict[tuple[str | int, ...], int]
"""Where each key of a YAML file stands: its path within the file to a 1-based line."""


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Return a YAML mapping and the line of each key. Raises DataError."""
    try:
        text = path.read_text(encoding="utf-8")
        node, content = _parsed(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError(f"{path} line {line}: not valid YAML ({error.problem})") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a mapping of keys such as 'name', 'family' and 'source'")
    lines: Lines = {}
    try:
        _note_lines(node, (), lines, path)
    except RecursionError as error:
        raise DataError(f"{path}: an anchor contains itself, or lists are nested too deeply") from error
    return content, lines


def _parsed(text: str) -> tuple[Any, Any]:
    """Return the nodes of a document, which know their lines, and its content, from one pass."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _note_lines(node: Any, at: tuple[str | int, ...], lines: Lines, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = (*at, str(key.value))
            line = key.start_mark.line + 1
            if where in lines:
                raise DataError(
                    f"{path} line {line}: the key '{key.value}' stands twice (first in line {lines[where]})"
                )
            lines[where] = line
            _note_lines(value, where, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            lines[(*at, i)] = value.start_mark.line + 1
            _note_lines(value, (*at, i), lines, path)


def validated(
    model: type[BaseModel],
    content: Mapping[str, Any],
    path: Path,
    lines: Lines,
    known: Iterable[str],
    within: tuple[str, ...] = (),
) -> Any:
    """Return `content`, which stands `within` these keys of the file, as an instance of `model`.

    Raises DataError with file, line, reason and nearest key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the first says more.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        at = (*within, *first["loc"])
        if first["type"] == "extra_forbidden":
            siblings = known if len(first["loc"]) == 1 else _keys_at(model, first["loc"][:-1])
            reason = f"unknown key '{at[-1]}'{nearest(str(at[-1]), siblings)}"
        elif first["type"] == "missing":
            reason = f"the key '{'.'.join(map(str, at))}' is missing"
        elif first["type"] == "string_pattern_mismatch":
            reason = f"'{at[-1]}' is made of letters, digits and the marks _ . + -, not {_short(first['input'])}"
        else:
            # Past the keys of the file pydantic names the types that it tried.
            key = ".".join(map(str, at[: _depth(at, lines)])) or str(at[0] if at else "")
            wrong = {
                _lower(each["msg"]): each["input"] for each in error.errors() if each["loc"][:1] == first["loc"][:1]
            }
            reason = f"'{key}': {' or '.join(wrong)}, not {_short(first['input'])}"
        raise DataError(f"{path} line {_line(at, lines)}: {reason}") from error


def _keys_at(model: type[BaseModel], at: tuple[int | str, ...]) -> list[str]:
    inner: Any = model.model_fields[str(at[0])].annotation if str(at[0]) in model.model_fields else None
    return list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def _line(at: tuple[int | str, ...], lines: Lines) -> int:
    return lines.get(at[: _depth(at, lines)], 1)


def _depth(at: tuple[int | str, ...], lines: Lines) -> int:
    """Return how many parts of the path stand in the file."""
    return next((depth for depth in range(len(at), 0, -1) if at[:depth] in lines), 0)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
