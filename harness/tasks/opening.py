"""The data behind the keys of a task file: its source, other rows beside it, and rows that are joined to it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any

from mmbench.harness.errors import DataError, DataUnavailable, UsageError
from mmbench.harness.hub.needed import Needed
from mmbench.harness.tasks.joined import SPLIT, Joined, splits_of
from mmbench.harness.tasks.plugins import find_source
from mmbench.harness.tasks.prepared import KEYS, prepared
from mmbench.harness.tasks.source import Join, Source
from mmbench.harness.tasks.yaml_file import Lines, place, validated

SOURCE = "source"
IN_MEMORY = "rows"
"""Kind of the source of a task that was made in Python."""


@contextmanager
def naming(path: Path | str, line: int | None = None) -> Iterator[None]:
    """Put the task file before what is wrong: of the many tasks of a suite a person must know which."""
    try:
        yield
    except UsageError as error:
        if str(error).startswith(str(path)):
            raise  # whoever knew the line has named it
        kind = DataUnavailable if isinstance(error, DataUnavailable) else DataError
        raise kind(f"{path}{f' line {line}' if line else ''}: {error}") from error


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens what a task file names. Raises DataError that names the line."""

    shown: Path | str
    """What messages call the file: its path, or the name of a task in memory."""
    base: Path
    """Paths in it are relative to this folder."""
    content: Mapping[str, Any]
    lines: Lines
    split: str | None
    """The one that a suite names in place of the file's own."""

    @property
    def several(self) -> bool:
        """True where several splits are read as one table."""
        return self.split is None and bool(splits_of(self.content[SOURCE].get(SPLIT)))

    def beside(self, key: str, given: Mapping[str, Any], more: Iterable[str]) -> Source:
        """Open other rows than those that are asked, of another split as a rule. Raises DataError.

        Every key but `split` is that of the task's own source where it is not given.
        """
        own = dict(self.content[SOURCE])
        asked = self.split or own.get(SPLIT)
        made = self._other(given)
        kind = made["kind"]
        if kind == IN_MEMORY:
            raise DataError(
                f"{place(self.shown, self.lines, (key,))}: `{key}` cannot be other rows of a task in memory; "
                "list them, or name a source with `kind` and `path`"
            )
        # Other rows of one table may be the same again, as far as names tell.
        same = all(self._same(name, own, made) for name in {*own, *made} - {SPLIT, *KEYS})
        taken = (None, *(asked.values() if isinstance(asked, Mapping) else [asked]))
        if same and (asked is None or made[SPLIT] in taken):
            raise DataError(
                f"{place(self.shown, self.lines, (key,))}: `{key}` must come from other rows than those that are "
                f"asked; name another split than `source` does ({asked or 'none, which is all'})"
            )
        return self.opened(key, made, kind, made[SPLIT], more)

    def _other(self, given: Mapping[str, Any]) -> dict[str, Any]:
        own = dict(self.content[SOURCE])
        kind = str(given.get("kind", own["kind"]))
        return {**(own if kind == own["kind"] else {}), SPLIT: None, **given, "kind": kind}

    def needed(self) -> Iterator[Needed]:
        """Yield the files of the hub that are read by the source, by what it joins, and by other keys that name rows.

        No data is opened, and none but small files is fetched. Raises DataError.
        """
        own = self.content[SOURCE]
        yield from self._needed(own, self.split)
        for key, given in self.content.items():
            if key != SOURCE and isinstance(given, Mapping) and given.keys() & {SPLIT, "id"}:
                yield from self._needed(self._other(given), None)

    def _needed(self, given: Mapping[str, Any], split: str | None) -> Iterator[Needed]:
        kind = str(given["kind"])
        if kind == IN_MEMORY:
            return
        found = find_source(kind)
        tell = getattr(found, "needed", None)
        if tell is not None:
            several = splits_of(given.get(SPLIT)) if split is None else {}
            keys = {key: value for key, value in given.items() if key in found.Spec.model_fields}
            spec = validated(found.Spec, {**keys, SPLIT: None} if several else keys, self.shown, {}, list(keys))
            with naming(self.shown, self.lines.get((SOURCE,))):
                for each in several.values() or [split or spec.split]:
                    yield tell(spec, self.base, each)
        join = given.get("join")
        if isinstance(join, Mapping):
            bare = {name: value for name, value in given.items() if name not in KEYS}
            kept = bare if join.get("kind", kind) == kind else {}
            yield from self._needed({**kept, "kind": kind, **join}, None)

    def _same(self, name: str, *sources: Mapping[str, Any]) -> bool:
        """Tell whether two sources have the same value of a key, also where a path is written otherwise."""
        one, other = (source.get(name) for source in sources)
        if name == "path" and isinstance(one, str) and isinstance(other, str):
            return normpath(self.base / one) == normpath(self.base / other)
        return bool(one == other)

    def opened(
        self, key: str, given: Mapping[str, Any], kind: str, split: str | None, more: Iterable[str] = ()
    ) -> Source:
        """Open what the keys below `key` name. Raises DataError."""
        with naming(self.shown, self.lines.get((key,))):
            found = find_source(kind)
        keys = [*found.Spec.model_fields, *more]
        with naming(self.shown, self.lines.get((key, SPLIT))):
            several = splits_of(given.get(SPLIT))
        one = {**given, SPLIT: None} if several else given
        spec = validated(found.Spec, one, self.shown, self.lines, keys, within=(key,))
        with naming(self.shown, self.lines.get((key,))):
            if several and split is None:
                rows: Source = Joined({name: found.open(spec, self.base, each) for name, each in several.items()})
            else:
                rows = found.open(spec, self.base, split or spec.split)
            return prepared(rows, spec, lambda: self._joined(key, given, spec.join))

    def _joined(self, key: str, given: Mapping[str, Any], join: Join | None) -> Source:
        """Open the other rows that a source joins to its own; every key that is not given is that of the source."""
        own = {name: value for name, value in given.items() if name not in KEYS}
        other = {} if join is None else join.model_extra or {}
        kind = str(other.get("kind", own["kind"]))
        made = {**(own if kind == own["kind"] else {}), **other, "kind": kind}
        return self.opened(key, made, kind, None)
