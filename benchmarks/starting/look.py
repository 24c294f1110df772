"""What kind of source a file or a folder is, told by its name and by what is in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.annotations import read_document
from mmbench.benchmarks.sources.cells import text_lines
from mmbench.benchmarks.sources.folder import SPLIT_NAMES
from mmbench.benchmarks.sources.folder_files import entries, files, is_clip, is_picture
from mmbench.benchmarks.sources.vqa_json import QUESTION_LISTS
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError

Keys = dict[str, str]
"""Keys of `source`; paths in it are still absolute."""

_PREFERRED = ("test", "validation", "train")
"""Of several splits, the one that is asked."""
_TABLES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_COLUMNS_OF_VLMEVALKIT = {"index", "question"}


def source_of(path: Path) -> Keys:
    """Return the keys of a source for what lies at a path. Raises DataError that says what was found there."""
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise DataError(f"{path} is neither a file nor a folder")
    if path.name.endswith(_ARCHIVES):
        return {"kind": "webdataset", "path": str(path)}
    if path.suffix.lower() == ".json":
        return _document(path)
    kind = _TABLES.get(path.suffix.lower())
    if kind is None:
        known = ", ".join([*_TABLES, ".json", ".tar"])
        raise DataError(f"{path.name} ends in no format that is read ({known}); export it to one of them")
    if path.suffix.lower() == ".tsv" and set(_header(path)) >= _COLUMNS_OF_VLMEVALKIT:
        kind = "tsv"
    return {"kind": kind, "path": str(path)}


def _header(path: Path) -> Sequence[str]:
    return next(text_lines(path), "").rstrip("\r\n").split("\t")


def _folder(path: Path) -> Keys:
    held = entries(path)
    folders = [Path(entry.path) for entry in held if entry.is_dir()]
    names = [entry.name for entry in held if entry.is_file()]
    split = _split([folder.name for folder in folders])
    shards = [*path.glob("*.tar*")] or (split and [*(path / split).glob("*.tar*")])
    if shards:
        return _with_split({"kind": "webdataset", "path": str(path)}, split if shards[0].parent != path else None)
    found = _parquet(path) or _parquet(path / "data")
    if found is not None:
        return found
    tables = [name for name in names if Path(name).suffix.lower() in (*_TABLES, ".json")]
    if len(tables) == 1:
        return source_of(path / tables[0])
    classes = path / split if split else path
    below = (file for folder in entries(classes) if folder.is_dir() for file in files(folder.path))
    if any(is_picture(file) or is_clip(file) for file in below):
        return _with_split({"kind": "folder", "path": str(path)}, split)
    if tables:
        raise DataError(f"{path} holds {len(tables)} tables ({', '.join(sorted(tables)[:5])}); name one of them")
    if any(is_picture(name) or is_clip(name) for name in names):
        raise DataError(
            f"{path} holds pictures, and nothing that says what they show; put them into a folder for each "
            "class, or write a CSV file with a column for the picture and one for its label, question or captions"
        )
    raise DataError(f"{path} holds no class folders with pictures, no table and no shards")


def _split(names: Sequence[str]) -> str | None:
    """Return the folder to ask where folders are splits: the test one, else the validation one."""
    kinds = {SPLIT_NAMES[name.lower()]: name for name in names if name.lower() in SPLIT_NAMES}
    if not kinds or (len(kinds) == 1 and len(names) > 1):
        return None
    return next(kinds[kind] for kind in _PREFERRED if kind in kinds)


def _with_split(keys: Keys, split: str | None) -> Keys:
    return {**keys, "split": split} if split else keys


def _parquet(folder: Path) -> Keys | None:
    """Return the shards of one split, as the hub names them (`test-00000-of-00002.parquet`), else all."""
    shards = [*folder.glob("*.parquet")] if folder.is_dir() else []
    if not shards:
        return None
    heads = sorted({shard.name.partition("-")[0] for shard in shards if "-" in shard.name})
    split = _split(heads)
    if split is None:
        return {"kind": "parquet", "path": str(folder)}
    return {"kind": "parquet", "path": str(folder / f"{split}-*.parquet")}


def _document(path: Path) -> Keys:
    document = read_document(path)
    keys: Keys = {"path": str(path)}
    images = document.get("images") if isinstance(document, Mapping) else None
    if isinstance(images, list) and images and isinstance(images[0], Mapping):
        if "sentences" in images[0]:
            splits = {str(each.get("split")) for each in images if isinstance(each, Mapping)}
            return _with_split({"kind": "karpathy", **keys}, _split(sorted(splits)))
        if isinstance(document, Mapping) and "annotations" in document:
            return {"kind": "coco", **keys}
    if _asks(document):
        return {"kind": "vqa-json", **keys}
    if isinstance(document, list):
        raise DataError(f"{path.name} is one JSON list; write JSON lines, an object a line, and name the file .jsonl")
    raise DataError(f"{path.name} is none of the documents that are read: COCO's, Karpathy's splits, questions of VQA")


def _asks(document: Json) -> bool:
    held = document
    if isinstance(document, Mapping):
        held = next((document[key] for key in QUESTION_LISTS if isinstance(document.get(key), list)), None)
        held = [*document.values()] if held is None else held
    return isinstance(held, list) and bool(held) and isinstance(held[0], Mapping) and "question" in held[0]
