"""Data as tools and people leave it: a first task file is written for it, opens, and asks what is there."""

import csv
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mmbench.benchmarks.sources.csv import CsvFile
from mmbench.benchmarks.sources.jsonl import JsonlFile
from mmbench.benchmarks.starting.text import starting_task
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Sample
from tests.benchmarks.sources.test_tsv import BLUE, RED
from tests.builders import fails
from tests.fakes import numbered


def started(path: Path, folder: Path) -> tuple[dict[str, Any], Task, list[Sample]]:
    """Return what is written for the data, the task of it and its samples."""
    text = starting_task(path, folder)
    (folder / "t.yaml").write_text(text, encoding="utf-8")
    task = load_task(folder / "t.yaml")
    samples = [*task.family.samples()]
    for sample in samples:
        for medium in sample.media:
            medium.read()
    return yaml.safe_load(text), task, samples


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    numbered(1).save(path)
    return path


def tsv(path: Path, rows: list[dict[str, Any]], opened: Callable[..., Any] = open) -> Path:
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    return path


# Tables of VLMEvalKit


def test_rotations_of_mmbench_are_groups(tmp_path: Path) -> None:
    options = ["red", "blue", "green"]
    rows = [
        {
            "index": item + turn * 1_000_000,
            "question": f"Which, {item}?",
            **dict(zip("ABC", options[turn:] + options[:turn], strict=True)),
            "answer": "ACB"[turn],
            "image": RED if turn == 0 else str(item),
            "split": "dev",
        }
        for turn in range(3)
        for item in range(2)
    ]
    content, _, samples = started(tsv(tmp_path / "MMBench_DEV_EN.tsv", rows), tmp_path)
    assert content["group"] == {"column": "index", "modulo": 1_000_000} and "facts" not in content
    assert [sample.facts["group"] for sample in samples] == ["0", "1"] * 3
    assert {sample.options[sample.target[0]].label for sample in samples} == {"red"}


def test_options_that_pandas_wrote_as_nan_are_none(tmp_path: Path) -> None:
    rows = [
        {"index": i, "image": RED, "question": "Which?", "A": "x", "B": "y", "C": "nan", "answer": "B"} for i in (0, 1)
    ]
    _, _, samples = started(tsv(tmp_path / "a.tsv", rows), tmp_path)
    assert [[option.label for option in sample.options] for sample in samples] == [["x", "y"]] * 2


def test_several_pictures_in_a_cell(tmp_path: Path) -> None:
    rows = [
        {"index": i, "image": str([RED, BLUE]), "question": "Which?", "A": "x", "B": "y", "answer": "A"} for i in (0, 1)
    ]
    content, _, samples = started(tsv(tmp_path / "a.tsv", rows), tmp_path)
    assert content["fields"]["image"] == "image" and [len(sample.media) for sample in samples] == [2, 2]


# Packed tables and lists


@pytest.mark.parametrize("name", ["a.tsv.gz", "a.csv.gz", "a.jsonl.gz", "a.json.gz", "a.json"])
def test_packed_tables_and_one_list(name: str, tmp_path: Path) -> None:
    rows = [{"image": picture(tmp_path / f"{i}.png").name, "label": "ab"[i % 2]} for i in range(4)]
    mark = "\t" if ".tsv" in name else ","
    text = {
        "jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "json": json.dumps(rows),
    }.get(name.split(".")[1], "\n".join([mark.join(rows[0]), *(mark.join(row.values()) for row in rows)]))
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "wt", encoding="utf-8") as file:
        file.write(text)
    _, task, samples = started(tmp_path / name, tmp_path)
    assert task.family.name == "zero-shot-classification"
    assert [sample.target for sample in samples] == [(0,), (1,), (0,), (1,)]


def test_what_is_packed_badly_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(b"image,label\n" * 1000)
    (tmp_path / "cut.csv.gz").write_bytes(whole[:-20])
    fails(lambda: CsvFile(tmp_path / "cut.csv.gz", None), "cut.csv.gz cannot be unpacked", "fetch it again")
    (tmp_path / "plain.jsonl.gz").write_bytes(b"{}\n")
    fails(lambda: JsonlFile(tmp_path / "plain.jsonl.gz", None), "plain.jsonl.gz cannot be unpacked")
    (tmp_path / "odd.json").write_text("[1, 2]")
    fails(lambda: JsonlFile(tmp_path / "odd.json", None), "neither JSON lines nor a list of objects")


# Folders of pictures with a table of them, and documents beside folders


@pytest.mark.parametrize("inner", [".", "test"])
def test_metadata_beside_pictures(inner: str, tmp_path: Path) -> None:
    folder = tmp_path / "set" / inner
    for i in range(3):
        picture(folder / "images" / f"{i}.png")
    rows = "".join(f"images/{i}.png,A picture of thing {i}\n" for i in range(3))
    (folder / "metadata.csv").write_text(f"file_name,text\n{rows}")
    (tmp_path / "set" / "notes.csv").write_text("x\n1\n") if inner == "." else None
    content, task, samples = started(tmp_path / "set", tmp_path)
    assert (task.family.name, len(samples)) == ("retrieval", 3) and content["source"]["kind"] == "csv"


def coco(folder: Path) -> Path:
    images = [{"id": i, "file_name": f"bild_ü{i}.png"} for i in range(2)]
    for image in images:
        picture(folder / "val2017" / str(image["file_name"]))
    objects = [
        {"id": i, "image_id": i // 2, "category_id": 1 + i % 2, "bbox": [0, 0, 2, 2], "iscrowd": i % 2}
        for i in range(4)
    ]
    names = [{"id": 1, "name": "Straßenbahn"}, {"id": 2, "name": "犬"}]
    captions = [{"id": i, "image_id": i % 2, "caption": f"Ein Café, {i}"} for i in range(4)]
    (folder / "annotations").mkdir()
    for name, document in (
        ("instances", {"images": images, "annotations": objects, "categories": names}),
        ("captions", {"images": images, "annotations": captions}),
    ):
        (folder / "annotations" / f"{name}_val2017.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return folder


def test_documents_of_coco_know_their_pictures(tmp_path: Path) -> None:
    folder = coco(tmp_path / "coco")
    content, task, samples = started(folder / "annotations" / "captions_val2017.json", tmp_path)
    assert content["source"]["images"] == "coco/val2017" and len(samples[0].references) == 2
    _, task, samples = started(folder / "annotations" / "instances_val2017.json", tmp_path)
    assert [sample.target for sample in samples] == [(0, 1), (0, 1)] and task.family.name == "zero-shot-classification"
    said = fails(lambda: starting_task(folder, tmp_path), "holds 2 tables", "annotations/captions_val2017.json")
    assert said.endswith("name one of them")


def test_questions_of_vqa_know_answers_and_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "vqa"
    asked = [{"image_id": 7, "question": f"What, {i}?", "question_id": i} for i in range(2)]
    sure = ("yes", "maybe", "no")
    answers = [{"answer": "two", "answer_confidence": sure[i % 3], "answer_id": i} for i in range(10)]
    told = [{"question_id": i, "image_id": 7, "answers": answers, "answer_type": "number"} for i in range(2)]
    picture(folder / "val2014" / "COCO_val2014_000000000007.jpg")
    of = {"data_type": "mscoco", "data_subtype": "val2014"}
    (folder / "v2_OpenEnded_mscoco_val2014_questions.json").write_text(json.dumps({**of, "questions": asked}))
    (folder / "v2_mscoco_val2014_annotations.json").write_text(json.dumps({**of, "annotations": told}))
    for path in (folder, folder / "v2_OpenEnded_mscoco_val2014_questions.json"):
        content, task, samples = started(path, tmp_path)
        assert content["source"]["annotations"] == "vqa/v2_mscoco_val2014_annotations.json"
        assert (task.family.metrics[0].name, samples[0].references) == ("vqa_accuracy", ("two",) * 10)


# Parquet


def test_lists_of_pictures_and_letters_in_parquet(tmp_path: Path) -> None:
    held = {"bytes": picture(tmp_path / "1.png").read_bytes(), "path": None}
    rows = {
        "images": [[held, held]] * 2,
        "question": ["<image 1>?"] * 2,
        "options": [["x", "y"]] * 2,
        "answer": ["A", "B"],
    }
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    content, _, samples = started(tmp_path / "a.parquet", tmp_path)
    assert content["target_as"] == "letter" and [sample.target for sample in samples] == [(0,), (1,)]
    assert [len(sample.media) for sample in samples] == [2, 2]


def test_pictures_by_path_large_and_dictionary_columns(tmp_path: Path) -> None:
    name = picture(tmp_path / "1.png").name
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    by_path = pa.array([{"bytes": None, "path": name}] * 2, kind)
    large = pa.array([(tmp_path / "1.png").read_bytes()] * 2, pa.large_binary())
    for column in (by_path, large):
        labels = pa.array(["cat", "dog"]).dictionary_encode()
        pq.write_table(pa.table({"image": column, "label": labels}), tmp_path / "a.parquet")
        _, _, samples = started(tmp_path / "a.parquet", tmp_path)
        assert [sample.target for sample in samples] == [(0,), (1,)]


# Four commands


def own_pictures(folder: Path) -> Path:
    for number, name in enumerate(["cat", "dog"] * 3):
        numbered(number).save(picture(folder / "pets" / name / f"{number}.png"))
    return folder / "pets"


def of_vlmevalkit(folder: Path) -> Path:
    own = {"question": "Which?", "A": "x", "B": "y", "answer": "A"}
    rows = [{"index": i, "image": shown, **own} for i, shown in enumerate((RED, BLUE))]
    return tsv(folder / "Some_DEV.tsv", rows)


def of_clip_benchmark(folder: Path) -> Path:
    """Shards as `clip_benchmark` exports them: a folder a split, names and templates above, no line end at the last."""
    root = folder / "wds_pets"
    (root / "test").mkdir(parents=True)
    (root / "classnames.txt").write_text("cat\ndog")
    (root / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\na blurry {c}.")
    (root / "test" / "nshards.txt").write_text("1")
    with tarfile.open(root / "test" / "0.tar", "w") as shard:
        for number in range(4):
            numbered(number).save(encoded := io.BytesIO(), "WEBP", lossless=True)
            for ending, held in (("cls", str(number % 2).encode()), ("webp", encoded.getvalue())):
                member = tarfile.TarInfo(f"s{number:07d}.{ending}")
                member.size = len(held)
                shard.addfile(member, io.BytesIO(held))
    return root


@pytest.mark.parametrize("make", [own_pictures, of_vlmevalkit, of_clip_benchmark])
def test_from_data_to_a_report(
    make: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., tuple[int, str, str]],
) -> None:
    data = make(tmp_path)
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ["init", str(data), "--to", "mine.yaml"],
        ["validate", "mine.yaml"],
        ["run", "--model", "chance", "--task", "mine.yaml"],
        ["report"],
    ):
        code, told, wrong = command(*arguments)
        assert code == 0, told + wrong
    assert "chance" in Path("report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "row", "wanted"),
    [
        (  # MVBench, with the part of the clip that a question is about
            "mvbench.json",
            {"video": "a.mp4", "candidates": ["up", "down"], "question": "Q?", "answer": "up", "start": 0.5, "end": 2},
            {"video": "video", "options": "candidates", "target": "answer", "start": "start", "end": "end"},
        ),
        (  # Video-MME
            "videomme.json",
            {"video_id": "001", "videoID": "a", "question": "Q?", "options": ["A. x", "B. y"], "answer": "B"},
            {"video": "videoID", "options": "options", "target": "answer", "target_as": "letter"},
        ),
        (  # NExT-QA
            "nextqa.csv",
            {"video": "4010069381", "question": "Q?", "answer": "0", "qid": "6", "a0": "x", "a1": "1", "a2": "y"},
            {"video": "video", "options": ["a0", "a1", "a2"], "target": "answer", "target_as": "index"},
        ),
        (  # EgoSchema
            "egoschema.json",
            {"q_uid": "a", "question": "Q?", "option 0": "x", "option 1": "y", "label": 1},
            {"video": "q_uid", "options": ["option 0", "option 1"], "target": "label"},
        ),
        (  # answers of several people are no options
            "vqa.json",
            {"video": "a.mp4", "question": "Q?", "answer": "dog", "answer_0": "dog", "answer_1": "cat"},
            {"video": "video", "answers": "answer"},
        ),
        (  # numbers as options
            "numbers.json",
            {"video": "a.mp4", "question": "Q?", "A": 3, "B": 4, "answer": "B"},
            {"video": "video", "options": ["A", "B"], "target": "answer", "target_as": "letter"},
        ),
        (  # MSRVTT-QA
            "msrvtt.json",
            {"question": "Q?", "video_id": "a", "answer": "dog"},
            {"video": "video_id", "answers": "answer"},
        ),
    ],
)
def test_questions_about_clips(name: str, row: dict[str, Any], wanted: dict[str, Any], tmp_path: Path) -> None:
    for clip in ("a.mp4", "4010069381.mp4"):
        (tmp_path / clip).write_bytes(b"")
    lines = [",".join(row), ",".join(map(str, row.values()))]
    (tmp_path / name).write_text("\n".join(lines) if name.endswith("csv") else json.dumps([row]))
    made = yaml.safe_load(starting_task(tmp_path / name, tmp_path))
    assert {**made["fields"], **({"target_as": made["target_as"]} if "target_as" in made else {})} == {
        "question": "question",
        **wanted,
    }
