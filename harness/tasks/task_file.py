"""A task file read, checked against its data, and turned into a task; every error names file, line and nearest key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mmbench.harness import registry
from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.source import Data, Source
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.yaml_file import Lines, read_yaml, validated
from mmbench.harness.types import Route


class _SourceSpec(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str
    path: str | None = None
    split: str | None = None


class _TaskSpec(BaseModel):
    """The keys that every family shares."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.+-]*$")
    version: int = Field(default=1, ge=1)
    family: str
    source: _SourceSpec
    fields: dict[str, str | list[str]] = {}
    facts: list[str] = []
    metrics: list[str] = []
    routes: list[Route] = []
    card: Card = Card()


def find_task(name: str) -> Task:
    """Return the task of a catalogue name (`digits`, `digits@1`) or of a YAML path. Raises UsageError or DataError."""
    return load_task(find_file(name, registry.TASKS, "task"))


def find_file(name: str, group: str, what: str) -> Path:
    """Return the YAML file behind a catalogue name of `group` or a path. Raises UsageError that names the nearest."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no file {name}; a {what} is a YAML file or one of: mmbench list {what}s")
        return path
    stem, _, version = name.partition("@")
    known = registry.files(group)
    if stem not in known:
        raise UsageError(f"there is no {what} '{stem}'{nearest(stem, known)}; see: mmbench list {what}s")
    if version:
        held = read_yaml(known[stem])[0].get("version", 1)
        if str(held) != version:
            raise UsageError(f"{what} '{stem}' is here in version {held}, not {version}")
    return known[stem]


def load_task(path: Path, split: str | None = None) -> Task:
    """Return the task that a YAML file describes. Raises DataError that names line, reason and nearest key.

    With `split` the task is of that split of its source instead, and is named by it (`named`).
    """
    content, lines = read_yaml(path)
    family_name = content.get("family")
    if not isinstance(family_name, str):
        raise DataError(
            f"{path}: the key 'family' is missing; it is one of {', '.join(registry.entries(registry.FAMILIES))}"
        )
    with _naming(path, lines.get(("family",))):
        family: type[Family] = registry.find(registry.FAMILIES, family_name, "family")
    shared = {key: value for key, value in content.items() if key in _TaskSpec.model_fields}
    own = {key: value for key, value in content.items() if key not in shared}
    known = [*_TaskSpec.model_fields, *family.Options.model_fields]
    options = validated(family.Options, own, path, lines, known)  # first: a misspelt key is unknown before it is missed
    spec = validated(_TaskSpec, shared, path, lines, known)
    with _naming(path, lines.get(("source",))):
        source = _source(spec.source, path, split)
    fields = _fields(family, spec, source, path, lines)
    with _naming(path):
        made = _primary_first(family, options, Data(source, fields, tuple(spec.facts), path.parent), spec)
    return Task(named(spec.name, split), spec.version, made, tuple(spec.routes) or made.routes, len(source), spec.card)


def named(name: str, split: str | None) -> str:
    """Return how a task is called when a suite runs it on another split than its file says.

    >>> named("scenes-shape", "mini"), named("scenes-shape", None)
    ('scenes-shape-mini', 'scenes-shape')
    """
    return f"{name}-{split}" if split else name


@contextmanager
def _naming(path: Path, line: int | None = None) -> Iterator[None]:
    """Put the task file before what is wrong: of the many tasks of a suite a person must know which."""
    try:
        yield
    except UsageError as error:
        raise DataError(f"{path}{f' line {line}' if line else ''}: {error}") from error


def _primary_first(family: type[Family], options: Any, data: Data, spec: _TaskSpec) -> Family:
    """Return the family with the card's primary metric first, whether the file names its metrics or not."""
    made = family(options, data, spec.metrics)
    primary = spec.card.primary
    others = [metric.name for metric in made.metrics if metric.name != primary]
    if not primary or made.metrics[0].name == primary:
        return made
    return family(options, data, [primary, *others])


def _source(spec: _SourceSpec, path: Path, split: str | None) -> Source:
    kind: type[Source] = registry.find(registry.SOURCES, spec.kind, "kind of source")
    split = split or spec.split
    if spec.kind == "builtin":
        return kind(spec.path, split)
    if spec.path is None:
        raise DataError(f"a source of kind '{spec.kind}' needs a 'path'")
    return kind((path.parent / spec.path).resolve(), split)


def _fields(
    family: type[Family], spec: _TaskSpec, source: Source, path: Path, lines: Lines
) -> dict[str, str | list[str]]:
    """Return the column of every field: as given, else the column of the same name. Raises DataError."""
    columns = list(source.columns())
    fields: dict[str, str | list[str]] = {name: name for name in family.fields if name in columns}
    for name, given in spec.fields.items():
        where = f"{path} line {lines.get(('fields', name), lines.get(('fields',), 1))}"
        if name not in (*family.fields, "id"):
            raise DataError(f"{where}: family '{family.name}' has no field '{name}'{nearest(name, family.fields)}")
        for column in given if isinstance(given, list) else [given]:
            if column not in columns:
                raise DataError(
                    f"{where}: the data has no column '{column}'{nearest(column, columns)} "
                    f"(columns: {', '.join(columns)})"
                )
        fields[name] = given
    missing = [name for name, needed in family.fields.items() if needed and name not in fields]
    if missing:
        where = f"{path} line {lines.get(('fields',), 1)}"
        raise DataError(f"{where}: 'fields' must say which column holds '{missing[0]}' (columns: {', '.join(columns)})")
    for column in spec.facts:
        if column not in columns:
            where = f"{path} line {lines.get(('facts',), 1)}"
            raise DataError(f"{where}: the data has no column '{column}'{nearest(column, columns)} for 'facts'")
    return fields
