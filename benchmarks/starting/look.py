"""What kind of source a file or a folder is, told by its name and by what is in it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmbench.benchmarks.sources.annotations import Annotations, holds_pictures, read_document
from mmbench.benchmarks.sources.cells import text_lines
from mmbench.benchmarks.sources.coco import Coco
from mmbench.benchmarks.sources.folder import SPLIT_NAMES
from mmbench.benchmarks.sources.folder_files import SUFFIXES, entries, files, is_clip, is_picture
from mmbench.benchmarks.sources.jsonl import is_lines
from mmbench.benchmarks.sources.karpathy import Karpathy
from mmbench.benchmarks.sources.text_bytes import ending
from mmbench.benchmarks.sources.vqa_json import FILES, NUMBERS, QUESTION_LISTS, VqaJson
from mmbench.benchmarks.starting.pictures import called_near
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
_OF_DATASETS = ("dataset_dict.json", "state.json")
_NAMED = 5
_TRIED = 20
"""Questions of which all must have their pictures, where files are looked for."""
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
        return {"kind": "jsonl", "path": str(path)} if is_lines(path) else _document(path)
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
    splits = _splits([folder.name for folder in folders])
    split = next((name for name in splits if _is_asked(path / name)), next(iter(splits), None))
    shards = [*path.glob("*.tar*")] or (split and [*(path / split).glob("*.tar*")])
    if shards:
        return _with_split({"kind": "webdataset", "path": str(path)}, split if shards[0].parent != path else None)
    found = _parquet(path) or _parquet(path / "data")
    if found is not None:
        return found
    if any(table.name in _OF_DATASETS for table in tables):
        raise DataError(
            f"{path} was written by `save_to_disk` of datasets; write each split by `to_parquet` and name that file"
        )
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
    """Return the one to ask of names of splits: the test one, else the validation one."""
    return next(iter(_splits(names)), None)


def _splits(names: Sequence[str]) -> list[str]:
    """Return the names where they are splits, the one to ask first."""
    kinds = {SPLIT_NAMES[name.lower()]: name for name in names if name.lower() in SPLIT_NAMES}
    if not kinds or (len(kinds) == 1 and len(names) > 1):
        return []
    return [kinds[kind] for kind in _PREFERRED if kind in kinds]


def _is_asked(folder: Path) -> bool:
    """Tell whether a folder of a split says what its pictures show: those of a test set may be given alone."""
    held = entries(folder)
    told = (entry.is_dir() or Path(entry.name).stem == _METADATA or ".tar" in entry.name for entry in held)
    return any(told)


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
        if called := _called(path, document):
            return {"kind": "vqa-json", **keys, **called}
        return _with_pictures(VqaJson, {"kind": "vqa-json", **keys})
    if isinstance(document, list):
        return {"kind": "jsonl", **keys}
    raise DataError(
        f"{path.name} is none of the documents that are read: COCO's, Karpathy's splits, questions of VQA, a list of "
        "objects; write its rows as such a list, or as JSON lines"
    )


def _with_pictures(kind: type[Annotations], keys: Keys) -> Keys:
    """Return the keys with the folder of the pictures, where it is another one near the document. Raises DataError."""
    path = Path(keys["path"])
    told = kind.told(kind.Spec.model_validate(keys), path.parent, path)
    folder = next((each for each in _near(path) if holds_pictures(told.cells, each)), path.parent)
    return keys if folder == path.parent else {**keys, "images": str(folder)}


def _called(path: Path, document: Json) -> Keys:
    """Return where the files of pictures are and how they are called that questions name by number alone."""
    asked = _asked(document)[:_TRIED]
    key = next((key for key in NUMBERS if asked and asked[0].get(key) is not None), None)
    if key is None or any(asked[0].get(name) is not None for name in FILES):
        return {}
    numbers = [str(question.get(key)) for question in asked]
    called = {f"{{{key}}}{suffix}": [f"{number}{suffix}" for number in numbers] for suffix in SUFFIXES}
    # As COCO has called its files since 2017.
    called[f"{{{key}:012}}.jpg"] = [f"{number.zfill(12)}.jpg" for number in numbers]
    found = called_near(path.parent, called)
    return {} if found is None else {"images": str(found[0]), "picture": found[1]}


def _near(path: Path) -> list[Path]:
    return [path.parent, *_folders(path.parent), path.parent.parent, *_folders(path.parent.parent)]


def _folders(path: Path) -> list[Path]:
    return [Path(entry.path) for entry in entries(path) if entry.is_dir()]


def _asks_of_pictures(document: Json) -> bool:
    """Tell whether a document is one of questions about pictures, and no plain list of rows, as of clips."""
    first = next(iter(_asked(document)), {})
    return "question" in first and (not isinstance(document, list) or bool(first.keys() & {*FILES, *NUMBERS}))


def _asked(document: Json) -> list[Mapping[str, Json]]:
    """Return the questions of a document that has them in one of the ways of VQA; else nothing, or other records."""
    held = document
    if isinstance(document, Mapping):
        held = next((document[key] for key in QUESTION_LISTS if isinstance(document.get(key), list)), None)
        held = [*document.values()] if held is None else held
    return [each for each in held if isinstance(each, Mapping)] if isinstance(held, list) else []
