"""Shards as CLIP_benchmark and img2dataset write them, read in order, and refused where damaged or missing."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.benchmarks.sources.cells import picture
from mmbench.benchmarks.sources.webdataset import WebDataset
from mmbench.harness.errors import DataError
from mmbench.harness.run.result import Run


def encoded(colour: tuple[int, int, int], kind: str = "WEBP") -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (24, 16), colour).save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


def put(path: Path, members: Sequence[tuple[str, bytes]], **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, **{"mode": "w", **how}) as archive:
        for name, held in members:
            told = tarfile.TarInfo(name)
            told.size = len(held)
            archive.addfile(told, io.BytesIO(held))
    return path


def samples(numbers: Sequence[int]) -> list[tuple[str, bytes]]:
    made = [((f"s{n:07d}.cls", b"%d" % (n % 2)), (f"s{n:07d}.webp", encoded((n, 9, 200)))) for n in numbers]
    return [member for pair in made for member in pair]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set as CLIP_benchmark's builder leaves it: 11 shards of 2 rows."""
    for shard in range(11):
        put(tmp_path / "wds" / "test" / f"{shard}.tar", samples([2 * shard, 2 * shard + 1]))
    (tmp_path / "wds" / "test" / "nshards.txt").write_text("11\n")
    (tmp_path / "wds" / "classnames.txt").write_text("tabby cat\nhot dog\n")
    (tmp_path / "wds" / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\nart of the {c}.\n")
    return tmp_path / "wds"


def rows(source: WebDataset) -> list[Mapping[str, Any]]:
    made = [row.cells for row in source]
    assert made == [row.cells for row in source]
    assert len(source) == len(made)
    return made


def test_a_set_of_clip_benchmark(root: Path) -> None:
    source = WebDataset(root, "test")
    made = rows(source)
    assert [row["id"] for row in made] == [f"s{n:07d}" for n in range(22)]  # shard 2 comes before shard 10
    assert [row["label"] for row in made] == [0, 1] * 11
    assert list(source.values("label")) == [0, 1] * 11
    assert source.class_names("label") == ("tabby cat", "hot dog")
    assert source.class_names("id") is None
    assert source.templates() == ("a photo of a {}.", "art of the {}.")
    first = next(iter(source))
    assert picture(first.cells["image"], first).pil().getpixel((0, 0)) == (0, 9, 200)
    assert first.where == "0.tar 's0000000'"


def test_as_a_task(root: Path, tmp_path: Path) -> None:
    def asked(name: str, more: str = "") -> Run:
        (tmp_path / f"{name}.yaml").write_text(
            f"name: {name}\nversion: 1\nfamily: zero-shot-classification\n"
            f"source: {{kind: webdataset, path: wds, split: test}}\nfields: {{image: image, label: label}}\n{more}"
        )
        path = str(tmp_path / f"{name}.yaml")
        return mmbench.run("chance", task=path, output=tmp_path / "results", store=tmp_path / "store.sqlite")

    brought = asked("brought")
    assert not brought.problems
    (record,) = brought.records
    assert "prompt templates are those of the data (2)" in record.notes
    (same,) = asked("brought", "templates: ['a photo of a {}.', 'art of the {}.']\n").records
    (plain,) = asked("brought", "templates: plain\n").records
    assert record.protocol == same.protocol != plain.protocol


@pytest.mark.parametrize("name", ["test", "test/*.tar", "test/{0..10}.tar", "test/?.tar", "test/3.tar"])
def test_what_a_path_may_mean(root: Path, name: str) -> None:
    expected = {"test/?.tar": 20, "test/3.tar": 2}.get(name, 22)
    assert len(rows(WebDataset(root / name, None))) == expected


def test_shards_packed_by_gzip(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tar.gz", samples([1, 2]), mode="w:gz")
    assert [row["label"] for row in rows(WebDataset(path, None))] == [1, 0]


def test_retrieval_and_several_labels(tmp_path: Path) -> None:
    held = io.BytesIO()
    np.save(held, np.array([0, 1, 1, 0]))
    jpeg = encoded((1, 2, 3), "JPEG")
    path = put(
        tmp_path / "a.tar",
        [
            ("x/1.jpg", jpeg),
            ("x/1.txt", b"A dog.\nUn chien.\n\n"),
            ("x/1.json", json.dumps({"width": 24, "sha": None}).encode()),
            ("x/1.npy", held.getvalue()),
            ("x/1.seg.png", encoded((0, 0, 0), "PNG")),
        ],
    )
    (only,) = rows(WebDataset(path, None))
    assert only["captions"] == ["A dog.", "Un chien."]
    assert only["label"] == (1, 2)
    assert only["json"] == {"width": 24, "sha": None}
    assert only["image"]["bytes"] == jpeg
    assert list(WebDataset(path, None).values("json.width")) == [24]


def test_members_that_belong_to_no_row(tmp_path: Path) -> None:
    more = [("__MACOSX/._1.jpg", b"x"), ("._s0000001.webp", b"x"), (".DS_Store", b"x"), ("__meta__.json", b"{}")]
    path = put(tmp_path / "a.tar", [*more, *samples([1]), ("s0000002..jpg", encoded((5, 5, 5), "JPEG"))])
    first, second = rows(WebDataset(path, None))
    assert (first["id"], second["id"]) == ("s0000001", "s0000002")
    assert picture(second["image"], next(iter(WebDataset(path, None)))).pil().size == (24, 16)


def test_missing_shards_are_told(root: Path) -> None:
    (root / "test" / "4.tar").unlink()
    with pytest.raises(DataError, match=r"test has 10 shards, and nshards.txt tells of 11; fetch them all"):
        WebDataset(root, "test")
    with pytest.raises(DataError, match=r"test has no 4.tar, which \{0..10\}.tar means"):
        WebDataset(root / "test" / "{0..10}.tar", None)


@pytest.mark.parametrize(
    ("path", "split", "message"),
    [
        ("wds", "tets", "has no folder 'tets'; did you mean 'test'"),
        ("wds", None, "is no tar file and no folder or pattern of them.*name one of its folders as `split`: test"),
        ("none.tar", None, "is no tar file"),
        ("wds/{0..99999999}.tar", None, "means more than 100000 shards"),
        ("wds/classnames.txt", None, "classnames.txt cannot be read as tar"),
    ],
)
def test_what_is_not_there_is_named(root: Path, path: str, split: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        WebDataset(root.parent / path, split)


def test_a_shard_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tar", samples(range(40)))
    held = path.read_bytes()
    path.write_bytes(held[: len(held) // 2 + 700])
    source = WebDataset(path, None)
    with pytest.raises(DataError, match=r"a.tar cannot be read as tar|is cut off; fetch the shard again"):
        len(source)
    with pytest.raises(DataError):
        list(source)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (("s0000001.json", b"{"), "the member '.json' cannot be read"),
        (("s0000001.npy", b"\x93NUMPY"), "the member '.npy' cannot be read"),
        (("s0000001.txt", b"\xff\xfe"), "the member '.txt' cannot be read"),
        (("s0000001.CLS", b"1"), "two members '.cls'"),
    ],
)
def test_a_member_that_cannot_be_read_is_named(tmp_path: Path, member: tuple[str, bytes], message: str) -> None:
    path = put(tmp_path / "a.tar", [*samples([1]), member])
    with pytest.raises(DataError, match=f"a.tar 's0000001'.*{message}"):
        list(WebDataset(path, None))


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    held = io.BytesIO()
    np.save(held, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"the member '.npy' cannot be read \(Object arrays cannot be loaded"):
        WebDataset(put(tmp_path / "a.tar", [*samples([1]), ("s0000001.npy", held.getvalue())]), None)


def test_an_empty_shard(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        WebDataset(put(tmp_path / "a.tar", []), None)
