"""Shards of WebDataset: tar files whose members of one name are one row, as CLIP_benchmark writes them."""

import io
import itertools
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import numpy as np

from mmbench.benchmarks.named import class_list, template_list
from mmbench.benchmarks.sources.cells import cells_of, text_lines
from mmbench.benchmarks.sources.located import Located
from mmbench.benchmarks.sources.tar_header import PlainHeader
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.regular import open_regular
from mmbench.harness.strict_json import parse_json
from mmbench.harness.tasks.source import Cell, PathSpec, Row

_PICTURES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "jfif", "avif", "heic")
"""Endings of members that are the picture of a row."""

_LARGEST = 1 << 31
"""Bytes of a member that is read."""

_CLASSES = "classnames.txt"
_TEMPLATES = "zeroshot_classification_templates.txt"
_COUNT = "nshards.txt"
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_SHARDS = 100_000
_HIDDEN = re.compile(r"(^|/)(__|\.[^/]*$)")
"""A member whose name begins with a point, or which is or lies in what begins with two strokes, is no part of a row."""

BESIDE = (_CLASSES, _TEMPLATES, _COUNT)
"""Files that CLIP_benchmark writes beside shards, or in the folder above them."""


class WebDataset(Located):
    """Rows of one `.tar` file, of a folder of them, or of those that a pattern (`data/{000..012}.tar`, `*.tar`) means.

    A `split` is a folder within the path, in which CLIP_benchmark keeps it. Columns: `id` (the name that the members of
    a row share), `image` (its picture), `label` (`cls` as an index, or the places of the ones in a `npy` of zeros and
    ones), `captions` (the lines of `txt`), and each other ending with what its member holds: text, JSON, an array as a
    list, else bytes. Names of classes and templates are read from the files that CLIP_benchmark writes beside shards.
    Raises DataError where a shard is damaged or, by `nshards.txt`, missing.
    """

    Spec: ClassVar[type[PathSpec]] = PathSpec
    root: Path | None = None
    """Folder beyond which no path of a row reaches; None: there is no such limit."""

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        if path is None:
            raise DataError("a webdataset source needs a `path`")
        root = Path(path)
        inner = root / split if split is not None else root
        if split is not None and not inner.is_dir():
            beside = (other.name for other in root.iterdir() if other.is_dir()) if root.is_dir() else ()
            raise DataError(f"{root} has no folder '{split}'{nearest(split, beside)}")
        shards = _shards(inner)
        folder = shards[0].parent
        above = root if root.is_dir() and root != folder else folder.parent
        self._hold(shards, {name: at / name for at in (above, folder) for name in BESIDE if (at / name).is_file()})

    @classmethod
    def open(cls, spec: PathSpec, base: Path, split: str | None) -> "WebDataset":
        """Return the data that a task names, here or behind an address. Raises DataError."""
        from mmbench.benchmarks.sources.remote_shards import is_address, remote_webdataset

        return remote_webdataset(spec.path, split) if is_address(spec.path) else cls(spec.located(base), split)

    @classmethod
    def of(cls, shards: Sequence[Path], beside: Mapping[str, Path]) -> Self:
        """Return the rows of these shards, with those of the files `BESIDE` them that there are. Raises DataError."""
        _check_count(beside.get(_COUNT), len(shards))
        made = cls.__new__(cls)
        made._hold(shards, beside)
        return made

    def _hold(self, shards: Sequence[Path], beside: Mapping[str, Path]) -> None:
        self._shards = shards
        self._base = shards[0].parent
        self._beside = beside
        first = next(self._samples(None), None)
        if first is None:
            raise DataError(f"{shards[0].name} has no rows, expected at least one")
        self._columns = tuple(first[1])
        self._size: int | None = None

    def columns(self) -> Sequence[str]:
        """Return the columns of the first row; others may have more."""
        return self._columns

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column, whose members alone are read. Raises DataError where a row lacks it."""
        return cells_of((self._row(*sample) for sample in self._samples(column)), column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the lines of `classnames.txt` for `label`."""
        file = self._beside.get(_CLASSES) if column == "label" else None
        return class_list(_CLASSES, file.parent) if file is not None else None

    def templates(self) -> Sequence[str] | None:
        """Return the prompt templates that the data brings."""
        file = self._beside.get(_TEMPLATES)
        return template_list(_TEMPLATES, file.parent) if file is not None else None

    def __len__(self) -> int:
        if self._size is None:
            self._size = sum(1 for _ in self._samples(""))
        return self._size

    def __iter__(self) -> Iterator[Row]:
        return (self._row(*sample) for sample in self._samples(None))

    def _row(self, where: str, cells: Mapping[str, Cell]) -> Row:
        return Row(cells, where, self._base, self.root)

    def _samples(self, wanted: str | None) -> Iterator[tuple[str, dict[str, Cell]]]:
        """Yield where each row is and its cells: all, or as far as one column needs."""
        for shard in self._shards:
            with _opened(shard) as archive:
                for key, members in itertools.groupby(_members(archive), lambda member: member.key):
                    where = f"{shard.name} '{key}'"
                    yield where, {"id": key, **_cells(archive, [*members], wanted, where)}


def _shards(path: Path) -> tuple[Path, ...]:
    """Return the files that a path means, in the order of their numbers. Raises DataError."""
    if path.is_file():
        return (path,)
    if path.is_dir():
        found = _numbered(path, "*.tar*")
        _check_count(told if (told := path / _COUNT).is_file() else None, len(found))
    elif _BRACES.search(path.name):
        found = _braced(path)
    else:
        found = _numbered(path.parent, path.name) if path.parent.is_dir() else []
    if not found:
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        splits = [file.parent.name for file in path.glob("*/*.tar")] if path.is_dir() else []
        hint = f"; name one of its folders as `split`: {', '.join(sorted(set(splits)))}" if splits else ""
        raise DataError(f"{path} is no tar file and no folder or pattern of them{nearest(path.name, beside)}{hint}")
    return tuple(found)


def _numbered(folder: Path, pattern: str) -> list[Path]:
    files = (file for file in folder.glob(pattern) if file.is_file() and file.name[0] not in "._")
    return [folder / name for name in in_order(file.name for file in files)]


def in_order(names: Iterable[str]) -> list[str]:
    """Return names in the order of the numbers in them.

    >>> in_order(["b-10.tar", "b-9.tar"])
    ['b-9.tar', 'b-10.tar']
    """
    return sorted(names, key=lambda name: [(int(n or 0), text) for n, text in re.findall(r"(\d+)|(\D+)", name)])


def expanded(path: str) -> list[str]:
    """Return the paths that spans of numbers in braces mean. Raises DataError for too many.

    >>> expanded("b-{08..10}.tar")
    ['b-08.tar', 'b-09.tar', 'b-10.tar']
    """
    found = [path]
    while spans := [_BRACES.search(each) for each in found]:
        if spans[0] is None:
            break
        found = [
            name[: span.start()] + str(number).zfill(len(span[1])) + name[span.end() :]
            for name, span in zip(found, spans, strict=True)
            if span is not None
            for number in range(int(span[1]), min(int(span[2]), int(span[1]) + _MOST_SHARDS) + 1)
        ]
        if len(found) > _MOST_SHARDS:
            raise DataError(f"{path.rpartition('/')[2]} means more than {_MOST_SHARDS} shards")
    return found


def _braced(path: Path) -> list[Path]:
    found = [path.with_name(name) for name in expanded(path.name)]
    missing = next((file.name for file in found if not file.is_file()), None)
    if missing is not None:
        raise DataError(f"{path.parent} has no {missing}, which {path.name} means; fetch it, or name fewer")
    return found


def _check_count(told: Path | None, count: int) -> None:
    """Raise DataError where `nshards.txt` tells of more shards than there are: a part would be scored as the whole."""
    if told is not None and (said := "".join(text_lines(told)).strip()) != str(count):
        raise DataError(f"{told.parent} has {count} shards, and {_COUNT} tells of {said[:20]}; fetch them all")


@contextmanager
def _opened(shard: Path) -> Iterator[tarfile.TarFile]:
    try:
        with open_regular(shard) as file, tarfile.open(fileobj=file, tarinfo=PlainHeader) as archive:
            yield archive
    except (tarfile.TarError, OSError, EOFError, ValueError, UnicodeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shard.name} cannot be read as tar: {getattr(error, 'strerror', None) or error}") from error


class _Member(NamedTuple):
    """A member that is part of a row."""

    key: str
    ending: str
    info: tarfile.TarInfo


def _members(archive: tarfile.TarFile) -> Iterator[_Member]:
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # else all headers of a shard are held
        if member.isreg() and not _HIDDEN.search(member.name):
            yield _Member(*_named(member.name), member)


def _named(name: str) -> tuple[str, str]:
    """Return the key of a member, its path to the first dot of the file's name, and its ending in lower case.

    >>> _named("train/s01.seg.PNG"), _named("s01..jpg")
    (('train/s01', 'seg.png'), ('s01', 'jpg'))
    """
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return folder + slash + stem, ending.lstrip(".").lower()


def _cells(archive: tarfile.TarFile, members: Sequence[_Member], wanted: str | None, where: str) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for _, ending, member in members:
        picture = ending.rpartition(".")[2] in _PICTURES
        whole = ending in _PICTURES  # `seg.png` is another picture than that of the row
        if ending in cells:
            raise DataError(f"{where} has two members '.{ending}', expected one")
        if wanted is not None and not _serves(ending, wanted, whole=whole):
            continue
        held = _read(archive, member, where)
        cells[ending] = {"bytes": held, "path": member.name} if picture else _told(held, ending, where)
        if whole:
            cells.setdefault("image", cells[ending])
    if "cls" in cells:
        cells["label"] = _index(cells["cls"])
    elif isinstance(cells.get("npy"), list) and set(cells["npy"]) <= {0, 1}:
        cells["label"] = tuple(place for place, one in enumerate(cells["npy"]) if one)
    if isinstance(cells.get("txt"), str):
        cells["captions"] = [line for line in cells["txt"].splitlines() if line.strip()]
    return cells


def _serves(ending: str, wanted: str, *, whole: bool) -> bool:
    made_of = {"label": ("cls", "npy"), "captions": ("txt",)}
    head = wanted.partition(".")[0]
    return ending in (wanted, head) or ending in made_of.get(wanted, ()) or (wanted == "image" and whole)


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo, where: str) -> bytes:
    if member.size > _LARGEST:
        raise DataError(f"{where}: a member of {member.size / 1e9:.1f} GB is not read")
    if member.issparse() or archive.fileobj is None:
        file = archive.extractfile(member)
        held = b"" if file is None else file.read()
    else:  # without the three layers of objects that `extractfile` makes for each
        archive.fileobj.seek(member.offset_data)
        held = archive.fileobj.read(member.size)
    if len(held) != member.size:
        raise DataError(f"{where} is cut off; fetch the shard again")
    return held


def _told(held: bytes, ending: str, where: str) -> Cell:
    """Return what a member holds by its ending."""
    kind = ending.rpartition(".")[2]
    try:
        if kind in ("txt", "text", "cls", "cls2", "class", "index", "count", "caption"):
            return held.decode("utf-8-sig").strip()
        if kind in ("json", "jsn"):
            return parse_json(held.decode("utf-8-sig"))
        if kind == "npy":
            return np.load(io.BytesIO(held), allow_pickle=False).tolist()
    except (ValueError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{where}: the member '.{ending}' cannot be read ({reason})") from error
    return held


def _index(said: Cell) -> Cell:
    """Return a class as CLIP_benchmark writes it, a 0-based index, as an integer; anything else is a name."""
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 9 else said
