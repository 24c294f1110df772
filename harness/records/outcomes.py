"""Outcome table of a record: one row for each item, in a Parquet file beside the JSON."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import DataError
from mmbench.harness.records import arrow
from mmbench.harness.regular import regular
from mmbench.harness.scores.breakdown import plain_fact
from mmbench.harness.types import Outcome

SCHEMA = 3
"""Raised when a reader of older records must act; stands in the JSON and in the Parquet metadata."""

_AT_ONCE = 1024
"""Rows that are held as Python objects at a time."""

_PIECE = 1 << 20
"""Bytes of a file that are held for its digest."""

_UNREAD: dict[str, Any] = {
    **dict.fromkeys(("id", "cluster", "unit"), ""),
    **dict.fromkeys(("prediction", "target", "values", "chances", "statistics", "guesses", "facts")),
}
"""Parts of an outcome of which only the score was read."""


def write_outcomes(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write outcomes as Parquet: one row an outcome; `values`, `chances`, `statistics` and `facts` are structs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("id", "status", "prediction", "target", "cluster", "unit", "locator", "message", "reply")
    arrays = {name: arrow.texts(list(map(attrgetter(name), outcomes))) for name in names}
    # All items of a classification share one prompt, which may list a thousand classes.
    arrays["prompt"] = arrow.repeated([outcome.prompt for outcome in outcomes])
    if any(outcome.frames for outcome in outcomes):
        arrays["frames"] = arrow.texts([outcome.frames for outcome in outcomes])
    arrays["values"] = arrow.struct([outcome.values for outcome in outcomes], arrow.numbers)
    arrays["chances"] = arrow.struct([outcome.chances for outcome in outcomes], arrow.numbers)
    for name in ("statistics", "guesses"):
        arrays[name] = arrow.struct(list(map(attrgetter(name), outcomes)), arrow.lists)
    facts = [outcome.facts for outcome in outcomes]
    arrays["facts"] = arrow.struct(facts, lambda cells: arrow.plain(list(map(plain_fact, cells))))
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], {"mmbench.schema": str(SCHEMA)})
    table = pa.Table.from_arrays(list(arrays.values()), schema=schema)
    # Dictionaries and statistics of other columns cost a quarter of the time: to zstd they are nothing new.
    pq.write_table(table, path, compression="zstd", use_dictionary=["prompt"], write_statistics=False)


class OutcomeTable:
    """The outcomes of an open file, of which no more is held than is asked for."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    @property
    def schema(self) -> Any:
        """Arrow schema of the columns."""
        return self._file.schema_arrow

    def columns(self, names: Sequence[str]) -> Any:
        """Return these columns whole, as an Arrow table; `values.accuracy` is a part of one. None is missed."""
        return self._file.read(list(names))

    def rows(self, chosen: Sequence[int]) -> list[Outcome]:
        """Return the outcomes in these rows, which ascend."""
        return [_outcome(row) for row in self._chosen(np.asarray(chosen, dtype=np.int64))]

    def scored(self, metric: str) -> Iterator[Outcome]:
        """Yield every outcome with its status and what it gives this metric, and no more."""
        parts = ("values", "statistics")
        for batch in self._file.iter_batches(_AT_ONCE, columns=["status", *(f"{part}.{metric}" for part in parts)]):
            for row in batch.to_pylist():
                yield _outcome({**_UNREAD, **row})

    def _chosen(self, chosen: npt.NDArray[np.int64]) -> Iterator[dict[str, Any]]:
        start = 0
        for batch in self._file.iter_batches(_AT_ONCE) if len(chosen) else ():
            here, chosen = np.split(chosen, [np.searchsorted(chosen, start + len(batch))])
            yield from batch.take(arrow.whole_numbers(here - start)).to_pylist()
            if not len(chosen):
                return
            start += len(batch)


@contextmanager
def open_outcomes(record: Path, digest: str | None = None) -> Iterator[OutcomeTable]:
    """Open the outcomes beside a record; within the block all that its reading raises is a DataError.

    Raises DataError when they are missing, damaged, or not of this digest, which their record holds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = record.with_suffix(".parquet")
    try:
        # A file or bytes of Python's that pyarrow's threads still hold when Python ends abort the process.
        with pa.OSFile(str(regular(path))) as content:
            if digest is not None and _digest_of_file(content) != digest:
                raise DataError(f"{path} is damaged: it is not what its record was written with; run the task again")
            with pq.ParquetFile(content) as file:
                yield OutcomeTable(file)
    except (OSError, LookupError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a readable table of outcomes ({error}); run the task again") from error


def read_outcomes(record: Path, digest: str | None = None) -> list[Outcome]:
    """Read the outcomes beside a record. Raises DataError when they are missing, damaged, or not of this digest."""
    with open_outcomes(record, digest) as table:
        return table.rows(range(len(table)))


def _digest_of_file(content: Any) -> str:
    """Return the digest of an open file of pyarrow's, and go back to its beginning."""
    total = hashlib.sha256()
    while piece := content.read(_PIECE):
        total.update(piece)
    content.seek(0)
    return total.hexdigest()


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _outcome(row: dict[str, Any]) -> Outcome:
    def held(name: str) -> dict[str, Any]:
        return {key: cell for key, cell in (row[name] or {}).items() if cell is not None}

    texts = ("id", "status", "cluster", "unit")
    wrong = next((name for name in texts if not isinstance(row[name], str)), None)
    if wrong or not all(_is_number(cell) for part in ("values", "chances") for cell in held(part).values()):
        raise ValueError(f"a row's {wrong or 'score'} is of another type")
    if not all(row.get(name) is None or isinstance(row[name], str) for name in ("reply", "prompt")):
        raise ValueError("a row's reply or prompt is no text")
    if not isinstance(row.get("frames"), str | None):
        raise ValueError("a row's frames are no text")
    lists = {part: {name: tuple(cell) for name, cell in held(part).items()} for part in ("statistics", "guesses")}
    return Outcome(**{**row, **{part: held(part) for part in ("values", "chances", "facts")}, **lists})


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)
