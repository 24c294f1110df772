"""Data sets of the Hugging Face hub, read shard by shard from its cache, into which each is fetched when it is due."""

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from mmbench.benchmarks.sources.folder_files import is_picture
from mmbench.benchmarks.sources.hub_card import Config, configs_of, label_names, metadata_of
from mmbench.benchmarks.sources.hub_files import (
    PARQUET,
    PLAIN,
    TAR,
    Part,
    archives,
    part_of,
    readable,
    splits_by_config,
)
from mmbench.benchmarks.sources.hub_folder import HubFolder, folder_part, folder_splits
from mmbench.benchmarks.sources.hub_parquet import HubParquet
from mmbench.benchmarks.sources.hub_tables import HubTables, packed_pictures
from mmbench.benchmarks.sources.hub_tar import beside_shards, hub_shards
from mmbench.benchmarks.sources.webdataset import WebDataset
from mmbench.harness.errors import DataError
from mmbench.harness.hub.needed import Needed
from mmbench.harness.hub.repository import Repository
from mmbench.harness.tasks.source import Cell, Row, SourceSpec

_CONVERTED = "refs/convert/parquet"
"""Branch on which the hub itself writes other data sets as Parquet."""
_Rows = HubParquet | WebDataset | HubTables | HubFolder
_README = "README.md"


class HubSpec(SourceSpec):
    """The keys of `source` for a data set of the hub."""

    id: str
    """`ORG/NAME`."""
    config: str | None = None
    """Configuration of the data set; None for its only one, or its default."""
    revision: str | None = None
    """Commit; a branch or tag is noted with the commit for which it stood. None: the main branch, locked to the commit
    for which it stood when it was first read here."""


class Hub:
    """Rows of one split of a data set of the hub: Parquet, tar shards of WebDataset, CSV, JSON, or class folders.

    No program of a data set is run. Raises DataError where it cannot be read, DataUnavailable where it cannot be had.
    """

    Spec: ClassVar[type[HubSpec]] = HubSpec

    def __init__(self, repository: Repository, part: Part, rows: _Rows, notes: list[str]) -> None:
        self.notes = notes
        """What a reader of the scores should know of the data."""
        self._repository = repository
        self._part = part
        self._rows = rows

    @classmethod
    def open(cls, spec: HubSpec, base: Path, split: str | None) -> Self:
        """Return the data that a task names; no shard of Parquet is fetched yet. Raises DataError."""
        return cls.of(*_located(spec, split))

    @classmethod
    def of(cls, repository: Repository, part: Part) -> Self:
        """Return the rows of a part. Raises DataError."""
        rows = _rows(repository, part)
        repository.lock(part.files)
        return cls(repository, part, rows, [*repository.notes, *getattr(rows, "notes", ())])

    @classmethod
    def needed(cls, spec: HubSpec, base: Path, split: str | None) -> Needed:
        """Return the files that `open` would read in the end; none but small ones is fetched. Raises DataError."""
        repository, part = _located(spec, split)
        files = part.files
        if part.ending == TAR:
            files = (*beside_shards(repository, part), *files)
        elif part.ending != PARQUET and not is_picture(files[0]):
            files = HubTables.files(repository, part)
        repository.lock(part.files)
        readme = [_README] if _README in repository.files else []
        return Needed(repository, (*readme, *files))

    def missing_bytes(self) -> int:
        """Return the bytes of its shards that are still to be fetched."""
        return self._repository.missing_bytes(self._part.files)

    def columns(self) -> Sequence[str]:
        """Return the names of the columns."""
        return self._rows.columns()

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column, the only one that is read. Raises DataError where there is none."""
        return self._rows.values(column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind integer labels that the shards, files beside them or the README tell."""
        names = self._rows.class_names(column)
        if names is None and _README in self._repository.files:
            return label_names(metadata_of(self._repository.fetch(_README)), self._part.config, column)
        return names

    def templates(self) -> Sequence[str] | None:
        """Return the prompt templates that tar shards bring."""
        return self._rows.templates() if isinstance(self._rows, WebDataset) else None

    def only(self, names: Collection[str]) -> Self:
        """Return the same rows with the cells of these columns alone, the only ones that are read."""
        if not isinstance(self._rows, HubParquet | HubTables):
            return self
        narrowed = copy(self)
        narrowed._rows = self._rows.only(names)
        return narrowed

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        root = self._repository.snapshot  # a row of a stranger names no file of this machine
        return (replace(row, root=root) for row in self._rows)


def _located(spec: HubSpec, split: str | None) -> tuple[Repository, Part]:
    repository = Repository(spec.id, spec.revision)
    part = _part(repository, spec.config, split)
    if part is not None:
        return repository, part
    packed = archives(repository.files)
    if packed:
        raise DataError(packed_pictures(spec.id, packed))
    found = f"{spec.id} has no files that are read (Parquet, tar, CSV, JSON, pictures) at {repository.commit[:12]}"
    converted = _converted(spec.id, found)
    if spec.revision is not None:
        raise DataError(f"{found}; the hub's own conversion is another commit: name `revision: {converted.commit}`")
    part = _part(converted, spec.config, split)
    if part is None:
        raise DataError(f"{found}, nor has the hub's conversion; download it, and name its files by another `kind`")
    return converted, part


def _converted(name: str, found: str) -> Repository:
    try:
        return Repository(name, None, _CONVERTED)
    except DataError as error:
        raise DataError(
            f"{found}, and the hub's own conversion cannot be read ({error}); programs of data sets are not run: "
            "download it, and name its files by another `kind`"
        ) from error


def choices(repository: Repository) -> dict[str, list[str]]:
    """Return the splits of each configuration, the default one first. Raises DataError."""
    configs, paths = _layout(repository)
    named = sorted(configs, key=lambda each: not each.default)
    if paths and is_picture(paths[0]):
        return {name: [*folder_splits(paths, configs, name)[0]] for name in [each.name for each in named] or [PLAIN]}
    found = splits_by_config(paths, named)
    return {name: [*splits] for name, splits in found.items() if splits}


def part_at(repository: Repository, config: str | None, split: str | None) -> Part:
    """Return the files of a split. Raises DataError where there are none that are read."""
    part = _part(repository, config, split)
    if part is None:
        raise DataError(f"{repository.name} has no files that are read in '{config}'")
    return part


def _layout(repository: Repository) -> tuple[tuple[Config, ...], list[str]]:
    files = [*repository.files]
    configs = configs_of(metadata_of(repository.fetch(_README)) if _README in files else {})
    return configs, readable(files, repository.name)


def _part(repository: Repository, config: str | None, split: str | None) -> Part | None:
    configs, paths = _layout(repository)
    if paths and is_picture(paths[0]):
        return folder_part(repository.name, paths, configs, config, split)
    return part_of(repository.name, paths, configs, config, split)


def _rows(repository: Repository, part: Part) -> _Rows:
    if part.ending == PARQUET:
        return HubParquet(repository, part)
    if part.ending == TAR:
        return hub_shards(repository, part)
    return (HubFolder if is_picture(part.files[0]) else HubTables)(repository, part)
