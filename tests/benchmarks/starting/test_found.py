"""What `init` finds in data as people have it: pictures that a table names in part, records, shards that disagree."""

import io
import json
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mmbench.benchmarks.sources.parquet import ParquetFile
from mmbench.benchmarks.starting.text import starting_task
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails


def put(folder: Path, *names: str) -> None:
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (6, 5), (place * 40, 0, 0)).save(folder / name)


def started(data: Path, folder: Path) -> tuple[dict[str, Any], str]:
    text = starting_task(data, folder)
    (folder / "t.yaml").write_text(text, encoding="utf-8")
    return yaml.safe_load(text), text


def opens(folder: Path) -> int:
    """Return how many items of the task have a picture that can be read."""
    return sum(bool(sample.media[0].pil()) for sample in load_task(folder / "t.yaml").family.samples())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("column", "cells", "files", "pattern"),
    [
        ("image", ["a.png", "b.png"], ["images/a.png", "images/b.png"], "images/{image}"),
        ("image_id", ["a", "b"], ["train/a.jpg", "train/b.jpg"], "train/{image_id}.jpg"),
        ("id", ["1", "2"], ["1.png", "2.png"], "{id}.png"),
        ("imgname", ["a.png", "b.png"], ["png/a.png", "png/b.png"], "png/{imgname}"),
        ("image", ["x/a.png", "x/b.png"], ["../pics/x/a.png", "../pics/x/b.png"], "../pics/{image}"),
    ],
)
def test_files_near_a_table_are_found(
    tmp_path: Path, column: str, cells: list[str], files: list[str], pattern: str
) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    put(folder, *files)
    rows = "".join(f"{cell},{label}\n" for cell, label in zip(cells, ("cat", "dog"), strict=True))
    (folder / "d.csv").write_text(f"{column},label\n{rows}")
    told, text = started(folder / "d.csv", folder)
    assert told["source"]["texts"] == {"picture": pattern}
    assert told["fields"] == {"image": "picture", "label": "label"}
    assert f"# To look at: pictures are taken from files near the data, {pattern}." in text
    assert opens(folder) == 2


def test_files_of_one_name_in_several_folders_are_not_chosen_from(tmp_path: Path) -> None:
    put(tmp_path, "a/7.jpg", "b/7.jpg")
    (tmp_path / "d.csv").write_text("id,label\n7,cat\n")
    assert "no column holds pictures that can be read" in started(tmp_path / "d.csv", tmp_path)[1]


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("image", "gone.png", "gone.png: No such file"),
        ("image", "https://a.org/1.png", "is an address, and nothing is fetched"),
        ("url", "https://a.org/1.png", "is an address, and nothing is fetched"),
        ("image", "broken.png", "not a readable picture (it is a web page"),
    ],
)
def test_why_a_column_is_not_read_is_said(tmp_path: Path, column: str, cell: str, why: str) -> None:
    (tmp_path / "broken.png").write_text("<html></html>")
    (tmp_path / "d.csv").write_text(f"{column},label\n{cell},cat\n{cell},dog\n")
    told, text = started(tmp_path / "d.csv", tmp_path)
    (doubt,) = [line for line in text.splitlines() if line.startswith("# To look at")]
    assert doubt.startswith("# To look at: no column holds pictures that can be read (") and why in doubt
    assert told["fields"].get("image") == (column if column == "image" else None)


def test_one_broken_picture_does_not_hide_a_column(tmp_path: Path) -> None:
    put(tmp_path, "cat/b.png", "dog/c.png")
    (tmp_path / "cat" / "a.png").write_bytes(b"")
    assert "To look at" not in started(tmp_path, tmp_path)[1]


@pytest.mark.parametrize(("key", "name"), [("image_id", "0054c9.jpg"), ("imageId", "n1.png"), ("image_id", None)])
def test_questions_that_name_pictures_alone(tmp_path: Path, key: str, name: str | None) -> None:
    number: Any = 7 if name is None else name[:-4]
    put(tmp_path, f"images/{name or '000000000007.jpg'}")
    asked = {key: number, "question": "?", "answers": ["a"], "question_id": 1}
    (tmp_path / "val.json").write_text(json.dumps({"data": [asked]}))
    told, _ = started(tmp_path / "val.json", tmp_path)
    expected = f"{{{key}:012}}.jpg" if name is None else f"{{{key}}}{name[-4:]}"
    assert (told["source"]["picture"], told["source"]["images"]) == (expected, "images")
    assert opens(tmp_path) == 1


def test_a_split_whose_pictures_have_no_class_is_not_asked(tmp_path: Path) -> None:
    put(tmp_path, "set/train/cat/1.png", "set/train/dog/1.png", "set/test/1.png")
    assert started(tmp_path / "set", tmp_path)[0]["source"]["split"] == "train"
    put(tmp_path, "set/val/cat/1.png", "set/val/dog/1.png")
    assert started(tmp_path / "set", tmp_path)[0]["source"]["split"] == "val"


@pytest.mark.parametrize(
    ("header", "rows", "label"),
    [
        ("image,label,label_name", ["1.png,0,cat", "2.png,1,dog"], "label_name"),
        ("image,label,label_source", ["1.png,0,human", "2.png,1,human"], "label"),
        ("image,red,green,colour", ["1.png,1,0,r", "2.png,0,1,g", "1.png,1,0,r", "2.png,0,1,g"], "colour"),
    ],
)
def test_the_label_is_what_a_model_can_read(tmp_path: Path, header: str, rows: list[str], label: str) -> None:
    put(tmp_path, "1.png", "2.png")
    (tmp_path / "d.csv").write_text("\n".join([header, *rows]))
    told, text = started(tmp_path / "d.csv", tmp_path)
    assert told["fields"]["label"] == label
    assert ("classes.txt" in text) == (label == "label")


def test_a_json_file_of_json_lines_and_a_folder_by_its_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    put(tmp_path / "set", "1.png")
    row = json.dumps({"image": "1.png", "label": "cat"})
    (tmp_path / "set" / "d.json").write_text(f"{row}\n{row}\n")
    monkeypatch.chdir(tmp_path / "set")
    told, _ = started(Path(), tmp_path / "set")
    assert (told["source"], told["name"]) == ({"kind": "jsonl", "path": "d.json"}, "set")


def parquet(path: Path, rows: list[dict[str, Any]], names: list[str] | None = None) -> Path:
    path.parent.mkdir(exist_ok=True)
    held = [{"image": {"bytes": encoded(place), "path": None}, **row} for place, row in enumerate(rows)]
    table = pa.Table.from_pylist(held)
    if names is not None:
        feature = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(feature)})
    pq.write_table(table, path)
    return path


def encoded(place: int) -> bytes:
    held = io.BytesIO()
    PIL.Image.new("RGB", (6, 5), (place * 40, 0, 0)).save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize(
    ("row", "field", "column"),
    [
        ({"answers": [{"answer": "a", "answer_id": 1}]}, "answers", "answers.answer"),
        ({"answers": {"text": ["a"], "start": [0]}}, "answers", "answers.text"),
        ({"choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answer": "B"}, "options", "choices.text"),
    ],
)
def test_parts_of_records_are_named(tmp_path: Path, row: dict[str, Any], field: str, column: str) -> None:
    told, _ = started(parquet(tmp_path / "d.parquet", [{"question": "?", **row}] * 2), tmp_path)
    assert told["fields"][field] == column
    assert opens(tmp_path) == 2


def test_numbered_pictures_are_all_shown(tmp_path: Path) -> None:
    rows = [{"question": "?", "options": "['a', 'b']", "answer": "A", "image_2": None} for _ in range(2)]
    table = pq.read_table(parquet(tmp_path / "d.parquet", rows)).rename_columns({"image": "image_1"})
    pq.write_table(table, tmp_path / "d.parquet")
    told, _ = started(tmp_path / "d.parquet", tmp_path)
    assert (told["family"], told["fields"]["image"]) == ("multiple-choice", ["image_1", "image_2"])
    assert opens(tmp_path) == 2


def test_shards_that_name_labels_otherwise_or_are_missing_are_refused(tmp_path: Path) -> None:
    first = tmp_path / "d" / "test-00000-of-00002.parquet"
    parquet(first, [{"label": 0}], ["cat", "dog"])
    fails(lambda: started(tmp_path / "d", tmp_path), "has no test-00001-of-00002.parquet")
    parquet(tmp_path / "d" / "test-00001-of-00002.parquet", [{"label": 0}], ["dog", "cat"])
    fails(lambda: started(tmp_path / "d", tmp_path), "0 is 'dog' here, and 'cat' there")
    parquet(tmp_path / "d" / "test-00001-of-00002.parquet", [{"label": 1}])
    assert [row.cells["label"] for row in ParquetFile(tmp_path / "d", None)] == [0, 1]
    assert len(ParquetFile(first, None)) == len(ParquetFile(tmp_path / "d" / "test-00000-of-*.parquet", None)) == 1


def test_what_datasets_saved_is_named(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["test"]}')
    fails(lambda: started(tmp_path / "d", tmp_path), "`save_to_disk`", "`to_parquet`")
