"""Documents of COCO, Karpathy and VQA, laid out as their publishers do, give the rows that they tell of."""

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

import mmbench
from mmbench.benchmarks.sources.coco import Coco
from mmbench.benchmarks.sources.karpathy import Karpathy, KarpathySpec
from mmbench.benchmarks.sources.vqa_json import VqaJson
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Source

NAMES = ["COCO_val2014_000000000042.jpg", "COCO_val2014_000000458752.jpg"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as COCO is unpacked: `val2014` beside `annotations`."""
    for place, name in enumerate(NAMES):
        (tmp_path / "val2014").mkdir(exist_ok=True)
        PIL.Image.new("RGB", (64, 48), (200 * place, 90, 30)).save(tmp_path / "val2014" / name)
    (tmp_path / "annotations").mkdir()
    return tmp_path


def put(folder: Path, name: str, document: Any) -> str:
    (folder / "annotations" / name).write_text(json.dumps(document), encoding="utf-8")
    return f"annotations/{name}"


def opened(kind: type[Any], folder: Path, document: Any, split: str | None = None, **keys: Any) -> Source:
    path = put(folder, "data.json", document)
    spec = kind.Spec(kind=kind.kind, path=path, images=keys.pop("images", "val2014"), **keys)
    made: Source = kind.open(spec, folder, split)
    return made


def cells(source: Source) -> list[dict[str, Any]]:
    rows = [dict(row.cells) for row in source]
    assert rows == [dict(row.cells) for row in source]
    assert len(rows) == len(source)
    return rows


IMAGES = [
    {"id": 42, "file_name": NAMES[0], "width": 64, "height": 48, "license": 3},
    {"id": 458752, "file_name": NAMES[1], "width": 64, "height": 48, "license": 1},
]
CATEGORIES = [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 1, "name": "person"}]


def test_captions_of_coco(folder: Path) -> None:
    written = [
        {"image_id": 458752, "id": 1, "caption": "A dog on a lawn."},
        {"image_id": 42, "id": 2, "caption": "Two people\n"},
        {"image_id": 458752, "id": 3, "caption": "A brown dog"},
    ]
    first, second = cells(opened(Coco, folder, {"info": {}, "images": IMAGES, "annotations": written}))
    assert (first["id"], first["image"], first["captions"]) == ("42", NAMES[0], ["Two people\n"])
    assert second["captions"] == ["A dog on a lawn.", "A brown dog"]
    assert (second["width"], second["license"]) == (64, 1)


def test_instances_of_coco(folder: Path) -> None:
    written = [
        {"image_id": 42, "id": 1, "category_id": 1, "bbox": [10.5, 5, 20, 8], "area": 100.5, "iscrowd": 0},
        {"image_id": 42, "id": 2, "category_id": 18, "bbox": [0, 0, 64, 48], "area": 9, "iscrowd": 1},
        {"image_id": 42, "id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0},
    ]
    source = opened(Coco, folder, {"images": IMAGES, "annotations": written, "categories": CATEGORIES})
    first, second = cells(source)
    assert source.class_names("labels") == ("dog", "person")
    assert source.class_names("id") is None
    assert first["labels"] == ["dog", "person"]
    assert first["objects"][0] == {"label": "person", "box": [10.5, 5.0, 30.5, 13.0], "area": 100.5, "crowd": False}
    assert [each["crowd"] for each in first["objects"]] == [False, True, False]
    assert (second["labels"], second["objects"]) == ([], [])


def test_a_picture_of_lvis_is_named_by_its_address(folder: Path) -> None:
    image = {"id": 42, "coco_url": f"http://images.cocodataset.org/val2014/{NAMES[0]}"}
    (only,) = cells(opened(Coco, folder, {"images": [image], "annotations": [], "categories": CATEGORIES}))
    assert only["image"] == NAMES[0]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "data.json has no list 'images', expected pictures as COCO lists them"),
        ({"image": IMAGES, "annotations": []}, "has no list 'images'.*did you mean 'image'"),
        ({"images": [*IMAGES, IMAGES[0]], "annotations": []}, "two have the id 42"),
        ({"images": [1], "annotations": []}, "'images' 0 is 1, expected an object"),
        ({"images": IMAGES, "annotations": [{"image_id": 7, "caption": "x"}]}, "annotation 0 is of the picture 7"),
        ({"images": IMAGES, "annotations": [{"image_id": 42}]}, "neither a 'caption' nor a 'category_id'"),
        ({"images": IMAGES, "annotations": [{"image_id": 42, "category_id": 5}]}, "of the category 5, which"),
        (
            {
                "images": IMAGES,
                "categories": CATEGORIES,
                "annotations": [{"image_id": 42, "category_id": 1, "bbox": [1, 2, 3]}],
            },
            r"the box \[1, 2, 3\], expected \[x, y, width, height\]",
        ),
        (
            {"images": IMAGES, "annotations": [], "categories": [*CATEGORIES, {"id": 2, "name": "dog"}]},
            "two categories are called 'dog'",
        ),
        ({"images": [{"id": 1, "file_name": "other.jpg"}], "annotations": []}, "has no picture 'other.jpg'; name"),
        ({"images": [{"id": 1, "file_name": "x" * 5000}], "annotations": []}, "name the folder of the pictures as"),
        ({"images": [], "annotations": []}, "has no rows"),
    ],
)
def test_what_coco_does_not_write_is_named(folder: Path, document: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        opened(Coco, folder, document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "line 1 is not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"images": NaN}', "NaN is no JSON number"),
        (b'"\xff"', "is not UTF-8 text"),
    ],
)
def test_what_is_no_document_is_refused(folder: Path, text: bytes, message: str) -> None:
    (folder / "annotations" / "bad.json").write_bytes(text)
    spec = Coco.Spec(kind="coco", path="annotations/bad.json", images="val2014")
    with pytest.raises(DataError, match=message):
        Coco.open(spec, folder, None)


def test_the_folder_of_the_pictures_is_that_of_the_document_or_is_named(folder: Path) -> None:
    document = {"images": IMAGES, "annotations": []}
    with pytest.raises(DataError, match=r"annotations has no picture 'COCO_val2014_0.*name the folder"):
        opened(Coco, folder, document, images=None)
    with pytest.raises(DataError, match="val2015 is no folder; name that of the pictures as `images`"):
        opened(Coco, folder, document, images="val2015")
    put(folder, "beside.json", document)
    (folder / "annotations" / "beside.json").rename(folder / "val2014" / "beside.json")
    assert len(Coco.open(Coco.Spec(kind="coco", path="val2014/beside.json"), folder, None)) == 2


def karpathy() -> dict[str, Any]:
    def image(place: int, split: str, captions: int) -> dict[str, Any]:
        said = [
            {"tokens": ["a", "dog"], "raw": f"A dog, {n}.", "imgid": place, "sentid": 10 * place + n}
            for n in range(captions)
        ]
        return {
            "filepath": "val2014",
            "sentids": [each["sentid"] for each in said],
            "filename": NAMES[place],
            "imgid": place,
            "split": split,
            "sentences": said,
            "cocoid": [42, 458752][place],
        }

    return {"images": [image(0, "restval", 5), image(1, "test", 6)], "dataset": "coco"}


def test_splits_of_karpathy(folder: Path) -> None:
    source = opened(Karpathy, folder, karpathy(), images=".")
    assert [row["split"] for row in cells(source)] == ["restval", "test"]
    (only,) = cells(opened(Karpathy, folder, karpathy(), "test", images="."))
    assert (only["id"], only["image"]) == ("458752", f"val2014/{NAMES[1]}")
    assert only["captions"] == [f"A dog, {n}." for n in range(6)]
    (five,) = cells(opened(Karpathy, folder, karpathy(), "test", images=".", most_captions=5))
    assert five["captions"] == only["captions"][:5]
    with pytest.raises(DataError, match="has no row of split 'val', only of 'restval', 'test'"):
        opened(Karpathy, folder, karpathy(), "val", images=".")
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        KarpathySpec(kind="karpathy", path="x", most_captions=0)


def test_flickr_of_karpathy_has_neither_folder_nor_number_of_coco(folder: Path) -> None:
    document = karpathy()
    for image in document["images"]:
        del image["filepath"], image["cocoid"]
    assert [(row["id"], row["image"]) for row in cells(opened(Karpathy, folder, document))] == [
        ("0", NAMES[0]),
        ("1", NAMES[1]),
    ]


QUESTIONS = {
    "data_type": "mscoco",
    "data_subtype": "val2014",
    "task_type": "Open-Ended",
    "questions": [
        {"image_id": 458752, "question": "What is this?", "question_id": 458752000},
        {"image_id": 42, "question": "How many?", "question_id": 42001},
    ],
}


def answers(question: int, *said: str) -> dict[str, Any]:
    given = [{"answer": text, "answer_confidence": "yes", "answer_id": n} for n, text in enumerate(said, 1)]
    return {"question_id": question, "image_id": question // 1000, "answers": given, "answer_type": "other"}


def test_questions_and_answers_of_vqa(folder: Path) -> None:
    found = [answers(42001, "2", "two"), answers(458752000, *["dog"] * 10), answers(1, "unasked")]
    path = put(folder, "answers.json", {"annotations": found})
    first, second = cells(opened(VqaJson, folder, QUESTIONS, annotations=path))
    assert (first["id"], first["image"], first["question"]) == ("458752000", NAMES[1], "What is this?")
    assert first["answers"] == ["dog"] * 10
    assert (second["image"], second["answers"], second["answer_type"]) == (NAMES[0], ["2", "two"], "other")
    path = put(folder, "answers.json", {"annotations": found[:1]})
    with pytest.raises(DataError, match="item 0: the annotations have no answer to question 458752000"):
        opened(VqaJson, folder, QUESTIONS, annotations=path)
    path = put(folder, "answers.json", {"annotations": [*found, found[0]]})
    with pytest.raises(DataError, match="two have the question_id 42001"):
        opened(VqaJson, folder, QUESTIONS, annotations=path)


@pytest.mark.parametrize("key", ["image_id", "question"])
def test_two_files_that_disagree_are_refused(folder: Path, key: str) -> None:
    asked = {"question_id": 70, "image_id": 7, "question": "What is it?"}
    path = put(folder, "a.json", {"annotations": [{**answers(70, "dog"), "image_id": "7", key: "other"}]})
    with pytest.raises(DataError, match=rf"item 0 has the {key} .*, and its answer in the annotations 'other'"):
        opened(VqaJson, folder, {"questions": [asked]}, annotations=path, picture="7.jpg")


def test_pictures_of_test_dev_are_those_of_test(folder: Path) -> None:
    (folder / "val2014" / NAMES[0]).rename(folder / "val2014" / "COCO_test2015_000000000042.jpg")
    asked = {**QUESTIONS, "data_subtype": "test-dev2015", "questions": QUESTIONS["questions"][1:]}  # type: ignore[index]
    (only,) = cells(opened(VqaJson, folder, asked))
    assert only["image"] == "COCO_test2015_000000000042.jpg"
    assert "answers" not in only


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        # VizWiz: a list; pictures by name, answers as records.
        ([{"image": NAMES[0], "question": "What?", "answers": [{"answer": "a cup"}], "answerable": 1}], {}),
        # TextVQA: `data`; pictures by number, answers as texts.
        (
            {"data": [{"question": "What?", "image_id": NAMES[0][:-4], "answers": ["a cup"], "question_id": 0}]},
            {"picture": "{image_id}.jpg"},
        ),
        # DocVQA: `data`; `questionId`.
        ({"data": [{"questionId": 0, "question": "What?", "image": NAMES[0], "answers": ["a cup"]}]}, {}),
        # GQA: a mapping; one answer.
        ({"0": {"imageId": NAMES[0][:-4], "question": "What?", "answer": "a cup"}}, {"picture": "{imageId}.jpg"}),
    ],
)
def test_kin_of_vqa(folder: Path, document: Any, keys: dict[str, str]) -> None:
    (only,) = cells(opened(VqaJson, folder, document, **keys))
    assert (only["id"], only["image"], only["question"], only["answers"]) == ("0", NAMES[0], "What?", ["a cup"])


@pytest.mark.parametrize(
    ("question", "keys", "message"),
    [
        ({"image_id": 42}, {}, "names its picture by 42 alone; say in `source` how files are called"),
        ({}, {}, "names no picture, expected a column 'image' or 'image_id'"),
        ({"image_id": 42}, {"picture": "{number}.jpg"}, "has no 'number' for the name of its picture"),
        ({"image": "a", "answers": [{"said": "x"}]}, {}, "expected texts or records with an 'answer'"),
    ],
)
def test_a_question_that_does_not_tell_is_named(
    folder: Path, question: dict[str, Any], keys: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        opened(VqaJson, folder, [{"question": "What?", **question}], **keys)


def test_no_questions(folder: Path) -> None:
    with pytest.raises(DataError, match="has no list 'questions', expected questions as VQA lists them"):
        opened(VqaJson, folder, {"annotations": []})


def test_tasks_over_documents_run(folder: Path) -> None:
    put(folder, "karpathy.json", karpathy())
    put(folder, "questions.json", QUESTIONS)
    put(folder, "answers.json", {"annotations": [answers(42001, "2"), answers(458752000, "dog")]})
    tasks = {
        "found": "family: retrieval\nsource: {kind: karpathy, path: annotations/karpathy.json, images: ., "
        "split: test}\nfields: {image: image, captions: captions}\n",
        "asked": "family: vqa\nsource: {kind: vqa-json, path: annotations/questions.json, images: val2014, "
        "annotations: annotations/answers.json}\nfields: {image: image, question: question, answers: answers}\n"
        "facts: [answer_type]\n",
    }
    for name, text in tasks.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\nversion: 1\n{text}")
    made = mmbench.run(
        "chance",
        task=[folder / f"{name}.yaml" for name in tasks],
        output=folder / "results",
        store=folder / "store.sqlite",
    )
    assert not made.problems
    frame = made.table()
    assert set(frame["task"]) == set(tasks)
