"""Questions as VQAv2 and its kin write them: OK-VQA, VizWiz, TextVQA, DocVQA, InfoVQA, ST-VQA, GQA."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from mmbench.benchmarks.sources.annotations import (
    Annotations,
    AnnotationsSpec,
    Told,
    by_key,
    read_document,
    records,
)
from mmbench.benchmarks.sources.cells import data_file, shown
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Cell, PathSpec

QUESTION_LISTS = ("questions", "data")
"""Keys of a document under which its questions stand."""

_IDS = ("question_id", "questionId", "qid", "id")
FILES = ("image", "image_path", "file_name", "filename")
"""Keys under which a question names the file of its picture."""
NUMBERS = ("image_id", "imageId")
"""Keys under which it names its picture alone."""
_ANSWERS = ("answers", "answer")
_HOLE = re.compile(r"\{(\w+)(?::0?(\d{1,2}))?\}")


class VqaJsonSpec(AnnotationsSpec):
    """The keys of a source of questions."""

    annotations: str | None = None
    """File with the answers, relative to the task file, where they are not beside the questions."""
    picture: str | None = None
    """File name of a picture with columns in braces, `COCO_val2014_{image_id:012}.jpg`; needed where the questions name
    pictures by number alone and do not say that they are COCO's."""


class VqaJson(Annotations):
    """A row for each question, in the order of the document, which is a list, or has one in `questions` or `data`.

    Columns: `id`, `image`, `question`, `answers` (a list of texts), and what else the files say of the question: those
    of GQA, a mapping of ids to questions, are read too.
    """

    Spec: ClassVar[type[AnnotationsSpec]] = VqaJsonSpec
    kind: ClassVar[str] = "vqa-json"

    @classmethod
    def told(cls, spec: VqaJsonSpec, base: Path, file: Path) -> Told:
        """Read questions and answers. Raises DataError."""
        document = read_document(file)
        asked = _questions(document, file)
        answers = _answers(spec, base)
        pattern = spec.picture or _coco_pattern(document)
        cells: list[Mapping[str, Cell]] = []
        for number, question in enumerate(asked):
            where = f"{file.name} item {number}"
            name = _first(question, _IDS)
            made: dict[str, Cell] = {**question, "id": str(number if name is None else name)}
            if answers is not None:
                if made["id"] not in answers:
                    raise DataError(f"{where}: the annotations have no answer to question {made['id']}")
                told = answers[made["id"]]
                _check_alike(question, told, where)
                made = {**told, **made}
            given = _first(made, _ANSWERS)
            if given is not None:
                made["answers"] = _texts(given, where)
            made["image"] = _picture(made, pattern, where)
            cells.append(made)
        return Told(cells)


def _questions(document: Json, file: Path) -> Sequence[Mapping[str, Json]]:
    if isinstance(document, Mapping):
        key = next((key for key in QUESTION_LISTS if isinstance(document.get(key), list)), None)
        if key is not None:
            return records(document, key, file, "questions")
        if document and all(isinstance(each, Mapping) and "question" in each for each in document.values()):
            return [{"question_id": name, **each} for name, each in document.items() if isinstance(each, Mapping)]
    held = {"questions": document} if isinstance(document, list) else document
    return records(held, "questions", file, "questions as VQA lists them")


def _answers(spec: VqaJsonSpec, base: Path) -> dict[str, Mapping[str, Json]] | None:
    if spec.annotations is None:
        return None
    path = PathSpec(kind=spec.kind, path=spec.annotations).located(base)
    file = data_file(path, spec.kind)
    found = records(read_document(file), "annotations", file, "answers as VQA lists them")
    return by_key(found, "question_id", f"{file.name}: annotation")


def _check_alike(question: Mapping[str, Json], told: Mapping[str, Json], where: str) -> None:
    """Raise DataError where the two files say different things of one question, as of its picture."""
    for key in question.keys() & told.keys():
        one, other = question[key], told[key]
        if str(one) != str(other):
            raise DataError(
                f"{where} has the {key} {shown(one)}, and its answer in the annotations {shown(other)}; "
                "take the two files of one data set"
            )


def _first(record: Mapping[str, Json], keys: Sequence[str]) -> Json:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _texts(given: Json, where: str) -> list[Cell]:
    """Return the answers of a question: texts, or what records have as `answer`."""
    if not isinstance(given, list):
        return [given]
    made = [each.get("answer") if isinstance(each, Mapping) else each for each in given]
    if None in made:
        raise DataError(f"{where}: the answers are {shown(given)}, expected texts or records with an 'answer'")
    return made


def _coco_pattern(document: Json) -> str | None:
    """Return how files of COCO are called where the questions say that they are of it (VQA API, `vqaDemo.py`)."""
    said = document if isinstance(document, Mapping) else {}
    if said.get("data_type") != "mscoco" or not isinstance(said.get("data_subtype"), str):
        return None
    subset = str(said["data_subtype"]).replace("test-dev", "test")  # its pictures are a part of those of test
    return f"COCO_{subset}_{{image_id:012}}.jpg"


def _picture(cells: Mapping[str, Cell], pattern: str | None, where: str) -> str:
    """Return the path of a question's picture within the folder. Raises DataError where it is not told."""
    if pattern is not None:
        return _HOLE.sub(lambda hole: _filled(hole, cells, where), pattern)
    named = _first(cells, FILES)
    if isinstance(named, str):
        return named
    number = _first(cells, NUMBERS)
    if number is None:
        raise DataError(f"{where} names no picture, expected a column 'image' or 'image_id'")
    raise DataError(
        f"{where} names its picture by {shown(number)} alone; say in `source` how files are called, such as "
        "`picture: 'COCO_val2014_{image_id:012}.jpg'` or `picture: '{image_id}.jpg'`"
    )


def _filled(hole: re.Match[str], cells: Mapping[str, Cell], where: str) -> str:
    held = cells.get(hole[1])
    if held is None or isinstance(held, list | Mapping):
        raise DataError(f"{where} has no '{hole[1]}' for the name of its picture")
    return str(held).zfill(int(hole[2] or 0))
