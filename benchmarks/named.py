"""Named class lists and prompt templates that the field shares, so that a task file need not repeat them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmbench.benchmarks.sources.cells import text_lines
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.regular import read_regular
from mmbench.harness.strict_json import parse_json

_NAMES = Path(__file__).parent / "names"


def _named(kind: str) -> Mapping[str, Path]:
    return {file.stem: file for file in sorted((_NAMES / kind).glob("*.txt"))}


CLASSES = _named("classes")
"""Lists of class names by name, in the order of the indices: the files of the folder."""

TEMPLATES = _named("templates")
"""Sets of prompt templates by name; `{}` stands for the class name."""

SYNONYMS = _named("synonyms")
"""Tables of words by name: a line for each object, its name first, then other words for it, with commas between."""


PLAIN = "plain"
"""The templates of a task that names none: `a photo of a {}.`."""


def class_list(classes: str | Sequence[str], base: Path) -> tuple[str, ...]:
    """Return class names from a list, from a name such as `imagenet`, or from a text file relative to `base`.

    Raises DataError for an unknown name, a file that cannot be read, an empty list, an entry that is no text, and a
    blank line among the names of a file. One name of a list may be empty, written `""`.
    """
    if isinstance(classes, str):
        if not _is_json(classes):
            _refuse_blank(_file("classes", classes, base, CLASSES))
    elif [*classes].count("") == 1 < len(classes):
        # Written so by hand, in quotes: the published names of one set of CLEVR have such a class.
        return tuple(name and _entries("classes", [name], base, CLASSES)[0] for name in classes)
    return _entries("classes", classes, base, CLASSES)


def class_map(classes: str | Sequence[str] | Mapping[str, str], base: Path) -> dict[str, str] | None:
    """Return what the data writes for each class and its name, of a table or of a JSON file that holds one.

    None where the classes are a list. Raises DataError.

    >>> class_map({"n01440764": "tench"}, Path()), class_map(["tench"], Path())
    ({'n01440764': 'tench'}, None)
    """
    held: Any = classes
    if isinstance(classes, str) and _is_json(classes):
        held = _json("classes", classes, base, CLASSES)
    if not isinstance(held, Mapping):
        return None
    _entries("classes", [*held.values()], base, {})
    return {str(label): name for label, name in held.items()}


def template_list(templates: str | Sequence[str], base: Path) -> tuple[str, ...]:
    """Return prompt templates from a list, from a name such as `openai-imagenet`, or from a file relative to `base`.

    Raises DataError as `class_list`, and for a template without exactly one `{}`.

    >>> template_list("plain", Path())
    ('a photo of a {}.',)
    """
    return tuple(_template(entry) for entry in _entries("templates", templates, base, TEMPLATES))


def _template(written: str) -> str:
    """Return a template with `{}`, for which CLIP_benchmark writes `{c}`. Raises DataError."""
    template = written.replace("{c}", "{}")
    if template.startswith("lambda "):
        raise DataError(f"the template {written!r} is Python; write the text alone, with {{}} for the class name")
    before, _, after = template.partition("{}")
    if "{}" not in template or set("{}") & set(before + after):
        raise DataError(f"the template '{written}' must have one {{}} for the class name and no other braces")
    return template


def candidate_list(candidates: str | Sequence[str], base: Path) -> tuple[str, ...]:
    """Return answers to rank, each once, from a list or from a file relative to `base`. Raises DataError.

    >>> candidate_list(["red", "blue", "red"], Path())
    ('red', 'blue')
    """
    return tuple(dict.fromkeys(_entries("candidates", candidates, base, {})))


def synonym_table(given: str | Mapping[str, Sequence[str]], base: Path) -> dict[str, tuple[str, ...]]:
    """Return the words of each name, from a table, a name such as `coco`, or a JSON file relative to `base`.

    Raises DataError.

    >>> synonym_table({"dog": ["puppy", "pup"]}, Path()), synonym_table("coco", Path())["train"]
    ({'dog': ('puppy', 'pup')}, ('locomotive', 'tramway', 'caboose'))
    """
    held: Any = given
    if isinstance(given, str) and given in SYNONYMS:
        lines = (line.split(", ") for line in _read(SYNONYMS[given]))
        return {name: tuple(words) for name, *words in lines}
    if isinstance(given, str):
        held = _json("synonyms", given, base, SYNONYMS)
    good = isinstance(held, Mapping) and held
    if not good or not all(
        isinstance(words, list | tuple) and all(isinstance(word, str) for word in (name, *words))
        for name, words in held.items()
    ):
        raise DataError('`synonyms` is a table of names, each with a list of words, as in {"dog": ["puppy"]}')
    return {name: tuple(words) for name, words in held.items()}


def _entries(key: str, given: str | Sequence[str], base: Path, known: Mapping[str, Path]) -> tuple[str, ...]:
    entries: Any = _held(key, given, base, known) if isinstance(given, str) else tuple(given)
    if not entries:
        raise DataError(f"`{key}` is empty, expected at least one entry")
    for entry in entries:
        # YAML reads a bare `no`, `on` or 7 as something other than text.
        if not isinstance(entry, str) or not entry.strip():
            raise DataError(f"`{key}` holds {entry!r}, expected text; put it in quotes")
    return tuple(entries)


def _held(key: str, name: str, base: Path, known: Mapping[str, Path]) -> Sequence[Any]:
    """Return the entries of a file: the lines of a text, or a list in JSON. Raises DataError for what is neither."""
    form = "write one entry a line in a text file, or a list in a .json file"
    if _is_json(name):
        held = _json(key, name, base, known)
        if not isinstance(held, list):
            raise DataError(f"`{key}: {name}` holds no list; {form}")
        return held
    file = _file(key, name, base, known)
    if file.suffix.lower() in _TABLES:
        raise DataError(f"`{key}: {name}` is a table, whose header and cells are no entries; {form}")
    lines = _read(file)
    # A template may well begin and end with braces.
    if lines and (lines[0][0] + lines[-1][-1]) in ("[]", "" if key == "templates" else "{}"):
        raise DataError(f"`{key}: {name}` holds a list in brackets, whose lines are no entries; {form}")
    return lines


_TABLES = (".csv", ".tsv", ".jsonl", ".xlsx", ".parquet", ".yaml", ".yml")
"""Endings of files whose lines are no entries."""


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def _json(key: str, name: str, base: Path, known: Mapping[str, Path]) -> Any:
    try:
        return parse_json(read_regular(_file(key, name, base, known)).decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"`{key}: {name}` is no JSON that can be read ({error})") from error


def _file(key: str, name: str, base: Path, known: Mapping[str, Path]) -> Path:
    if name in known:
        return known[name]
    file = base / name
    if not name or not os.path.isfile(file):  # noqa: PTH113 (a name too long is no file either)
        if not known or Path(name).suffix:
            raise DataError(f"`{key}: {name}` is not a text file beside the task{nearest(name, known)}")
        raise DataError(
            f"`{key}: {name}` is neither a known name ({', '.join(known)}) nor a text file beside the task"
            f"{nearest(name, known)}"
        )
    return file


def _read(file: Path) -> tuple[str, ...]:
    lines = (line.strip() for line in text_lines(file))
    return tuple(line for line in lines if line and not line.startswith("# "))


def _refuse_blank(file: Path) -> None:
    """Raise DataError for a blank line before the last name: a class may be missing, and all indices after it wrong.

    Blank lines after comments at the head are a matter of style.
    """
    blank: int | None = None
    head = False
    for number, line in enumerate(text_lines(file), 1):
        if not line.strip():
            blank = blank or (None if head else number)
        elif line.startswith("# "):
            head = head or number == 1
        else:
            if blank:
                raise DataError(
                    f"{file.name} line {blank} is blank, so that the index of a class is not clear; "
                    "write the name that is missing, or take the line out"
                )
            head = False
