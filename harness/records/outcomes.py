"""Outcome table of a record: one row for each item, in a Parquet file beside the JSON."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmbench.harness.errors import DataError
from mmbench.harness.records import arrow
from mmbench.harness.regular import read_regular
from mmbench.harness.scores.breakdown import plain_fact
from mmbench.harness.types import Outcome

SCHEMA = 3
"""Raised when a reader of older records must act; stands in the JSON and in the Parquet metadata."""


def write_outcomes(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write outcomes as Parquet: one row an outcome; `values`, `chances`, `statistics` and `facts` are structs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("id", "status", "prediction", "target", "cluster", "unit", "locator", "message", "reply")
    arrays = {name: arrow.texts([getattr(outcome, name) for outcome in outcomes]) for name in names}
    # All items of a classification share one prompt, which may list a thousand classes.
    arrays["prompt"] = arrow.repeated([outcome.prompt for outcome in outcomes])
    arrays["values"] = arrow.struct([outcome.values for outcome in outcomes], arrow.numbers)
    arrays["chances"] = arrow.struct([outcome.chances for outcome in outcomes], arrow.numbers)
    for name in ("statistics", "guesses"):
        arrays[name] = arrow.struct([getattr(outcome, name) for outcome in outcomes], arrow.lists)
    facts = [{name: plain_fact(cell) for name, cell in outcome.facts.items()} for outcome in outcomes]
    arrays["facts"] = arrow.struct(facts, arrow.plain)
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], {"mmbench.schema": str(SCHEMA)})
    pq.write_table(pa.Table.from_arrays(list(arrays.values()), schema=schema), path, compression="zstd")


def read_outcomes(record: Path, digest: str | None = None) -> list[Outcome]:
    """Read the outcomes beside a record. Raises DataError when they are missing, damaged, or not of this digest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = record.with_suffix(".parquet")
    try:
        return [_outcome(row) for row in pq.read_table(outcome_bytes(path, digest)).to_pylist()]
    except (OSError, LookupError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a readable table of outcomes ({error}); run the task again") from error


def outcome_bytes(path: Path, digest: str | None) -> Any:
    """Return the content of an outcome file for pyarrow, once it has the digest that its record holds, if any.

    A file or bytes of Python's that pyarrow's threads still hold when Python ends abort the process; its own do not.
    Raises OSError, or DataError where the content is another than was written.
    """
    import pyarrow as pa

    content = read_regular(path)
    if digest is not None and digest_of(content) != digest:
        raise DataError(f"{path} is damaged: it is not what its record was written with; run the task again")
    held = pa.allocate_buffer(len(content))
    memoryview(held).cast("B")[:] = content
    return pa.BufferReader(held)


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
    lists = {part: {name: tuple(cell) for name, cell in held(part).items()} for part in ("statistics", "guesses")}
    return Outcome(**{**row, **{part: held(part) for part in ("values", "chances", "facts")}, **lists})


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)
