"""Built-in data sets that need no download: photographs shipped inside a library, and drawn scenes."""

import gzip
import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar, Self

import PIL.Image

from mmbench.benchmarks.scenes import rows as scenes
from mmbench.benchmarks.sources.cells import cells_of
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.tasks.source import Cell, Row, SourceSpec

_DIGITS = Path("datasets", "data", "digits.csv.gz")
_SIDE = 8
_LEVELS = 16
_ZOOM = 8


@dataclass(frozen=True, slots=True)
class _DataSet:
    columns: Callable[[], Sequence[str]]
    count: Callable[[str | None], int]
    """Rows of a split. Raises DataError for a split there is not."""
    rows: Callable[[str | None], Iterator[Row]]
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class BuiltinSpec(SourceSpec):
    """The keys of a built-in source."""

    path: str | None = None
    """Name of the data set."""


class Builtin:
    """A data set that an installed library or mmbench itself holds, by name.

    `sklearn-digits`: the 1797 handwritten digits of scikit-learn (UCI, test part), columns `id`, `image` (8 x 8 levels
    of grey, each a block of 8 x 8 pixels), `label` (0 to 9) and `parity` (even or odd).
    `scenes-...`: scenes drawn from parameters (see `mmbench.benchmarks.scenes.rows`), splits `test`, `mini` (its first
    tenth), `validation`, `training` and `reserve`; `scenes-training` has the splits `SEED:BLOCK`.
    `clips-...`: the same in motion (see `mmbench.benchmarks.scenes.clips.data`); `mini` is the first quarter.
    Raises DataError for a name or a split it does not know.
    """

    Spec: ClassVar[type[BuiltinSpec]] = BuiltinSpec

    @classmethod
    def open(cls, spec: BuiltinSpec, base: Path, split: str | None) -> Self:
        """Return the data set of this name. Raises DataError."""
        return cls(spec.path, split)

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        name = str(path or "")
        known = _DATA_SETS if name in _DATA_SETS else {**_DATA_SETS, **_drawn_anew()}
        if name not in known:
            expected = ", ".join(known)
            raise DataError(f"'{name}' is no built-in data set, expected one of {expected}{nearest(name, known)}")
        self._data = known[name]
        self._split = split
        self._size = self._data.count(split)

    def columns(self) -> Sequence[str]:
        """Return the names of the columns."""
        return self._data.columns()

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where a row lacks it."""
        return cells_of(self, column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names behind the integer labels of a column."""
        return self._data.classes.get(column)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return self._data.rows(self._split)


def _digits_file() -> Path:
    # To import scikit-learn takes seconds, to find it does not.
    found = importlib.util.find_spec("sklearn")
    for folder in (found and found.submodule_search_locations) or ():
        file = Path(folder) / _DIGITS
        if file.is_file():
            return file
    raise DataError(
        "'sklearn-digits' reads the data inside scikit-learn, which is not installed: pip install scikit-learn"
    )


def _digits_count(split: str | None) -> int:
    if split is not None:
        raise DataError(f"the built-in data set 'sklearn-digits' has no splits, so it has no split '{split}'")
    _digits_file()
    return 1797


def _digits(split: str | None) -> Iterator[Row]:
    file = _digits_file()
    for number, (*levels, label) in enumerate(_digits_read(file)):
        where = f"sklearn-digits row {number}"
        image = Image.render(_digit, {"levels": levels}, 1, where)
        yield Row(
            {"id": str(number), "image": image, "label": label, "parity": "odd" if label % 2 else "even"},
            where,
            file.parent,
        )


@lru_cache(maxsize=1)  # each task goes through it several times
def _digits_read(file: Path) -> list[bytes]:
    """Return the levels of grey and the label of each row."""
    with gzip.open(file, "rt", encoding="ascii") as lines:
        return [bytes(map(int, line.split(","))) for line in lines]


def _digit(parent: Pixels | None, /, **params: Any) -> Pixels:
    import numpy as np

    levels = np.array(params["levels"]).reshape(_SIDE, _SIDE)
    greys = np.rint(levels * 255 / _LEVELS).astype(np.uint8)
    # Blocks survive a model's own resizing, where eight pixels would be blurred into each other.
    return PIL.Image.fromarray(np.kron(greys, np.ones((_ZOOM, _ZOOM), np.uint8))).convert("RGB")


def _scenes(name: str) -> _DataSet:
    def columns() -> Sequence[str]:
        return tuple(next(scenes.rows(name, None)).cells)

    return _DataSet(columns, partial(scenes.count, name), partial(scenes.rows, name))


_DATA_SETS: Mapping[str, _DataSet] = {
    "sklearn-digits": _DataSet(
        columns=lambda: ("id", "image", "label", "parity"),
        count=_digits_count,
        rows=_digits,
        classes={"label": tuple("0123456789")},
    ),
    **{name: _scenes(name) for name in scenes.SIZES},
}


def _drawn_anew() -> dict[str, _DataSet]:
    """Return the data sets whose rows are not remembered, with worlds that no other needs."""
    from mmbench.benchmarks.scenes import training
    from mmbench.benchmarks.scenes.clips.data import CLIPS

    return {
        "scenes-training": _DataSet(
            columns=lambda: training.COLUMNS,
            count=training.count,
            rows=lambda split: training.rows(*training.block_of(split)),
        ),
        **{
            name: _DataSet(clips.columns, partial(clips.count, name), partial(clips.rows, name))
            for name, clips in CLIPS.items()
        },
    }
