"""Task file: read, checked against its data, and made a task; every error names file, line and nearest key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mmbench.harness import registry
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.hub.needed import Needed
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.tasks.card import WrittenCard
from mmbench.harness.tasks.clip_fields import shown_by, shows_clips, unused, with_clips
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.joined import SPLIT
from mmbench.harness.tasks.opening import IN_MEMORY, SOURCE, Opening, naming
from mmbench.harness.tasks.outcome_metrics import added_metrics, with_metrics
from mmbench.harness.tasks.plugins import find_family
from mmbench.harness.tasks.prompts import PROMPTS, Prompts, check_names, worded
from mmbench.harness.tasks.source import Data, Source
from mmbench.harness.tasks.task import Opened, Task
from mmbench.harness.tasks.yaml_file import Lines, place, read_yaml, validated
from mmbench.harness.types import Route

LONGEST_NAME = 100
"""Characters of a task's name, which becomes part of a file's, of 255 at most."""
HIGHEST_VERSION = 1_000_000_000


class _AnySource(BaseModel):
    """A source of any kind; its other keys are the kind's own."""

    model_config = ConfigDict(extra="allow")

    kind: str

    @property
    def own_split(self) -> str | None:
        """The one split that is named; None where there is none, or several."""
        own = (self.model_extra or {}).get(SPLIT)
        return None if own is None or isinstance(own, Mapping) else str(own)


class TaskSpec(BaseModel):
    """The keys that every family shares."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.+-]*$", max_length=LONGEST_NAME)
    version: int = Field(default=1, ge=1, le=HIGHEST_VERSION)
    family: str
    source: _AnySource
    fields: dict[str, str | list[str]] = {}
    frames: FrameSpec | None = None
    facts: list[str] = []
    metrics: list[str] = []
    routes: list[Route] = []
    prompts: Prompts = {}
    card: WrittenCard = WrittenCard()


def load_task(path: Path, split: str | None = None, prompt: str | None = None) -> Task:
    """Return the task that a YAML file describes; its data is opened when first asked for.

    With `split` the task is of that split of its source instead, and is named by it (`named`); with `prompt` it is
    asked by that variant, and is named by it too. Raises DataError that names line, reason and nearest key; what only
    the data can tell is raised when they are opened.
    """
    content, lines = read_yaml(path)
    return make_task(_TaskFile(path, path.parent, content, lines, split)).asked_by(prompt)


def task_of_rows(rows: Source, content: Mapping[str, Any], base: Path) -> Task:
    """Return the task that these keys make of rows in memory; files that they name are relative to `base`.

    Raises DataError as `load_task`, now and not when something is first asked for.
    """
    shown = f"task '{content.get('name')}'"
    if SOURCE in content:
        raise DataError(f"{shown} has its rows, and takes no key '{SOURCE}'")
    made = make_task(_TaskFile(shown, base, {**content, SOURCE: {"kind": IN_MEMORY}}, {}, None, rows))
    _ = made.opened
    return made


def make_task(file: "_TaskFile") -> Task:
    """Return the task of a file that was read. Raises DataError."""
    content, split = file.content, file.split
    family = content.get("family")
    if not isinstance(family, str):
        raise DataError(
            f"{file.shown}: the key 'family' is missing; it is one of {', '.join(registry.entries(registry.FAMILIES))}"
        )
    shared = {key: value for key, value in content.items() if key in TaskSpec.model_fields}
    try:
        spec: TaskSpec = validated(TaskSpec, shared, file.shown, file.lines, TaskSpec.model_fields)
    except DataError:
        file.options(file.family(family))  # a misspelt key is unknown before it is missed
        raise
    with naming(file.shown, file.lines.get((PROMPTS,))):
        check_names(spec.prompts)
    card = spec.card.of(split, spec.source.own_split)
    hub = str((spec.source.model_extra or {}).get("id") or "")
    name, kind = named(spec.name, split), spec.source.kind
    prompts: dict[str, Callable[[], Task]] = {}
    if file.prompt is None:
        prompts = {each: partial(make_task, replace(file, prompt=each)) for each in spec.prompts}
    else:
        source = spec.prompts[file.prompt].prompt_source
        card = card.model_copy(update={"prompt": file.prompt, "prompt_source": source})
        name = worded(name, file.prompt)
    return Task(name, spec.version, family, card, partial(file.open, spec), file.needed, kind, hub, prompts)


def named(name: str, split: str | None) -> str:
    """Return how a task is called when a suite runs it on another split than its file says.

    >>> named("scenes-shape", "mini"), named("scenes-shape", None)
    ('scenes-shape-mini', 'scenes-shape')
    """
    return f"{name}-{split}" if split else name


@dataclass(frozen=True, slots=True)
class _TaskFile:
    """A task file that was read, or what was written in its place, and the split that a suite names."""

    shown: Path | str
    """What messages call it: its path, or the name of a task in memory."""
    base: Path
    """Paths in it are relative to this folder."""
    content: Mapping[str, Any]
    lines: Lines
    split: str | None
    rows: Source | None = None
    """Of a task in memory."""
    prompt: str | None = None
    """The variant of its prompt by which it is asked."""

    def open(self, spec: TaskSpec) -> Opened:
        """Open the source and check the file against it. Raises DataError."""
        family = self.family(spec.family)
        options = self.options(family)
        by_prompt = {name: self._variant(family, name, spec) for name in spec.prompts}
        options = by_prompt.get(self.prompt or "", options)
        source = self._source(spec)
        fields = self._fields(family, spec, source)
        with naming(self.shown):
            source = _narrowed(source, fields, spec.facts)
            notes = [*self._other_prompt(spec), *getattr(source, "notes", ())]
            notes += self._unused_split(family, source, fields)
            if wrong := unused(fields, spec.frames):
                raise DataError(wrong)
            frames = spec.frames or FrameSpec()
            data = Data(source, fields, tuple(spec.facts), self.base, notes, frames, self._opening.beside)
            made = _primary_first(family, options, data, spec)
        unfilled = tuple(name for name in family.fields if name not in shown_by(fields))
        columns = tuple(source.columns())
        return Opened(
            made,
            tuple(spec.routes) or made.routes,
            len(source),
            tuple(dict.fromkeys(notes)),
            columns,
            unfilled,
            self.split or spec.source.own_split,
            getattr(source, "missing_bytes", int),
            frames.as_json() if shows_clips(fields) else None,
        )

    def _other_prompt(self, spec: TaskSpec) -> list[str]:
        official = named(spec.name, self.split)
        return [] if self.prompt is None else [f"asked by the prompt '{self.prompt}': not comparable with {official}"]

    def needed(self) -> tuple[Needed, ...]:
        """Return the files of the hub that the task reads. Raises DataError."""
        return () if self.rows is not None else tuple(self._opening.needed())

    @property
    def _opening(self) -> Opening:
        return Opening(self.shown, self.base, self.content, self.lines, self.split)

    def family(self, name: str) -> type[Family]:
        """Return the family of this name. Raises DataError."""
        with naming(self.shown, self.lines.get(("family",))):
            return find_family(name)

    def options(self, family: type[Family]) -> Any:
        """Return the family's own keys. Raises DataError."""
        known = [*TaskSpec.model_fields, *family.Options.model_fields]
        return validated(family.Options, self._own, self.shown, self.lines, known)

    def _variant(self, family: type[Family], name: str, spec: TaskSpec) -> Any:
        """Return the family's own keys, which are right, with those of a variant of the prompt. Raises DataError."""
        made, known = spec.prompts[name].keys_of(self._own), [*family.Options.model_fields]
        return validated(family.Options, made, self.shown, self.lines, known, within=(PROMPTS, name))

    @property
    def _own(self) -> dict[str, Any]:
        return {key: value for key, value in self.content.items() if key not in TaskSpec.model_fields}

    def _source(self, spec: TaskSpec) -> Source:
        if self.rows is not None:
            return self.rows
        return self._opening.opened(SOURCE, self.content[SOURCE], spec.source.kind, self.split)

    def _fields(self, family: type[Family], spec: TaskSpec, source: Source) -> dict[str, str | list[str]]:
        """Return the column of every field: as given, else the column of the same name. Raises DataError.

        The column `split` is used only where it is given: people's tables have one for other purposes too.
        """
        columns = list(source.columns())
        with naming(self.shown, self.lines.get(("fields",))):
            known = with_clips(family.fields, columns, spec.fields)
        own = [name for name in known if name in columns and (name != SPLIT or self._opening.several)]
        fields: dict[str, str | list[str]] = {name: name for name in own}
        for name, given in spec.fields.items():
            where = self._where("fields", name)
            if name not in (*known, "id"):
                told = f"has no field '{name}'{nearest(name, known)}; it has {', '.join(known)}"
                raise DataError(f"{where}: family '{family.name}' {told}")
            for column in given if isinstance(given, list) else [given]:
                if not _is_in(column, columns):
                    raise DataError(
                        f"{where}: the data has no column '{column}'{nearest(column, columns)} "
                        f"(columns: {', '.join(columns)})"
                    )
            fields[name] = given
        missing = [name for name, needed in known.items() if needed and name not in fields]
        if missing:
            raise DataError(
                f"{self._where('fields')}: 'fields' must say which column holds '{missing[0]}' "
                f"(columns: {', '.join(columns)})"
            )
        for column in spec.facts:
            if not _is_in(column, columns):
                raise DataError(
                    f"{self._where('facts')}: the data has no column '{column}'{nearest(column, columns)} for 'facts'"
                )
        return fields

    def _unused_split(self, family: type[Family], source: Source, fields: Mapping[str, str | list[str]]) -> list[str]:
        """Return a note where the data has a column `split` that nobody named: rows of every split are then asked."""
        named = self.split or self.content["source"].get(SPLIT) or SPLIT in fields
        if named or SPLIT not in source.columns():
            return []
        how = "`fields: {split: split}`, or one split as" if SPLIT in family.fields else "one split as"
        return [
            f"the column 'split' is not used, so that rows of every split are taken; name {how} `split` in `source`"
        ]

    def _where(self, *at: str) -> str:
        return place(self.shown, self.lines, at)


def _narrowed(source: Source, fields: Mapping[str, str | list[str]], facts: Sequence[str]) -> Source:
    """Return the source with the columns alone that the task names: those of others may weigh more than all of them."""
    only: Callable[[set[str]], Source] | None = getattr(source, "only", None)
    columns = {name for given in fields.values() for name in (given if isinstance(given, list) else [given])}
    return source if only is None else only({*columns, *facts, "id"})


def _is_in(column: str, columns: Sequence[str]) -> bool:
    """Tell whether there is this column, or one of the records in which a dotted name is looked for."""
    return column in columns or ("." in column and column.partition(".")[0] in columns)


def _primary_first(family: type[Family], options: Any, data: Data, spec: TaskSpec) -> Family:
    """Return the family with the card's primary metric first, whether the file names its metrics or not."""
    primary = spec.card.primary
    added = added_metrics(family, [*spec.metrics, primary])
    made = family(options, data, [name for name in spec.metrics if name not in added])
    names = spec.metrics or [metric.name for metric in made.metrics]
    if primary:
        names = [primary, *(name for name in names if name != primary)]
    own = [name for name in names if name not in added]
    if own and own != [metric.name for metric in made.metrics]:
        made = family(options, data, own)
    if not added:
        return made
    known = {metric.name: metric for metric in made.metrics} | added
    return with_metrics(made, [known[name] for name in names])
