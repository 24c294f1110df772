"""Files of recordings: JSON lines, Parquet and npz, read as data that nobody vouches for."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from mmbench.adapters.replay.pictures import Pictures
from mmbench.adapters.replay.recording import Recording
from mmbench.adapters.replay.rows import add_row, misspelt
from mmbench.harness.errors import DataError
from mmbench.harness.parquet_footer import declared
from mmbench.harness.regular import open_regular, regular
from mmbench.harness.strict_json import parse_json

MOST_BYTES = 2 << 30
"""What a recording may take in memory, as it is declared before anything is read."""
LONGEST_LINE = 64 << 20
_MOST_ROWS = 20_000_000
_LONGEST_GROUP = 512 << 20
"""Bytes of a row group's texts: one that a dictionary repeats is held once for each row that is read at a time."""
_BATCH = 16
_KINDS = (("image_features", "paths"), ("text_features", "texts"))
"""Arrays of an npz: vectors, and what each is the vector of."""


def read_recording(path: Path, pictures: Pictures) -> Recording:
    """Return what a file holds, by its ending. Raises DataError."""
    reader = {".jsonl": _read_jsonl, ".parquet": _read_parquet, ".npz": _read_npz}.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path.name} is no recording: these end in .jsonl, .parquet or .npz; predictions by the ids of one task "
            "go through mmbench score, see docs/coming-from.md"
        )
    recording = Recording()
    try:
        columns = reader(path, recording, pictures)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror or error})") from error
    if not len(recording):
        raise DataError(f"{path.name} has no answers: no reply, scores or vector{misspelt(columns)}")
    return recording


def _read_jsonl(path: Path, recording: Recording, pictures: Pictures) -> list[str]:
    columns: dict[str, None] = {}
    for number, line in enumerate(_lines(path), 1):
        where = f"{path.name} line {number}"
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            row = parse_json(text) if text.strip() else {}
        except ValueError as error:
            raise DataError(f"{where} is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{where} is no JSON object, expected one question with its answer a line")
        if len(columns) < len(row):
            columns.update(dict.fromkeys(row))
        add_row(recording, row, pictures, where)
    return list(columns)


def _lines(path: Path) -> Iterator[bytes]:
    total = 0
    with open_regular(path) as file:
        while line := file.readline(LONGEST_LINE + 1):
            total += len(line)
            if len(line) > LONGEST_LINE or total > MOST_BYTES:
                raise DataError(f"{path.name} is larger than a recording may be, or has a line above 64 MB")
            yield line


def _read_parquet(path: Path, recording: Recording, pictures: Pictures) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(regular(path), buffer_size=1 << 20, pre_buffer=False) as file:
            _bound(path, file.metadata.num_rows)
            columns: list[str] = file.schema_arrow.names
            if len(set(columns)) < len(columns):
                raise DataError(f"{path.name} has two columns of one name")
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    add_row(recording, row, pictures, f"{path.name} row {number}")
                    number += 1
    except (pa.ArrowException, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path.name} cannot be read as Parquet: {reason}") from error
    return columns


def _bound(path: Path, rows: int) -> None:
    """Refuse a file whose footer declares more than a recording may be. Raises DataError."""
    values, texts = declared(path)
    if rows > _MOST_ROWS or 4 * values > MOST_BYTES or texts > _LONGEST_GROUP:
        size = f"{rows:,} rows and {values:,} values"
        raise DataError(f"{path.name} declares {size}, more than a recording may have")


def _read_npz(path: Path, recording: Recording, pictures: Pictures) -> list[str]:
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if sum(info.file_size for info in members.values()) > MOST_BYTES:
                raise DataError(f"{path.name} unpacks to more than {MOST_BYTES >> 30} GB")
            for vectors, names in _KINDS:
                if vectors in members:
                    if names not in members:
                        raise DataError(f"{path.name} has '{vectors}' and no '{names}', which say whose they are")
                    where = f"{path.name}: {vectors}"
                    rows = _array(archive, members[vectors], where)
                    whose = _array(archive, members[names], f"{path.name}: {names}")
                    _add_arrays(recording, rows, whose, pictures, where)
            return list(members)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, struct.error, NotImplementedError) as error:
        raise DataError(f"{path.name} cannot be read as npz: {error}") from error


def _add_arrays(
    recording: Recording, vectors: npt.NDArray[Any], names: npt.NDArray[Any], pictures: Pictures, where: str
) -> None:
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise DataError(f"{where} is {vectors.dtype} of shape {vectors.shape}, expected floats of shape (n, d)")
    if names.shape != vectors.shape[:1] or names.dtype.kind != "U":
        raise DataError(f"{where} has {len(vectors)} rows, and their names are {names.dtype} of shape {names.shape}")
    of_text = where.endswith("text_features")
    for number, (name, vector) in enumerate(zip(names.tolist(), vectors, strict=True)):
        row = f"{where} row {number}"
        question = name if of_text else pictures.digest(name, row)
        recording.add_vector(question, vector, row, of_text=of_text)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> npt.NDArray[Any]:
    """Read one array whose header declares as many bytes as its file has; nothing is ever unpickled."""
    with archive.open(info) as member:
        try:
            shape, fortran, dtype = _header(member)
        except Exception as error:  # NumPy reads a header as Python, and mends old ones: it may raise anything
            raise DataError(f"{where} is no array of NumPy ({type(error).__name__})") from error
        if dtype.hasobject:
            raise DataError(f"{where} holds objects, which only pickle reads; save it by np.array(..., dtype=str)")
        size = dtype.itemsize * int(np.prod(shape, dtype=object))
        if not 0 <= size < info.file_size:
            raise DataError(f"{where} declares {size:,} bytes and has {info.file_size:,}")
        data = member.read(size)
    if len(data) != size:
        raise DataError(f"{where} ends too early")
    made = np.frombuffer(data, dtype)
    if dtype.kind == "U" and made.size and int(made.view(np.uint32).max()) > 0x10FFFF:
        raise DataError(f"{where} has numbers that are no characters")
    return made.reshape(shape, order="F" if fortran else "C")


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(member)
