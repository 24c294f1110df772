"""Parquet shards as the Hugging Face hub stores them, pictures included, read a few rows at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.located import Located
from mmbench.benchmarks.sources.splits import SPLIT, rows_of_split, split_of, split_size
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.regular import regular
from mmbench.harness.strict_json import parse_json
from mmbench.harness.tasks.source import Cell, Row

_BATCH = 64
"""Rows held at once: a column of pictures can weigh a megabyte a row."""

_BUFFER = 1 << 20
"""Bytes read ahead of each column."""


class ParquetFile(Located):
    """Rows of one `.parquet` file, of a folder of shards, or of the shards that a pattern as `data/test-*` matches.

    A row is named by its file and its 0-based number in it. Raises DataError where a file cannot be used.
    """

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        if path is None:
            raise DataError("a parquet source needs a `path`")
        self._files = _shards(Path(path))
        self._split = split
        sizes: Counter[str | None] = Counter()
        for number, file in enumerate(self._files):
            with _opened(file) as shard:
                columns = tuple(shard.schema_arrow.names)
                if number == 0:
                    self._columns = columns
                    self._features = _features(shard.schema_arrow.metadata)
                self._check(columns, file.name)
                sizes += _sizes(shard, columns, split)
        self._size = split_size(sizes, split, self._columns, Path(path).name)

    def columns(self) -> Sequence[str]:
        """Return the names of the top-level columns."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column, the only one that is read. Raises DataError where there is none."""
        # An unknown column reads whole rows, so that the error can name the nearest.
        head = column if column in self._columns else column.partition(".")[0]
        wanted = [name for name in self._columns if name in (head, SPLIT)] if head in self._columns else None
        return cells_of(self._rows(wanted), column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names that the `datasets` library stored beside integer labels, or beside lists of them."""
        feature = self._features.get(column)
        while isinstance(feature, dict | list) and feature:
            if isinstance(feature, list):
                feature = feature[0]
            elif feature.get("_type") == "ClassLabel":
                names = feature.get("names")
                return tuple(names) if isinstance(names, list) and all(isinstance(n, str) for n in names) else None
            else:
                feature = feature.get("feature")
        return None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return self._rows(None)

    def _rows(self, columns: list[str] | None) -> Iterator[Row]:
        return rows_of_split((row for file in self._files for row in _rows(file, columns)), self._split)

    def _check(self, columns: tuple[str, ...], name: str) -> None:
        twice = next((column for column, count in Counter(columns).items() if count > 1), None)
        if twice is not None:
            raise DataError(f"{name} has two columns '{twice}', expected different names")
        if columns != self._columns:
            first = self._files[0].name
            raise DataError(f"{name} has the columns {list(columns)}, expected {list(self._columns)} as in {first}")


def _shards(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    folder, pattern = (path, "*.parquet") if path.is_dir() else (path.parent, path.name)
    names = sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    # Writers leave hidden files and `_metadata` beside their shards.
    shards = tuple(folder / name for name in names if Path(name).match(pattern) and name[0] not in "._")
    if not shards:
        raise DataError(f"{path} is no parquet file and no folder or pattern of them{nearest(path.name, names)}")
    return shards


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # By default whole row groups are read ahead, which hold gigabytes of pictures.
        with pq.ParquetFile(regular(file), buffer_size=_BUFFER, pre_buffer=False) as shard:
            yield shard
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:  # the last two in cells, as of bad UTF-8
        reason = str(error).partition("\n")[0]
        raise DataError(f"{file.name} cannot be read as Parquet: {reason}") from error


def _features(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    try:
        features = parse_json((metadata or {})[b"huggingface"].decode())["info"]["features"]
    except (KeyError, TypeError, ValueError):  # another program's metadata, or damaged
        return {}
    return features if isinstance(features, dict) else {}


def _sizes(shard: Any, columns: tuple[str, ...], split: str | None) -> Counter[str | None]:
    if split is None or SPLIT not in columns:
        return Counter({None: shard.metadata.num_rows})
    return Counter(split_of(cells) for cells in _records(shard, [SPLIT]))


def _records(shard: Any, columns: list[str] | None) -> Iterator[dict[str, Cell]]:
    for batch in shard.iter_batches(batch_size=_BATCH, columns=columns):
        names = batch.schema.names
        yield from batch.from_arrays([_written(column) for column in batch.columns], names).to_pylist()


def _written(column: Any) -> Any:
    """Return a column with numbers of 32 bits as they are written, 0.1, and not as 0.10000000149011612."""
    import pyarrow as pa

    kind = column.type
    listed = pa.types.is_list(kind)
    if not pa.types.is_float32(kind.value_type if listed else kind):
        return column
    texts, numbers = pa.string(), pa.float64()
    return column.cast(pa.list_(texts) if listed else texts).cast(pa.list_(numbers) if listed else numbers)


def _rows(file: Path, columns: list[str] | None) -> Iterator[Row]:
    with _opened(file) as shard:
        for number, cells in enumerate(_records(shard, columns)):
            yield Row(cells, f"{file.name} row {number}", file.parent)
