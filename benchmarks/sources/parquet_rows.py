"""Rows of a Parquet file, a few at a time, and what its footer tells: columns, rows, names behind labels."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mmbench.harness.errors import DataError
from mmbench.harness.regular import regular
from mmbench.harness.strict_json import parse_json
from mmbench.harness.tasks.source import Cell, Row

_BATCH = 64
"""Rows held at once at the most: a column of pictures can weigh a megabyte a row."""

_HELD = 32 << 20
"""Bytes of rows held at once, by their mean: a clip can weigh as much alone."""

_BUFFER = 1 << 20
"""Bytes read ahead of each column."""

_FEATURES = b"huggingface"
"""Key of what the `datasets` library writes of its columns."""

_MARK = 8
"""Bytes at the end of a file: the length of its footer, and `PAR1`."""


@dataclass(frozen=True, slots=True)
class Footer:
    """What the end of a Parquet file tells."""

    columns: tuple[str, ...]
    """Names of the top-level columns."""
    rows: int
    metadata: Mapping[bytes, bytes]

    @property
    def features(self) -> dict[str, Any]:
        """What the `datasets` library wrote of each column; empty where another program made the file."""
        try:
            features = parse_json(self.metadata[_FEATURES].decode())["info"]["features"]
        except (KeyError, TypeError, ValueError):  # another program's metadata, or damaged
            return {}
        return features if isinstance(features, dict) else {}


def footer_of(file: Path) -> Footer:
    """Return the footer of a file. Raises DataError."""
    with opened(file) as shard:
        return footer_in(shard)


def footer_in(shard: Any) -> Footer:
    """Return the footer of an open file."""
    return _footer(shard.metadata, shard.schema_arrow)


def footer_bytes(end: bytes) -> int | None:
    """Return how many bytes at the end of a file hold its footer, by its last bytes; None where it is no Parquet.

    >>> footer_bytes(b"...\\x10\\0\\0\\0PAR1"), footer_bytes(b"<html></html>")
    (24, None)
    """
    return int.from_bytes(end[-_MARK:-4], "little") + _MARK if len(end) >= _MARK and end[-4:] == b"PAR1" else None


def footer_at_end(end: bytes, name: str) -> Footer:
    """Return the footer in the last bytes of a file. Raises DataError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(pa.BufferReader(end))
        return _footer(metadata, metadata.schema.to_arrow_schema())
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from error


def _footer(metadata: Any, schema: Any) -> Footer:
    return Footer(tuple(schema.names), metadata.num_rows, schema.metadata or {})


def names_behind(feature: Any) -> tuple[str, ...] | None:
    """Return the names of a `ClassLabel`, or of the one in lists, as the `datasets` library stores it."""
    while isinstance(feature, dict | list) and feature:
        if isinstance(feature, list):
            feature = feature[0]
        elif feature.get("_type") == "ClassLabel":
            names = feature.get("names")
            return tuple(names) if isinstance(names, list) and all(isinstance(n, str) for n in names) else None
        else:
            feature = feature.get("feature")
    return None


def check_names(first: Footer, other: Footer, name: str) -> None:
    """Raise DataError where two shards of one data set give the labels of a column different names."""
    if first.metadata.get(_FEATURES) == other.metadata.get(_FEATURES):
        return
    for column, feature in other.features.items():
        one, two = names_behind(first.features.get(column)), names_behind(feature)
        if one and two and one != two:
            pairs = enumerate(zip_longest(two, one, fillvalue="no class"))
            place, (here, there) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
            raise DataError(
                f"{name} names the labels of '{column}' otherwise than the first shard: {place} is '{here}' here, and "
                f"'{there}' there; take the shards of one data set, or write the labels as text"
            )


def wanted_for(column: str, columns: Sequence[str], *beside: str) -> list[str] | None:
    """Return the columns that must be read for one, of records too; None, for all, where there is none such."""
    # An unknown column reads whole rows, so that the error can name the nearest.
    head = column if column in columns else column.partition(".")[0]
    return [name for name in columns if name in (head, *beside)] if head in columns else None


def heads(names: Collection[str], columns: Sequence[str], *beside: str) -> list[str]:
    """Return those of the columns in which these names are found, dotted ones by their first part."""
    return [column for column in columns if column in beside or any(_in(name, column, columns) for name in names)]


def _in(name: str, column: str, columns: Sequence[str]) -> bool:
    return name == column or (name not in columns and name.partition(".")[0] == column)


@contextmanager
def opened(file: Path) -> Iterator[Any]:
    """Open a file with pyarrow; what cannot be read in it, also later, is a DataError."""
    with reading(regular(file), file.name) as shard:
        yield shard


@contextmanager
def reading(file: Any, name: str, buffer: int = _BUFFER) -> Iterator[Any]:
    """Open a path or an open file likewise, `buffer` bytes of each column read ahead."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # By default whole row groups are read ahead, which hold gigabytes of pictures.
        with pq.ParquetFile(file, buffer_size=buffer, pre_buffer=False) as shard:
            yield shard
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:  # the last two in cells, as of bad UTF-8
        reason = str(error).partition("\n")[0]
        raise DataError(f"{name} cannot be read as Parquet: {reason}") from error


def records(shard: Any, columns: list[str] | None, at_once: int = _BATCH) -> Iterator[dict[str, Cell]]:
    """Yield the cells of each row, of some columns or all."""
    if columns == []:  # pyarrow gives batches without columns no rows
        yield from ({} for _ in range(shard.metadata.num_rows))
        return
    few = min(at_once, _at_once(shard.metadata, columns))
    for batch in shard.iter_batches(batch_size=few, columns=columns):
        names = batch.schema.names
        yield from batch.from_arrays([_written(column) for column in batch.columns], names).to_pylist()


def _at_once(metadata: Any, columns: list[str] | None) -> int:
    """Return how many rows to hold at once, by what those of the heaviest group weigh in these columns."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    weights = [
        sum(
            part.total_uncompressed_size
            for part in map(group.column, range(group.num_columns))
            if columns is None or part.path_in_schema.partition(".")[0] in columns
        )
        / max(1, group.num_rows)
        for group in groups
    ]
    return max(1, min(_BATCH, int(_HELD // max([1.0, *weights]))))


def _written(column: Any) -> Any:
    """Return a column with numbers of 32 bits as they are written, 0.1, and not as 0.10000000149011612."""
    import pyarrow as pa

    kind = column.type
    listed = pa.types.is_list(kind)
    if not pa.types.is_float32(kind.value_type if listed else kind):
        return column
    texts, numbers = pa.string(), pa.float64()
    return column.cast(pa.list_(texts) if listed else texts).cast(pa.list_(numbers) if listed else numbers)


def rows_of(file: Path, columns: list[str] | None) -> Iterator[Row]:
    """Yield the rows of a file, named by its name and their 0-based number. Raises DataError."""
    name, folder = file.name, file.parent
    with opened(file) as shard:
        for number, cells in enumerate(records(shard, columns)):
            yield Row(cells, f"{name} row {number}", folder)
