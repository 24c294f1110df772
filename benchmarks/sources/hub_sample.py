"""The first rows of a data set of the hub, for a look: card, footer and small ranges, no shard as a whole."""

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.folder_files import is_picture
from mmbench.benchmarks.sources.hub import Hub, HubSpec
from mmbench.benchmarks.sources.hub_files import PARQUET, TAR, Part
from mmbench.benchmarks.sources.hub_tar import beside_shards
from mmbench.benchmarks.sources.parquet_rows import reading, records
from mmbench.benchmarks.sources.webdataset import WebDataset
from mmbench.harness.errors import DataError
from mmbench.harness.hub.remote import Remote, Spent
from mmbench.harness.hub.repository import Repository
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell, Row, SourceSpec

_PICTURED = 3
"""Rows of which pictures are looked at."""
_PICTURE = "struct<bytes: binary, path: "
_UNSEEN = Image.from_array(np.zeros((1, 1, 3), np.uint8), "a picture that was not looked at")
_OF_A_SHARD = 4_000_000
"""Bytes of a tar shard that are looked at."""


@dataclass(slots=True)
class Sample:
    """The first rows of a split, with as much of a source as a look needs."""

    Spec: ClassVar[type[SourceSpec]] = HubSpec

    names: Sequence[str]
    """Of the columns."""
    rows: list[Row]
    size: int | None
    """Rows of the whole split; None: not known before it is fetched."""
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def open(cls, spec: SourceSpec, base: Path, split: str | None) -> "Sample":
        """Raise DataError: a sample is no data to be asked."""
        raise DataError("a sample is only looked at")

    def columns(self) -> Sequence[str]:
        """Return the names of the columns."""
        return self.names

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column."""
        return cells_of(self.rows, column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind integer labels, where the data tells them."""
        return self.classes.get(column)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def sample(repository: Repository, part: Part, count: int) -> Sample:
    """Return the first rows of a part, the first few with their pictures. Raises DataError."""
    if part.ending == PARQUET:
        return _of_parquet(repository, part, count)
    if part.ending == TAR:
        return _of_tar(repository, part, count)
    source = Hub.of(repository, part)
    rows = [*islice(source, _PICTURED)]
    bare = source.only(["id"])  # of these no picture is fetched
    rows += islice(bare, len(rows), count) if not is_picture(part.files[0]) else ()
    return Sample(source.columns(), rows, len(source), _classes(source, source.columns()))


def _classes(source: Any, columns: Sequence[str]) -> dict[str, Sequence[str]]:
    return {column: names for column in columns if (names := source.class_names(column)) is not None}


def _of_parquet(repository: Repository, part: Part, count: int) -> Sample:
    source = Hub.of(repository, part)  # reads footers alone
    first = Remote(repository, part.files[0])
    cells: list[dict[str, Cell]] = []
    with reading(io.BufferedReader(first), part.files[0], buffer=1 << 16) as shard:
        heavy = [each.name for each in shard.schema_arrow if "binary" in str(each.type)]
        # To read one picture may take the dictionary of a whole row group; the hub's own form of them is known by type.
        known = [each.name for each in shard.schema_arrow if str(each.type).startswith(_PICTURE)]
        light = [column for column in source.columns() if column not in heavy]
        try:
            for row in islice(records(shard, light), count):
                cells.append({**row, **dict.fromkeys(known, _UNSEEN)})  # noqa: PERF401
            unknown = [column for column in heavy if column not in known]
            shown = [*islice(records(shard, unknown, _PICTURED), _PICTURED)] if unknown else []
            nothing: dict[str, Cell] = {}
            cells = [{**row, **more} for row, more in zip_longest(cells, shown, fillvalue=nothing)]
        except Spent:  # what was read until then is enough to guess from
            pass
    name = part.files[0].rpartition("/")[2]
    rows = [
        Row(each, f"{name} row {number}", repository.snapshot, repository.snapshot) for number, each in enumerate(cells)
    ]
    return Sample(source.columns(), rows, len(source), _classes(source, source.columns()))


def _of_tar(repository: Repository, part: Part, count: int) -> Sample:
    beside = {path.rpartition("/")[2]: repository.fetch(path) for path in beside_shards(repository, part)}
    whole = repository.bytes_of(part.files[:1])
    begun = repository.part(part.files[0], 0, min(_OF_A_SHARD, whole))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / part.files[0].rpartition("/")[2]
        file.write_bytes(begun)
        rows: list[Row] = []
        source = WebDataset.of([file], {name: path for name, path in beside.items() if name != "nshards.txt"})
        try:
            rows.extend(islice(source, count))
        except DataError:  # the shard goes on where the look ends
            if len(begun) == whole:
                raise
        return Sample(source.columns(), rows, None, _classes(source, source.columns()))
