"""Every kind of source gives the rows that were written, in order, again and again, and names what is wrong."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.benchmarks.sources import parquet_rows
from mmbench.benchmarks.sources.builtin import Builtin
from mmbench.benchmarks.sources.cells import picture
from mmbench.benchmarks.sources.csv import CsvFile
from mmbench.benchmarks.sources.folder import Folder
from mmbench.benchmarks.sources.jsonl import JsonlFile
from mmbench.benchmarks.sources.parquet import ParquetFile
from mmbench.benchmarks.sources.tsv import TsvFile
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Source
from tests.builders import fails, put_text

KINDS: list[type[Source]] = [Folder, CsvFile, JsonlFile, ParquetFile, Builtin]


def write_parquet(path: Path, **columns: list[object]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def cells(source: Source) -> list[dict[str, object]]:
    rows = [dict(row.cells) for row in source]
    assert len(source) == len(rows)
    assert [dict(row.cells) for row in source] == rows, "a source can be read again"
    return rows


# Of all kinds


@pytest.mark.parametrize("kind", KINDS)
def test_path_is_needed(kind: type[Source]) -> None:
    with pytest.raises(DataError):
        kind(None, None)


def test_no_heavy_import() -> None:
    modules = ["builtin", "cells", "csv", "folder", "jsonl", "parquet"]
    imports = ", ".join(f"mmbench.benchmarks.sources.{module}" for module in modules)
    code = (
        f"import sys, {imports}, mmbench.benchmarks.named; "
        "from mmbench.benchmarks.sources.builtin import Builtin; list(Builtin('sklearn-digits', None)); "
        "print(sorted({'pyarrow', 'sklearn', 'torch', 'pandas', 'open_clip'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(params=["csv", "tsv", "jsonl", "parquet"])
def table(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[list[dict[str, str]]], tuple[type[Source], Path]]:
    kind = request.param

    def make(rows: list[dict[str, str]]) -> tuple[type[Source], Path]:
        path = tmp_path / f"data.{kind}"
        if kind == "parquet":
            return ParquetFile, write_parquet(path, **{name: [row[name] for row in rows] for name in rows[0]})
        if kind == "jsonl":
            return JsonlFile, put_text(path, "".join(json.dumps(row) + "\n" for row in rows))
        mark = "\t" if kind == "tsv" else ","
        return CsvFile, put_text(
            path, "".join(mark.join(line) + "\n" for line in [rows[0].keys(), *(r.values() for r in rows)])
        )

    return make


ROWS = [{"image": f"{n}.png", "split": "test" if n % 3 else "train"} for n in range(200)]


def test_split_selects_rows(table) -> None:
    kind, path = table(ROWS)
    assert cells(kind(path, None)) == ROWS
    assert cells(kind(path, "train")) == ROWS[::3]
    assert list(kind(path, "train").values("image")) == [row["image"] for row in ROWS[::3]]
    assert list(kind(path, "train").values("split")) == ["train"] * 67
    assert list(kind(path, None).values("image")) == [row["image"] for row in ROWS]
    fails(lambda: list(kind(path, None).values("imgae")), path.name, "no column 'imgae'; did you mean 'image'?")
    assert len(kind(path, "test")) == 133
    assert kind(path, "test").columns() == ("image", "split")
    assert kind(path, "test").class_names("image") is None
    assert next(iter(kind(path, "test"))).base == path.parent


def test_split_that_is_not_there(table) -> None:
    kind, path = table(ROWS)
    fails(lambda: kind(path, "tset"), path.name, "'tset'", "'test', 'train'", "did you mean 'test'?")


def test_split_without_a_column(table) -> None:
    kind, path = table([{"image": "1.png", "splits": "test"}])
    fails(lambda: kind(path, "test"), "no column 'split'", "did you mean 'splits'?")


def test_many_splits_are_listed_in_part(table) -> None:
    kind, path = table([{"image": "x", "split": f"fold{n:02}"} for n in range(30)])
    fails(lambda: kind(path, "test"), "'fold09' and 20 more")


def test_iterators_are_independent(table) -> None:
    kind, path = table(ROWS)
    source = kind(path, None)
    first, second = iter(source), iter(source)
    assert [next(first).cells["image"], next(first).cells["image"], next(second).cells["image"]] == [
        "0.png",
        "1.png",
        "0.png",
    ]


@pytest.mark.parametrize(
    ("kind", "name"), [(CsvFile, "labels.csv"), (JsonlFile, "labels.jsonl"), (ParquetFile, "a.parquet")]
)
def test_missing_file_names_the_nearest(kind: type[Source], name: str, tmp_path: Path) -> None:
    put_text(tmp_path / name, "")
    wrong = tmp_path / name.replace("a", "e", 1)
    fails(lambda: kind(wrong, None), str(wrong), f"did you mean '{name}'?")
    fails(lambda: kind(tmp_path / "nowhere" / name, None), "nowhere")


# Folder


def test_folder(tmp_path: Path) -> None:
    for name in (
        "dog/b.JPG",
        "dog/a.png",
        "cat/deep/er/z.webp",
        "cat/deep.gif",
        "cat/9.tif",
        ".git/x.png",
        "dog/._a.png",
    ):
        put_text(tmp_path / name, b"")
    put_text(tmp_path / "dog" / "notes.txt", "")
    put_text(tmp_path / "readme.png", "")
    source = Folder(tmp_path, None)
    expected = ["cat/9.tif", "cat/deep/er/z.webp", "cat/deep.gif", "dog/a.png", "dog/b.JPG"]
    assert cells(source) == [{"id": name, "image": name, "label": name[:3]} for name in expected]
    assert source.columns() == ("id", "image", "label")
    assert source.class_names("label") == ("cat", "dog")
    assert source.class_names("image") is None
    assert list(source.values("label")) == ["cat", "cat", "cat", "dog", "dog"]
    row = next(iter(source))
    assert (row.where, row.base) == ("cat/9.tif", tmp_path)


def test_folder_split(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (2, 3), "red").save(put_text(tmp_path / "test/cat/1.png", b""))
    put_text(tmp_path / "train/dog/1.png", b"")
    (row,) = Folder(tmp_path, "test")
    assert row.cells == {"id": "cat/1.png", "image": "cat/1.png", "label": "cat"}
    assert picture(row.cells["image"], row).pil().size == (2, 3)


def test_folder_failures(tmp_path: Path) -> None:
    put_text(tmp_path / "root/test/cat/1.png", b"")
    (tmp_path / "flat").mkdir()
    put_text(tmp_path / "flat/1.png", b"")
    put_text(tmp_path / "empty/cat/1.txt", b"")
    fails(lambda: Folder(tmp_path / "rot", None), "no folder", "did you mean 'root'?")
    fails(lambda: Folder(tmp_path / "root", "tets"), "no folder", "did you mean 'test'?")
    fails(lambda: Folder(tmp_path / "no" / "where", None), "no folder")
    fails(lambda: Folder(tmp_path / "flat", None), "no class folders", "flat/CLASS/PICTURE.jpg")
    fails(lambda: Folder(tmp_path / "empty", None), str(tmp_path / "empty" / "cat"), "no pictures", ".jpg")


def test_links_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    for name in ("data/cat", "data/dog", "more"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.png").write_bytes(b"")
    (tmp_path / "data" / "cat" / "linked").symlink_to(tmp_path / "more")
    assert [row["id"] for row in cells(Folder(tmp_path / "data", None))] == [
        "cat/a.png",
        "cat/linked/a.png",
        "dog/a.png",
    ]
    (tmp_path / "data" / "cat" / "circle").symlink_to("..")
    fails(lambda: Folder(tmp_path / "data", None), "circle/cat holds itself through a link; remove the link")


def test_folder_clutter_is_passed_over(tmp_path: Path) -> None:
    clutter = ("@eaDir", "__MACOSX", "lost+found", "$RECYCLE.BIN", ".ipynb_checkpoints", "System Volume Information")
    put_text(tmp_path / "cat/a.png", "")
    put_text(tmp_path / "dog/b.png", "")
    for name in clutter:
        put_text(tmp_path / name / "x.png", "")
        put_text(tmp_path / "cat" / name / "a.png" / "x.jpg", "")
    for name in ("Thumbs.db", "thumbs.db", "desktop.ini", ".DS_Store"):
        put_text(tmp_path / "cat" / name, "")
    source = Folder(tmp_path, None)
    assert [row["id"] for row in cells(source)] == ["cat/a.png", "dog/b.png"]
    assert source.class_names("label") == ("cat", "dog")
    assert source.notes == ()


def test_folder_files_left_out_are_counted(tmp_path: Path) -> None:
    for name in (
        "cat/a.png",
        "cat/b.HEIC",
        "cat/c.jfif",
        "cat/d.avif",
        "cat/e.heic",
        "dog/f.txt",
        "dog/g.PNG",
        "dog/h",
    ):
        put_text(tmp_path / name, "")
    source = Folder(tmp_path, None)
    avif = ".avif" in PIL.Image.registered_extensions()
    assert [row["id"] for row in cells(source)] == ["cat/a.png", "cat/c.jfif", *["cat/d.avif"] * avif, "dog/g.PNG"]
    (note,) = source.notes
    assert f"{4 + (not avif)} files" in note and ".heic (2)" in note and ".txt (1)" in note
    assert "no ending (1)" in note


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (("train", "val"), True),
        (("Training", "Validation", "Testing"), True),
        (("train", "test", "extra"), True),
        (("train",), True),
        (("train", "bus", "car"), False),
        (("test", "quiz"), False),
    ],
)
def test_folders_of_splits_are_no_classes(names: tuple[str, ...], wrong: bool, tmp_path: Path) -> None:
    for name in (*names, "__MACOSX"):
        put_text(tmp_path / name / "cat" / "a.png", "")
    if wrong:
        fails(lambda: Folder(tmp_path, None), "are splits", f"`split: {min({*names} - {'extra'})}`")
        assert Folder(tmp_path, names[0]).class_names("label") == ("cat",)
    else:
        assert Folder(tmp_path, None).class_names("label") == tuple(sorted(names))


def test_folders_of_one_spelling_are_one_class(tmp_path: Path) -> None:
    put_text(tmp_path / "caf\u00e9/a.png", "")
    put_text(tmp_path / "cafe\u0301/b.png", "")
    assert Folder(tmp_path, None).class_names("label") == ("caf\u00e9",)


# CSV


def test_csv_lines_and_quotes(tmp_path: Path) -> None:
    path = put_text(tmp_path / "labels.csv", '\ufeffimage,text\r\n1.png,"two\r\nlines, ""quoted"""\r\n\r\n2.png,é\r\n')
    source = CsvFile(path, None)
    assert cells(source) == [{"image": "1.png", "text": 'two\r\nlines, "quoted"'}, {"image": "2.png", "text": "é"}]
    assert [row.where for row in source] == ["labels.csv line 2", "labels.csv line 5"]
    assert source.columns() == ("image", "text")


def test_csv_index_of_pandas_is_passed_over(tmp_path: Path) -> None:
    source = CsvFile(put_text(tmp_path / "a.csv", ",image,label\n0,1.png,cat\n1,2.png,dog\n"), None)
    assert source.columns() == ("image", "label")
    assert cells(source) == [{"image": "1.png", "label": "cat"}, {"image": "2.png", "label": "dog"}]


def test_csv_cells_of_any_length(tmp_path: Path) -> None:
    long = "a" * 200_000
    assert cells(CsvFile(put_text(tmp_path / "a.csv", f"image\n{long}\n"), None)) == [{"image": long}]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["data.csv is empty", "header"]),
        ("\n\n", ["data.csv is empty"]),
        ("a,b\n", ["data.csv has no rows"]),
        ("a,b,a\n1,2,3\n", ["line 1", "2 columns", "'a'"]),
        ("\na,,b\n1,2,3\n", ["line 2", "column 2", "no name"]),
        ('a,b\n"x\ny",2\n1\n', ["data.csv line 4 has 1 cells, expected 2"]),
        ("a,b\n1,2,3\n", ["data.csv line 2 has 3 cells, expected 2"]),
        ('a,b\n1,2\n"never closed,2\n3,4\n', ["data.csv line 3 is not valid CSV"]),
        ('a,b\n1,"x"y\n', ["data.csv line 2 is not valid CSV"]),
        (b"a,b\n1,2\n3," + b"\xff\n", ["data.csv line 3 is not UTF-8"]),
        ("a,b\n1,2\n".encode("utf-16")[:-1], ["data.csv is no whole UTF-16"]),
        ("a,b\n1,2\n".encode("utf-16-le"), ["data.csv"]),
    ],
)
def test_csv_failures(content: str | bytes, parts: list[str], tmp_path: Path) -> None:
    path = put_text(tmp_path / "data.csv", content)
    fails(lambda: CsvFile(path, None), *parts)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffimage;label\r\na.png;cat\r\nb.png;a, b\r\n",
        "sep=;\r\nimage;label\r\na.png;cat\r\nb.png;a, b\r\n",
        "sep=|\nimage|label\na.png|cat\nb.png|a, b\n",
        "image\tlabel\na.png\tcat\nb.png\ta, b\n",
        "image\tlabel\r\na.png\tcat\r\nb.png\ta, b\r\n".encode("utf-16"),
        'image,label\ra.png,cat\rb.png,"a, b"\r',
        'image,label\r\r\na.png,cat\r\r\nb.png,"a, b"\r\r\n',
        'image,label,,\na.png,cat,,\nb.png,"a, b",,\n,,,\n',
        'image,label\na.png,cat,\nb.png,"a, b",,\n,\n',
        'image,label,\na.png,cat\nb.png,"a, b"\n',
    ],
)
def test_csv_as_spreadsheets_write_it(content: str | bytes, tmp_path: Path) -> None:
    found = CsvFile(put_text(tmp_path / "data.csv", content), None)
    assert cells(found) == [{"image": "a.png", "label": "cat"}, {"image": "b.png", "label": "a, b"}]
    assert found.columns() == ("image", "label") and len(found) == 2


def test_csv_tells_its_mark_by_the_header_alone(tmp_path: Path) -> None:
    assert cells(CsvFile(put_text(tmp_path / "a.tsv", "a,b\n1,2\n"), None)) == [{"a": "1", "b": "2"}]
    assert cells(CsvFile(put_text(tmp_path / "b.csv", "a,b\n1;2,3\n"), None)) == [{"a": "1;2", "b": "3"}]
    fails(lambda: CsvFile(put_text(tmp_path / "c.csv", "a;b|c\n1;2|3\n"), None), "line 1", "separated by")
    fails(lambda: TsvFile(put_text(tmp_path / "d.tsv", "a,b\n1,2\n"), None), "separated by ','", "expected tabs")


# JSON lines


def test_jsonl(tmp_path: Path) -> None:
    path = put_text(tmp_path / "d.jsonl", '\ufeff{"a": 1}\n\n  \n{"b": [1, 2.5, null], "c": {"d": true}}\r\n{"a": "é"}')
    source = JsonlFile(path, None)
    assert cells(source) == [{"a": 1}, {"b": [1, 2.5, None], "c": {"d": True}}, {"a": "é"}]
    assert source.columns() == ("a", "b", "c")
    assert [row.where for row in source] == ["d.jsonl line 1", "d.jsonl line 4", "d.jsonl line 5"]


def test_jsonl_values_name_the_line_that_lacks_the_column(tmp_path: Path) -> None:
    path = put_text(tmp_path / "d.jsonl", '{"label": 1}\n{"lable": 2}\n')
    fails(lambda: list(JsonlFile(path, None).values("label")), "d.jsonl line 2", "did you mean 'lable'?")


def test_jsonl_split_of_some_lines(tmp_path: Path) -> None:
    path = put_text(tmp_path / "d.jsonl", '{"a": 1, "split": 3}\n{"a": 2}\n{"a": 3, "split": null}\n')
    assert cells(JsonlFile(path, "3")) == [{"a": 1, "split": 3}]
    fails(lambda: JsonlFile(path, "None"), "only of '3'")


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ('{"a": }', ["d.jsonl line 2 column 7", "Expecting value"]),
        ('{"a": 1', ["d.jsonl line 2 column 8"]),
        ('{"a": 1} {"a": 2}', ["d.jsonl line 2 column 10", "Extra data"]),
        ("[1]", ["d.jsonl line 2 is no JSON object"]),
        ('{"a": NaN}', ["d.jsonl line 2", "NaN is no JSON number"]),
        ('{"a": -Infinity}', ["d.jsonl line 2", "-Infinity is no JSON number"]),
        ('{"a": 1e999}', ["d.jsonl line 2", "1e999"]),
        ('{"a": ' + "[" * 100_000, ["d.jsonl line 2", "nested"]),
        (b'{"a": "\xe9"}', ["d.jsonl line 2 is not UTF-8"]),
    ],
)
def test_jsonl_failures(line: str | bytes, parts: list[str], tmp_path: Path) -> None:
    path = put_text(tmp_path / "d.jsonl", b'{"a": 0}\n' + (line.encode() if isinstance(line, str) else line) + b"\n")
    fails(lambda: JsonlFile(path, None), *parts)


def test_jsonl_without_rows(tmp_path: Path) -> None:
    fails(lambda: JsonlFile(put_text(tmp_path / "d.jsonl", "\n \n"), None), "d.jsonl has no rows")


# Parquet


def png(colour: str) -> bytes:
    import io

    out = io.BytesIO()
    PIL.Image.new("RGB", (4, 4), colour).save(out, "PNG")
    return out.getvalue()


def test_parquet_pictures_and_names(tmp_path: Path) -> None:
    label = {"_type": "ClassLabel", "names": ["cat", "dog"]}
    features = {
        "label": label,
        "tags": {"_type": "List", "feature": label},
        "old": [label],
        "image": {"_type": "Image"},
        "sequence": {"_type": "Sequence", "feature": {"_type": "Value", "dtype": "int64"}},
    }
    data = pa.table(
        {
            "image": [{"bytes": png("red"), "path": "x.png"}, {"bytes": None, "path": "red.png"}],
            "raw": [png("red"), png("red")],
            "label": pa.array([0, 1], pa.int64()),
            "tags": [[0, 1], []],
            "old": [[1], None],
            "score": pa.array([0.5, None], pa.float32()),
        }
    )
    stored = data.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    put_text(tmp_path / "red.png", png("red"))
    pq.write_table(stored, tmp_path / "data.parquet")
    source = ParquetFile(tmp_path / "data.parquet", None)
    first, second = source
    assert (first.where, second.where) == ("data.parquet row 0", "data.parquet row 1")
    assert type(first.cells["label"]) is int and type(first.cells["score"]) is float
    assert (first.cells["tags"], second.cells["old"], second.cells["score"]) == ([0, 1], None, None)
    for row in source:
        assert picture(row.cells["image"], row).digest == picture(row.cells["raw"], row).digest
    assert source.class_names("label") == source.class_names("tags") == source.class_names("old") == ("cat", "dog")
    assert source.class_names("image") is source.class_names("sequence") is source.class_names("nothing") is None


def test_parquet_shards(tmp_path: Path) -> None:
    for number in (1, 0):
        write_parquet(tmp_path / f"test-{number}.parquet", n=[10 * number, 10 * number + 1])
    write_parquet(tmp_path / "train-0.parquet", n=[100])
    put_text(tmp_path / "_metadata", b"no data")
    put_text(tmp_path / ".test-2.parquet", b"no data")
    assert cells(ParquetFile(tmp_path, None)) == [{"n": n} for n in (0, 1, 10, 11, 100)]
    assert cells(ParquetFile(tmp_path / "test-*", None)) == [{"n": n} for n in (0, 1, 10, 11)]
    assert [row.where for row in ParquetFile(tmp_path / "test-*", None)][2] == "test-1.parquet row 0"


def test_parquet_reads_in_small_batches(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": range(1000)}), tmp_path / "d.parquet", row_group_size=70)
    assert [row.cells["n"] for row in ParquetFile(tmp_path / "d.parquet", None)] == list(range(1000))


def test_parquet_values_read_one_column(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({"image": [{"bytes": b"x", "path": None}] * 3, "n": [1, 2, 3]}), path)
    content = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(0).column(2).dictionary_page_offset
    content[4:start] = b"\xff" * (start - 4)
    path.write_bytes(content)
    assert list(ParquetFile(path, None).values("n")) == [1, 2, 3], "the damaged pictures are not touched"
    fails(lambda: list(ParquetFile(path, None).values("image")), "cannot be read")


def test_parquet_failures(tmp_path: Path) -> None:
    fails(
        lambda: ParquetFile(put_text(tmp_path / "a.parquet", "not parquet"), None),
        "a.parquet cannot be read as Parquet",
    )
    (tmp_path / "a.parquet").unlink()
    fails(lambda: ParquetFile(tmp_path, None), str(tmp_path), "no parquet file")
    empty = write_parquet(tmp_path / "empty.parquet", n=[])
    fails(lambda: ParquetFile(empty, None), "empty.parquet has no rows")
    write_parquet(tmp_path / "other.parquet", m=[1])
    fails(
        lambda: ParquetFile(tmp_path, None), "other.parquet has the columns ['m'], expected ['n'] as in empty.parquet"
    )
    twice = tmp_path / "twice.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), twice)
    fails(lambda: ParquetFile(twice, None), "twice.parquet has two columns 'a'")


def test_parquet_damaged_after_the_header(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({"text": [f"{n} " * 50 for n in range(1000)]}), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)
    source = ParquetFile(path, None)
    fails(lambda: list(source), "d.parquet cannot be read as Parquet")


def test_few_rows_of_parquet_are_held_where_one_is_heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "_HELD", 10_000)
    heavy = [{"bytes": bytes([n]) * 4000, "path": None} for n in range(9)]
    pq.write_table(pa.table({"video": heavy, "label": range(9)}), tmp_path / "d.parquet", use_dictionary=False)
    with parquet_rows.opened(tmp_path / "d.parquet") as shard:
        asked: list[int] = []
        batches = shard.iter_batches
        monkeypatch.setattr(
            shard,
            "iter_batches",
            lambda batch_size, columns: asked.append(batch_size) or batches(batch_size, columns=columns),
        )
        assert [len(cells["video"]["bytes"]) for cells in parquet_rows.records(shard, None)] == [4000] * 9
        assert [cells["label"] for cells in parquet_rows.records(shard, ["label"])] == [*range(9)]
    assert asked == [2, 64]


# Built in


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    source = Builtin("sklearn-digits", None)
    assert source.columns() == ("id", "image", "label", "parity")
    assert source.class_names("label") == tuple("0123456789")
    assert source.class_names("image") is None
    rows = list(source)
    assert len(rows) == len(source) == len(digits.target) == 1797
    assert [row.cells["label"] for row in rows] == digits.target.tolist()
    assert list(source.values("label")) == digits.target.tolist()
    assert [row.cells["parity"] == "odd" for row in rows] == (digits.target % 2 == 1).tolist()
    assert [row.cells["id"] for row in rows] == [str(n) for n in range(1797)]
    pixels = np.stack([np.asarray(row.cells["image"].pil())[:, :, 0] for row in rows])
    assert pixels.shape == (1797, 64, 64)
    blocks = pixels.reshape(1797, 8, 8, 8, 8).transpose(0, 1, 3, 2, 4).reshape(1797, 8, 8, 64)
    assert (blocks == blocks[..., :1]).all()
    np.testing.assert_array_equal(blocks[..., 0], np.round(digits.images * 255 / 16))


def test_digits_are_the_same_each_time() -> None:
    source = Builtin("sklearn-digits", None)
    first, second = next(iter(source)), next(iter(source))
    assert first.cells["image"].digest == second.cells["image"].digest
    assert first.cells["image"].locator == first.where == "sklearn-digits row 0"


def test_builtin_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    fails(lambda: Builtin("sklearn-digit", None), "'sklearn-digit'", "did you mean 'sklearn-digits'?")
    fails(lambda: Builtin("clips-motions", None), "scenes-many", "clips-")
    fails(lambda: Builtin("sklearn-digits", "test"), "no split 'test'")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    fails(lambda: Builtin("sklearn-digits", None), "pip install scikit-learn")
