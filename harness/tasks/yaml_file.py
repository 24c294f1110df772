"""YAML files, read and validated: every error names the file, the line and the nearest known key."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import BaseModel, ValidationError

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.regular import read_regular

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one written in C where PyYAML was built with it: suites of a thousand tasks load in a second."""

_MOST_BYTES = 4_000_000
_MOST_NODES = 400_000
"""With what aliases stand for counted each time: nine lines of YAML can stand for a billion."""
_MOST_LEVELS = 50
_LONGEST_NUMBER = 30
"""Digits; no field of a task has more, and Python takes quadratic time over them."""
_INTEGER = "tag:yaml.org,2002:int"
_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map"))
"""What JSON knows. Dates, sets and objects of other languages have no meaning in a task."""
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_DATE = "tag:yaml.org,2002:timestamp"

Lines: TypeAlias = dict[tuple[str | int, ...], int]
"""Where each key of a YAML file stands: its path within the file to a 1-based line."""


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Return a YAML mapping and the line of each key. Raises DataError."""
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8")
        content, lines = _document(text, path)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError(f"{path} line {line}: not valid YAML ({_cut(str(error.problem))})") from error
    except yaml.YAMLError as error:
        raise DataError(f"{path} is not valid YAML ({_cut(str(error))})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} cannot be read, as it is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error})") from error
    except (ValueError, LookupError) as error:  # a tag that the text behind it does not have
        raise DataError(f"{path}: a value is not of its tag ({_cut(str(error))})") from error
    except RecursionError as error:
        raise DataError(f"{path}: lists are nested too deeply, at most {_MOST_LEVELS} levels are read") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a mapping of keys such as 'name', 'family' and 'source'")
    return copy.deepcopy(content), dict(lines)


@lru_cache(maxsize=128)  # the tasks of a suite are read for their versions, and then for what they say
def _document(text: str, path: Path) -> tuple[Any, Lines]:
    """Return the content of a document and the line of each key, from one pass."""
    loader = _Loader(text)
    lines: Lines = {}
    try:
        node = loader.get_single_node()
        _Bounds(path).count(node)
        content = None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()
    if isinstance(content, dict):
        _note_lines(node, (), lines, path)
    return content, lines


class _Bounds:
    """Bounds of a document, held before Python objects are made of its nodes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def count(self, node: Any) -> int:
        """Return how many nodes stand under this one. Raises DataError that names the line."""
        if not isinstance(node, yaml.CollectionNode):
            if node is not None:
                self._check_scalar(node)
            return 1
        held = self._sizes.get(id(node))
        if held is not None:
            return held
        if id(node) in self._open:
            raise self._error(node, "an anchor contains itself")
        if len(self._open) >= _MOST_LEVELS:
            raise self._error(node, f"lists are nested too deeply, at most {_MOST_LEVELS} levels are read")
        self._check_tag(node)
        self._open.add(id(node))
        size = 1 + sum(map(self.count, self._below(node)))
        self._open.remove(id(node))
        if size > _MOST_NODES:
            raise self._error(node, f"stands for more than {_MOST_NODES:,} values, as aliases are counted each time")
        self._sizes[id(node)] = size
        return size

    def _below(self, node: Any) -> Iterator[Any]:
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
            return
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "a key is text, not a list or a mapping")
            if key.tag not in (_MERGE, _TEXT):
                raise self._error(key, f"the key {_cut(key.value)} is read as {_kind(key.tag)}; put it in quotes")
            yield value

    def _check_scalar(self, node: Any) -> None:
        self._check_tag(node)
        if node.tag == _INTEGER and len(node.value) > _LONGEST_NUMBER:
            raise self._error(node, f"a number of {len(node.value):,} digits; at most {_LONGEST_NUMBER} are read")

    def _check_tag(self, node: Any) -> None:
        if node.tag == _DATE:
            raise self._error(node, f"{_cut(node.value)} is read as a date; put it in quotes to have it as text")
        if node.tag not in _PLAIN:
            short = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise self._error(node, f"the tag {_cut(short)} is not read; a task is made of text, numbers and lists")

    def _error(self, node: Any, reason: str) -> DataError:
        return DataError(f"{self._path} line {node.start_mark.line + 1}: {reason}")


def _kind(tag: str) -> str:
    return {"int": "a number", "float": "a number", "bool": "true or false"}.get(tag.rpartition(":")[2], "no text")


def _note_lines(node: Any, at: tuple[str | int, ...], lines: Lines, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = (*at, str(key.value))
            line = key.start_mark.line + 1
            if where in lines:
                raise DataError(
                    f"{path} line {line}: the key '{_cut(key.value)}' stands twice (first in line {lines[where]})"
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
    path: Path | str,
    lines: Lines,
    known: Iterable[str],
    within: tuple[str, ...] = (),
) -> Any:
    """Return `content`, which stands `within` these keys of the file, as an instance of `model`.

    Raises DataError with file, line, reason and nearest key. What was written in no file has a name in place of a path,
    and no lines.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the first says more.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        at = (*within, *(part for part in first["loc"] if part != "[key]"))  # as pydantic calls the name of an entry
        if first["type"] == "extra_forbidden":
            siblings = known if len(first["loc"]) == 1 else _keys_at(model, first["loc"][:-1])
            reason = f"unknown key '{_cut(str(at[-1]))}'{nearest(str(at[-1]), siblings)}"
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
            if any(isinstance(each, bool | int | float) and "string" in message for message, each in wrong.items()):
                reason += "; numbers, and words such as yes, no and on, are texts only in quotes"
        raise DataError(f"{place(path, lines, at)}: {reason}") from error


def _keys_at(model: type[BaseModel], at: tuple[int | str, ...]) -> list[str]:
    inner: Any = model.model_fields[str(at[0])].annotation if str(at[0]) in model.model_fields else None
    return list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def place(path: Path | str, lines: Lines, at: tuple[int | str, ...]) -> str:
    """Return where a key stands, as a message says it."""
    return f"{path} line {lines.get(at[: _depth(at, lines)], 1)}" if lines else str(path)


def _depth(at: tuple[int | str, ...], lines: Lines) -> int:
    """Return how many parts of the path stand in the file."""
    return next((depth for depth in range(len(at), 0, -1) if at[:depth] in lines), 0)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(value: Json) -> str:
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
