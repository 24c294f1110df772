"""What a data set's README on the hub says in its metadata: configurations, their files, names behind labels."""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmbench.harness.errors import DataError
from mmbench.harness.regular import read_regular

_MOST_BYTES = 16_000_000
_LONGEST, _MOST_DEEP = 500, 2
"""Characters of a pattern, and its `**`: each more multiplies the ways in which a path may match."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_METADATA = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that a README names."""

    name: str
    default: bool
    folder: str
    """Folder in which its files are looked for; empty for the whole repository."""
    patterns: tuple[tuple[str, tuple[str, ...]], ...]
    """Splits with the patterns of their files; empty where names of files tell."""


def metadata_of(readme: Path) -> dict[str, Any]:
    """Return the metadata of a README, empty where it has none. Raises DataError."""
    try:
        found = _METADATA.match(read_regular(readme, _MOST_BYTES).decode("utf-8-sig"))
        content = {} if found is None else yaml.load(found[1], _LOADER)  # noqa: S506 - the safe one, in C
    except (OSError, ValueError, yaml.YAMLError, RecursionError, LookupError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"the metadata of {readme.name} cannot be read ({reason}); name another `revision`") from error
    return content if isinstance(content, dict) else {}


def configs_of(metadata: dict[str, Any]) -> tuple[Config, ...]:
    """Return the configurations that a README names. Raises DataError where they cannot be read."""
    made = []
    for each in _listed(metadata.get("configs")):
        if not isinstance(each, dict) or not isinstance(each.get("config_name", "default"), str | int | float):
            raise DataError("the README's `configs` cannot be read; name another `revision`")
        folder = str(each.get("data_dir") or "").strip("/").removeprefix("./")
        made.append(
            Config(
                str(each.get("config_name", "default")),
                each.get("default") is True,
                folder,
                tuple(_patterns(each.get("data_files"), folder)),
            )
        )
    return tuple(made)


def _patterns(given: Any, folder: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    if isinstance(given, dict):
        pairs = [(str(split), paths) for split, paths in given.items()]
    elif given and all(isinstance(each, dict) for each in _listed(given)):
        pairs = [(str(each.get("split", "train")), each.get("path")) for each in _listed(given)]
    else:
        pairs = [("train", given)] if given else []
    for split, paths in pairs:
        listed = _listed(paths)
        if not listed or not all(isinstance(path, str) for path in listed):
            raise DataError(f"the README's files of split '{split}' cannot be read; name another `revision`")
        elsewhere = next((path for path in listed if "://" in path), None)
        if elsewhere is not None:
            raise DataError(f"the README names files elsewhere ({elsewhere[:200]}), which are not fetched")
        if any(len(path) > _LONGEST or path.count("**") > _MOST_DEEP for path in listed):
            raise DataError(f"the README's patterns of split '{split[:200]}' are too long, or have too many `**`")
        yield split, tuple("/".join(part for part in (folder, path.removeprefix("./")) if part) for path in listed)


def matching(patterns: Iterable[str], paths: Sequence[str]) -> list[str]:
    """Return the paths that patterns match; `*` stays within a folder, `**` does not.

    >>> matching(["data/test-*", "**/x.tar"], ["data/test-0.tar", "data/test-a/b", "x.tar", "a/b/x.tar"])
    ['data/test-0.tar', 'x.tar', 'a/b/x.tar']
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        test = re.compile(_regular(pattern))
        found |= dict.fromkeys(path for path in paths if test.fullmatch(path))
    return [*found]


def _regular(pattern: str) -> str:
    made = []
    for part in pattern.split("/"):
        if part == "**":
            made.append("(?:[^/]+/)*")
            continue
        # fnmatch's own `*` passes slashes, which are none of a part; its ending differs between versions of Python.
        inner = fnmatch.translate(part.replace("**", "*")).removeprefix("(?s:")[:-3]
        made.append(inner.replace(".*", "[^/]*") + "/")
    last = "[^/]+" if pattern.endswith("**") else ""
    return "".join(made).removesuffix("/") + last


def label_names(metadata: dict[str, Any], config: str, column: str) -> tuple[str, ...] | None:
    """Return the names behind the integers of a column that the README's `dataset_info` tells, or None."""
    infos = [each for each in _listed(metadata.get("dataset_info")) if isinstance(each, dict)]
    info = next((each for each in infos if str(each.get("config_name", "default")) == config), None)
    features = [each for each in _listed((info or {}).get("features")) if isinstance(each, dict)]
    feature: Any = next((each for each in features if each.get("name") == column), None)
    while isinstance(feature, dict) and "class_label" not in feature:
        feature = next((feature[key] for key in ("dtype", "sequence", "list") if key in feature), None)
    label = feature["class_label"] if isinstance(feature, dict) else None
    names = label.get("names") if isinstance(label, dict) else None
    if not isinstance(names, dict) or {str(key) for key in names} != {str(n) for n in range(len(names))}:
        return None
    by_index = {str(key): name for key, name in names.items()}
    return tuple(str(by_index[str(n)]) for n in range(len(names)))


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [] if found is None else [found]
