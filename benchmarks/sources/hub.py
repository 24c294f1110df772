"""Data sets of the Hugging Face hub, read shard by shard from its cache, into which each is fetched when it is due."""

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import ClassVar, Self

from mmbench.benchmarks.sources.hub_card import configs_of, label_names, metadata_of
from mmbench.benchmarks.sources.hub_files import PARQUET, Part, part_of, readable
from mmbench.benchmarks.sources.hub_parquet import HubParquet
from mmbench.benchmarks.sources.hub_tar import hub_shards
from mmbench.benchmarks.sources.webdataset import WebDataset
from mmbench.harness.errors import DataError
from mmbench.harness.hub.repository import Repository
from mmbench.harness.tasks.source import Cell, Row, SourceSpec

_CONVERTED = "refs/convert/parquet"
"""Branch on which the hub itself writes other data sets as Parquet."""
_README = "README.md"


class HubSpec(SourceSpec):
    """The keys of `source` for a data set of the hub."""

    id: str
    """`ORG/NAME`."""
    config: str | None = None
    """Configuration of the data set; None for its only one, or its default."""
    revision: str | None = None
    """Commit; a branch or tag is noted with the commit for which it stood, as is the main branch of None."""


class Hub:
    """Rows of one split of a data set of the hub, in Parquet or in tar shards of WebDataset.

    No program of a data set is run. Raises DataError where it cannot be read, DataUnavailable where it cannot be had.
    """

    Spec: ClassVar[type[HubSpec]] = HubSpec

    def __init__(self, repository: Repository, part: Part, rows: HubParquet | WebDataset, notes: list[str]) -> None:
        self.notes = notes
        """What a reader of the scores should know of the data."""
        self._repository = repository
        self._part = part
        self._rows = rows

    @classmethod
    def open(cls, spec: HubSpec, base: Path, split: str | None) -> Self:
        """Return the data that a task names; no shard of Parquet is fetched yet. Raises DataError."""
        repository, part = _located(spec, split)
        rows = HubParquet(repository, part) if part.ending == PARQUET else hub_shards(repository, part)
        return cls(repository, part, rows, list(repository.notes))

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
        if not isinstance(self._rows, HubParquet):
            return self
        narrowed = copy(self)
        narrowed._rows = self._rows.only(names)
        return narrowed

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


def _located(spec: HubSpec, split: str | None) -> tuple[Repository, Part]:
    repository = Repository(spec.id, spec.revision)
    part = _part(repository, spec.config, split)
    if part is not None:
        return repository, part
    found = f"{spec.id} has no files in Parquet or tar at {repository.commit[:12]}"
    converted = _converted(spec.id, found)
    if spec.revision is not None:
        raise DataError(f"{found}; the hub's own conversion is another commit: name `revision: {converted.commit}`")
    part = _part(converted, spec.config, split)
    if part is None:
        raise DataError(f"{found}, nor has the hub's conversion; download it, and name its files by another `kind`")
    return converted, part


def _converted(name: str, found: str) -> Repository:
    try:
        return Repository(name, _CONVERTED)
    except DataError as error:
        raise DataError(
            f"{found}, and the hub's own conversion cannot be read ({error}); programs of data sets are not run: "
            "download it, and name its files by another `kind`"
        ) from error


def _part(repository: Repository, config: str | None, split: str | None) -> Part | None:
    files = [*repository.files]
    metadata = metadata_of(repository.fetch(_README)) if _README in files else {}
    return part_of(repository.name, readable(files), configs_of(metadata), config, split)
