"""Board cache: resampled scores kept beside the records, so that the next board reads no outcomes."""

import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.files import replaced
from mmbench.harness.records.replicates import REPLICATES, Replicates
from mmbench.harness.scores.gain import Gain

NAME = ".board-cache.npz"
"""Within a results folder; it may be deleted at any time."""

MOST_PAIRS = 8
"""Boards whose tests are kept: those of the suites in use."""
_LAYOUT = 7
"""Raised when replicates, gains or tests would come out otherwise from the same files."""


@dataclass(slots=True)
class BoardCache:
    """Replicates and gains, under the signatures of the records that they were made from."""

    replicates: dict[str, Replicates] = field(default_factory=dict)
    gains: dict[str, Gain | None] = field(default_factory=dict)
    """None: these records have no gain."""
    pairs: dict[str, Floats] = field(default_factory=dict)
    """The (models, models) p of a board, under a digest of all that it was made from; the newest last."""


def signature(record: Path) -> str:
    """Return what changes when a record or its outcomes do: label, file name, and size and time of both files.

    Raises OSError where one is not there.
    """
    parts = [f"{record.parent.name}/{record.name}"]
    for path in (record, record.with_suffix(".parquet")):
        seen = path.stat()
        parts.append(f"{seen.st_size}:{seen.st_mtime_ns}")
    return " ".join(parts)


def load_cache(results: Path) -> BoardCache:
    """Return what was kept; empty where that is missing, damaged or of another layout."""
    try:
        with np.load(results / NAME, allow_pickle=False) as held:
            if int(held["layout"]) != _LAYOUT or held["replicates"].shape[1:] != (REPLICATES,):
                return BoardCache()
            replicates = dict(zip(held["keys"].tolist(), held["replicates"], strict=True))
            pairs = _unpacked(held["pair_keys"].tolist(), held["pair_sizes"].tolist(), held["pairs"])
            gains = {
                key: Gain(value, _or_none(low), _or_none(high), control) if control else None
                for key, (value, low, high), control in zip(
                    held["gain_keys"].tolist(), held["gains"].tolist(), held["controls"].tolist(), strict=True
                )
            }
    except (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile):
        return BoardCache()
    return BoardCache(replicates, gains, pairs)


def save_cache(results: Path, cache: BoardCache) -> None:
    """Write a cache beside its place and rename it; a folder that cannot be written to goes without."""
    none = (np.nan, np.nan, np.nan)
    gains = [(made.value, made.low, made.high) if made else none for made in cache.gains.values()]
    with suppress(OSError), replaced(results / NAME) as path, path.open("wb") as file:
        np.savez(
            file,
            layout=np.array(_LAYOUT),
            keys=_texts(list(cache.replicates)),
            replicates=np.array(list(cache.replicates.values()), np.float32).reshape(-1, REPLICATES),
            gain_keys=_texts(list(cache.gains)),
            gains=np.array(gains, np.float64).reshape(-1, 3),
            pair_keys=_texts(list(cache.pairs)),
            pair_sizes=np.array([len(made) for made in cache.pairs.values()], np.int64),
            pairs=np.concatenate([np.zeros(0), *(made.ravel() for made in cache.pairs.values())]),
            controls=_texts([made.control if made else "" for made in cache.gains.values()]),
        )


def _unpacked(keys: list[str], sizes: list[int], values: Floats) -> dict[str, Floats]:
    ends = np.cumsum([size * size for size in sizes])
    if len(keys) != len(sizes) or len(values) != (ends[-1] if len(ends) else 0):
        raise ValueError("the pairs of a board are not all there")
    parts = np.split(values, ends[:-1]) if keys else []
    return {key: part.reshape(size, size) for key, size, part in zip(keys, sizes, parts, strict=True)}


def _texts(names: list[str]) -> npt.NDArray[np.str_]:
    return np.array(names, dtype=np.str_).reshape(-1)


def _or_none(end: float) -> float | None:
    return None if np.isnan(end) else end
