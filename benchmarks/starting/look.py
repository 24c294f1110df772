"""What kind of source a file or a folder is, told by its name and by what is in it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.annotations import Annotations, holds_pictures, read_document
from mmbench.benchmarks.sources.cells import text_lines
from mmbench.benchmarks.sources.coco import Coco
from mmbench.benchmarks.sources.folder import SPLIT_NAMES
from mmbench.benchmarks.sources.folder_files import entries, files, is_clip, is_picture
from mmbench.benchmarks.sources.karpathy import Karpathy
from mmbench.benchmarks.sources.text_bytes import ending
from mmbench.benchmarks.sources.vqa_json import QUESTION_LISTS, VqaJson
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError

Keys = dict[str, str]
"""Keys of `source`; paths in it are still absolute."""

_PREFERRED = ("test", "validation", "train")
"""Of several splits, the one that is asked."""
_TABLES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_METADATA = "metadata"
"""Name of the table that stands beside the pictures it tells of, as `datasets` reads folders of pictures."""
_NAMED = 5
_COLUMNS_OF_VLMEVALKIT = {"index", "question"}


def source_of(path: Path) -> Keys:
    """Return the keys of a source for what lies at a path. Raises DataError that says what was found there."""
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise DataError(f"{path} is neither a file nor a folder")
    if path.name.endswith(_ARCHIVES):
        return {"kind": "webdataset", "path": str(path)}
    told = ending(path)
    if told == ".json":
        return _document(path)
    kind = _TABLES.get(told)
    if kind is None:
        known = ", ".join([*_TABLES, ".json", ".tar"])
        raise DataError(f"{path.name} ends in no format that is read ({known}); export it to one of them")
    if told == ".tsv" and set(_header(path)) >= _COLUMNS_OF_VLMEVALKIT:
        kind = "tsv"
    return {"kind": kind, "path": str(path)}


def _header(path: Path) -> Sequence[str]:
    return next(text_lines(path), "").rstrip("\r\n").split("\t")


def _folder(path: Path) -> Keys:
    held = entries(path)
    folders = [Path(entry.path) for entry in held if entry.is_dir()]
    names = [entry.name for entry in held if entry.is_file()]
    tables = _tables(path)
    split = _split([folder.name for folder in folders])
    shards = [*path.glob("*.tar*")] or (split and [*(path / split).glob("*.tar*")])
    if shards:
        return _with_split({"kind": "webdataset", "path": str(path)}, split if shards[0].parent != path else None)
    found = _parquet(path) or _parquet(path / "data")
    if found is not None:
        return found
    if len(tables) == 1:
        return source_of(tables[0])
    classes = path / split if split else path
    if split and (beside := [table for table in _tables(classes) if table.stem == _METADATA]):
        return source_of(beside[0])
    shown = [entry for entry in entries(classes) if entry.is_dir() and _shows(entry.path)]
    if len(shown) > 1 or (shown and not tables):
        return _with_split({"kind": "folder", "path": str(path)}, split)
    if tables:
        named = ", ".join(sorted(table.relative_to(path).as_posix() for table in tables)[:_NAMED])
        raise DataError(f"{path} holds {len(tables)} tables ({named}); name one of them")
    if any(is_picture(name) or is_clip(name) for name in names):
        raise DataError(
            f"{path} holds pictures, and nothing that says what they show; put them into a folder for each "
            "class, or write a CSV file with a column for the picture and one for its label, question or captions"
        )
    raise DataError(f"{path} holds no class folders with pictures, no table and no shards")


def _tables(path: Path) -> list[Path]:
    """Return the tables of a folder and of its folder `annotations`; where one of them tells of the others, that one.

    Such are `metadata.csv` in a folder of pictures, and of questions and answers as VQA has them the questions.
    """
    found = [
        Path(entry.path)
        for folder in (path, path / "annotations")
        if folder.is_dir()
        for entry in entries(folder)
        if entry.is_file() and ending(Path(entry.name)) in (*_TABLES, ".json")
    ]
    told = [table for table in found if table.stem == _METADATA]
    questions = [table for table in found if _answers_of(table) in found]
    return told or (questions if 2 * len(questions) == len(found) else []) or found


def _answers_of(questions: Path) -> Path | None:
    """Return where VQA keeps the answers to a document of questions; None for another document."""
    name = re.sub("(OpenEnded|MultipleChoice)_", "", questions.name)
    answers = questions.with_name(name.replace("questions", "annotations"))
    return answers if "questions" in name and answers.is_file() else None


def _shows(folder: str) -> bool:
    return any(is_picture(file) or is_clip(file) for file in files(folder))


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
            return _with_split(_with_pictures(Karpathy, {"kind": "karpathy", **keys}), _split(sorted(splits)))
        if isinstance(document, Mapping) and "annotations" in document:
            return _with_pictures(Coco, {"kind": "coco", **keys})
    if _asks_of_pictures(document):
        answers = _answers_of(path)
        keys |= {"annotations": str(answers)} if answers else {}
        return _with_pictures(VqaJson, {"kind": "vqa-json", **keys})
    if isinstance(document, list):
        return {"kind": "jsonl", **keys}
    raise DataError(f"{path.name} is none of the documents that are read: COCO's, Karpathy's splits, questions of VQA")


def _with_pictures(kind: type[Annotations], keys: Keys) -> Keys:
    """Return the keys with the folder of the pictures, where it is another one near the document. Raises DataError."""
    path = Path(keys["path"])
    told = kind.told(kind.Spec.model_validate(keys), path.parent, path)
    near = [path.parent, *_folders(path.parent), path.parent.parent, *_folders(path.parent.parent)]
    folder = next((each for each in near if holds_pictures(told.cells, each)), path.parent)
    return keys if folder == path.parent else {**keys, "images": str(folder)}


def _folders(path: Path) -> list[Path]:
    return [Path(entry.path) for entry in entries(path) if entry.is_dir()]


def _asks_of_pictures(document: Json) -> bool:
    """Tell whether a document is one of questions about pictures, and no plain list of rows, as of clips."""
    held = document
    if isinstance(document, Mapping):
        held = next((document[key] for key in QUESTION_LISTS if isinstance(document.get(key), list)), None)
        held = [*document.values()] if held is None else held
    first = held[0] if isinstance(held, list) and held else None
    if not isinstance(first, Mapping) or "question" not in first:
        return False
    return not isinstance(document, list) or bool(first.keys() & {"image", "image_id"})
