"""Data as people have them: read as what they are, or a row error with the remedy; no null becomes a text."""

import base64
import gzip
import io
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.errors import Unreadable
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Sample
from tests.builders import fails, put_text
from tests.effort import within

HEADS = {
    "classes": "family: zero-shot-classification\n",
    "vqa": "family: vqa\n",
    "choice": "family: multiple-choice\n",
    "yes-no": "family: yes-no\n",
    "pairs": "family: pairs\n",
    "captioning": "family: captioning\n",
    "retrieval": "family: retrieval\n",
}


def jpeg() -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), (200, 10, 10)).save(out, "JPEG")
    return out.getvalue()


JPEG = jpeg()
BASE64 = base64.b64encode(JPEG).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(3):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / f"{n}.jpg").write_bytes(JPEG)
    return tmp_path


def samples(
    folder: Path, file: str, data: str | bytes | pa.Table, head: str = "classes", keys: str = ""
) -> list[Sample]:
    if isinstance(data, pa.Table):
        pq.write_table(data, folder / file)
    else:
        put_text(folder / file, data)
    kind = {"tsv": "csv", "json": "jsonl"}.get(file.rpartition(".")[2], file.rpartition(".")[2])
    source = f"source: {{kind: {kind}, path: {file}}}\n"
    put_text(folder / "t.yaml", f"name: t\n{HEADS[head]}{source}{keys}")
    return list(load_task(folder / "t.yaml").family.samples())


def of_row(folder: Path, row: dict[str, Any], head: str = "classes", keys: str = "") -> list[Sample]:
    return samples(folder, "d.jsonl", json.dumps(row), head, keys)


# Pictures


@pytest.mark.parametrize(
    "cell",
    [
        "photos/1.jpg",
        "./photos/1.jpg",
        "photos\\1.jpg",
        BASE64,
        BASE64.rstrip("="),
        base64.urlsafe_b64encode(JPEG).decode(),
        "\n".join(BASE64[i : i + 76] for i in range(0, len(BASE64), 76)),
        f"data:image/jpeg;base64,{BASE64}",
        {"bytes": BASE64, "path": "x.jpg"},
        {"bytes": None, "path": "photos/1.jpg"},
        {"path": "photos/1.jpg"},
    ],
)
def test_pictures_in_many_notations(folder: Path, cell: Any) -> None:
    (sample,) = of_row(folder, {"image": cell, "label": "a"})
    assert sample.media[0].pil().getpixel((4, 4))[0] > 150
    assert sample.locator in ("photos/1.jpg", "./photos/1.jpg", "d.jsonl line 1"), "base64 is no locator"


@pytest.mark.parametrize("cell", [BASE64[:-7], "data:image/jpeg;base64,####", {"bytes": BASE64[:-7]}])
def test_a_picture_that_is_damaged_is_lost_alone(folder: Path, cell: Any) -> None:
    rows = [{"image": BASE64, "label": "a"}, {"image": cell, "label": "b"}]
    good, lost = samples(folder, "d.jsonl", "\n".join(map(json.dumps, rows)))
    assert good.media[0].pil().size
    with pytest.raises(Unreadable, match="line 2: .* is no picture"):
        lost.media[0].read()


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("https://example.org/a.jpg", "is an address, and nothing is fetched; write the path of a file"),
        ("s3://bucket/a.jpg", "is an address"),
        (repr(JPEG), "is a picture as Python prints it"),
        (repr({"bytes": JPEG[:20], "path": None}), "is a picture as Python prints it"),
        (base64.b64encode(b"no picture " * 50).decode(), "expected a picture"),
        ("data:image/svg+xml,<svg/>", "expected a picture"),
        ({"bytes": None, "path": None}, "expected a picture"),
        (None, "found nothing"),
        ("", "expected a picture"),
        (3, "expected a picture"),
        (float("inf"), "is not valid JSON"),
    ],
)
def test_what_is_no_picture_is_a_row_error(folder: Path, cell: Any, why: str) -> None:
    message = fails(lambda: of_row(folder, {"image": cell, "label": "a"}), "d.jsonl line 1", why)
    assert len(message) < 300


@pytest.mark.parametrize(
    "name", ["n" * 300 + ".jpg", "pipe.jpg", "zero.jpg", "loop.jpg", "photos", "/proc/kmsg", "gone.jpg"]
)
def test_special_files_as_pictures_cost_their_items(folder: Path, name: str) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (sample,) = of_row(folder, {"image": name, "label": "a"})
    with within(2), pytest.raises(Unreadable):
        sample.media[0].pil()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "folder"])
@pytest.mark.parametrize("name", ["n" * 300, "pipe", "zero", "loop", "a\\0b"])
def test_special_files_as_data_are_one_line(folder: Path, kind: str, name: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "loop").symlink_to("loop")
    for keys in (
        f'source: {{kind: {kind}, path: "{name}"}}\n',
        f'source: {{kind: csv, path: d.csv}}\nclasses: "{name}"\n',
    ):
        put_text(folder / "d.csv", "image,label\nphotos/0.jpg,a\n")
        put_text(folder / "t.yaml", f"name: t\nfamily: zero-shot-classification\n{keys}")
        with within(2, keys):
            fails(lambda: load_task(folder / "t.yaml").opened)


# Texts


@pytest.mark.parametrize(
    ("file", "data", "why"),
    [
        ("d.csv", "image;label|x\nphotos/0.jpg;a|b\n", "the header is separated by ';', expected commas (tabs in a"),
        ("d.csv", gzip.compress(b"image,label\n", mtime=0), "d.csv is compressed by gzip"),
        ("d.csv", b"PK\x03\x04rest\n", "a ZIP archive or a spreadsheet"),
        ("d.csv", "image,label\n".encode("utf-16")[:-1], "is no whole UTF-16 text; save the file as UTF-8"),
        ("d.csv", "image,label\nb,caf\u00e9\n".encode("latin-1"), "line 2 is not UTF-8 text"),
        ("d.jsonl", gzip.compress(b"{}\n", mtime=0), "compressed by gzip"),
        ("d.jsonl", '[{"image": "photos/0.jpg", "label": "a"}]', "begins one JSON document, expected JSON lines"),
        ("d.json", '[\n"photos/0.jpg", "a"\n]', "neither JSON lines nor a list of objects"),
        ("d.jsonl", '{\n "data": []\n}', "line 1 begins one JSON document"),
        ("d.jsonl", '{"data": [\n]}', "line 1 begins one JSON document"),
    ],
)
def test_other_formats_are_told(folder: Path, file: str, data: str | bytes, why: str) -> None:
    fails(lambda: samples(folder, file, data), why)


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffimage,label\r\nphotos/0.jpg,a\r\n\r\nphotos/1.jpg,b\r\n",
        ",image,label\n0,photos/0.jpg,a\n1,photos/1.jpg,b\n",
        "Unnamed: 0,image,label\n0,photos/0.jpg,a\n1,photos/1.jpg,b\n",
        'image,note,label\nphotos/0.jpg,"two\nlines, ""quoted""",a\nphotos/1.jpg,' + "x" * 200_000 + ",b\n",
    ],
)
def test_tables_as_programs_write_them(folder: Path, data: str) -> None:
    found = samples(folder, "d.csv", data)
    assert [(sample.locator, sample.target) for sample in found] == [("photos/0.jpg", (0,)), ("photos/1.jpg", (1,))]


ASKED = {"image": "photos/0.jpg", "question": "q"}
NESTED = "fields: {answers: answers.answer}\n"


@pytest.mark.parametrize(
    "answers",
    [
        [{"answer": "a", "id": 1}, {"answer": "b"}],
        {"answer": ["a", "b"]},
        '[{"answer": "a"}, {"answer": "b"}]',
        "[{'answer': 'a'}, {'answer': 'b'}]",
        "{'answer': ['a', 'b']}",
        '{"answer": ["a", "b"]}',
    ],
)
def test_records_within_a_column(folder: Path, answers: Any) -> None:
    (sample,) = of_row(
        folder, {**ASKED, "answers": answers, "meta": {"kind": "x"}}, "vqa", NESTED + "facts: [meta.kind]\n"
    )
    assert sample.references == ("a", "b")
    assert sample.facts == {"meta.kind": "x"}


def test_records_without_a_field_say_how_to_name_one(folder: Path) -> None:
    fails(lambda: of_row(folder, {**ASKED, "answers": [{"answer": "a"}]}, "vqa"), "as in `answers.answer`")


@pytest.mark.parametrize(
    ("head", "row", "keys"),
    [
        ("classes", {"image": "photos/0.jpg", "label": None}, "classes: [a, b]\n"),
        ("classes", {"image": "photos/0.jpg", "label": ["a", None]}, "classes: [a, b]\n"),
        ("vqa", {**ASKED, "answers": None}, ""),
        ("vqa", {**ASKED, "answers": ["a", None]}, ""),
        ("vqa", {**ASKED, "question": None, "answers": ["a"]}, ""),
        ("vqa", {**ASKED, "answers": [{"answer": None}]}, NESTED),
        ("vqa", {**ASKED, "answers": None}, NESTED),
        ("choice", {**ASKED, "options": ["a", None, "b"], "target": 0}, ""),
        ("choice", {**ASKED, "options": None, "target": 0}, ""),
        ("choice", {**ASKED, "options": ["a", "b"], "target": None}, ""),
        ("yes-no", {**ASKED, "target": None}, ""),
        ("pairs", {"images": "photos/0.jpg", "captions": ["a", None]}, ""),
        ("pairs", {"images": ["photos/0.jpg", None], "captions": ["a", "b"]}, "metrics: [group_score]\n"),
        ("captioning", {"image": "photos/0.jpg", "references": ["a", None]}, ""),
        ("captioning", {"image": "photos/0.jpg", "references": None}, ""),
        ("retrieval", {"image": "photos/0.jpg", "captions": ["a", None]}, ""),
        ("retrieval", {"image": "photos/0.jpg", "captions": None}, ""),
        ("retrieval", {"image": None, "captions": ["a"]}, ""),
    ],
)
def test_a_null_is_a_row_error(folder: Path, head: str, row: dict[str, Any], keys: str) -> None:
    fails(lambda: of_row(folder, row, head, keys), "d.jsonl line 1: ")


def test_an_empty_cell_that_became_a_class_is_told(folder: Path) -> None:
    samples(folder, "d.csv", "image,label\nphotos/0.jpg,a\nphotos/1.jpg,nan\n")
    assert load_task(folder / "t.yaml").opened.notes == (
        "one class is called 'nan', as tables write an empty cell; if it is none, take its rows out",
    )


def test_folders_of_digits_are_names(folder: Path) -> None:
    for n in (0, 1, 2, 10):
        (folder / "digits" / str(n)).mkdir(parents=True)
        (folder / "digits" / str(n) / "a.jpg").write_bytes(JPEG)
    put_text(folder / "t.yaml", "name: t\nfamily: zero-shot-classification\nsource: {kind: folder, path: digits}\n")
    assert [sample.target for sample in load_task(folder / "t.yaml").family.samples()] == [(0,), (1,), (2,), (3,)]


def test_labels_that_look_alike_are_one(folder: Path) -> None:
    labels = ("cat", "cat\u00a0", "\ufeffcat", " cat\u200b", "dog")
    found = samples(folder, "d.jsonl", "\n".join(json.dumps({"image": "photos/0.jpg", "label": x}) for x in labels))
    assert [sample.target for sample in found] == [(0,)] * 4 + [(1,)]


# Parquet

TWO = ["photos/0.jpg", "photos/1.jpg"]


@pytest.mark.parametrize(
    "columns",
    [
        {"label": pa.array(["a", "b"], pa.large_string())},
        {"label": pa.array(["a", "b"]).dictionary_encode()},
        {"image": pa.array([JPEG, JPEG], pa.large_binary())},
        {"image": pa.array([{"bytes": JPEG, "path": "x.jpg"}] * 2)},
        {"label": pa.array([[0], [1]], pa.list_(pa.int8()))},
        {"label": pa.array([Decimal("0"), Decimal("1")])},
        {"label": pa.array([0.0, 1.0])},
        {"at": pa.array([1, 2], pa.timestamp("ns"))},
        {"at": pa.array([Decimal("1.10"), None])},
        {"at": pa.array([1.0, float("nan")])},
    ],
)
def test_columns_of_many_types(folder: Path, columns: dict[str, Any]) -> None:
    table = pa.table({"image": TWO, "label": ["a", "b"], "at": [1, 2], **columns})
    found = samples(folder, "d.parquet", table, keys="classes: [a, b]\nfacts: [at]\n")
    assert [sample.target for sample in found] == [(0,), (1,)]
    for sample in found:
        assert sample.media[0].pil().size == (8, 8)
        json.dumps(dict(sample.facts), allow_nan=False)


@pytest.mark.parametrize(
    "stored", [b"{broken", b"[1]", b'{"info": 3}', b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}']
)
def test_damaged_metadata_say_nothing(folder: Path, stored: bytes) -> None:
    table = pa.table({"image": TWO, "label": [0, 1]}).replace_schema_metadata({b"huggingface": stored})
    assert len(samples(folder, "d.parquet", table, keys="classes: [a, b]\n")) == 2
    fails(lambda: samples(folder, "d.parquet", table), "labels in column 'label' are numbers")


def test_texts_of_broken_bytes_are_told(folder: Path) -> None:
    ends = pa.array([0, 1, 2], pa.int32()).buffers()[1]
    broken = pa.Array.from_buffers(pa.string(), 2, [None, ends, pa.py_buffer(b"\xff\xfe")])
    fails(lambda: samples(folder, "d.parquet", pa.table({"image": TWO, "label": broken})), "d.parquet cannot be read")


def test_numbers_as_texts(folder: Path) -> None:
    answers = pa.array([Decimal("1.50"), Decimal("2.00")])
    table = pa.table({"id": [1.0, float("nan")], "image": TWO, "question": ["q", "q"], "answers": answers})
    found = samples(folder, "d.parquet", table, "vqa")
    assert [(sample.id, sample.references) for sample in found] == [("1", ("1.50",)), ("1", ("2",))]


def test_numbers_of_32_bits_are_what_was_written(folder: Path) -> None:
    answers = pa.array([[0.1, 2.0], [3.25, None]], pa.list_(pa.float32()))
    table = pa.table({"image": TWO, "question": ["?", "?"], "answers": answers.slice(0, 1).take([0, 0])})
    found = samples(folder, "d.parquet", table, "vqa")
    assert found[0].references == ("0.1", "2")
    table = pa.table({"image": TWO, "label": ["a", "b"], "at": pa.array([0.1, None], pa.float32())})
    found = samples(folder, "d.parquet", table, keys="classes: [a, b]\nfacts: [at]\n")
    assert [each.facts["at"] for each in found] == [0.1, None]
