"""Repositories of the hub without Parquet: CSV, JSON and class folders, read as the same files on this machine are."""

import io
import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from mmbench.benchmarks.sources.cells import picture
from mmbench.benchmarks.sources.csv import CsvFile
from mmbench.benchmarks.sources.folder import Folder
from mmbench.benchmarks.sources.hub import Hub, HubSpec
from mmbench.benchmarks.sources.jsonl import JsonlFile
from mmbench.harness.errors import DataError
from mmbench.harness.hub.access import network
from mmbench.harness.tasks.source import Source
from tests.hub_server import COMMIT, Served

NAME = "some/things"
OTHER = "b" * 40


def shown(place: int) -> bytes:
    held = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), (place, 9, 2)).save(held, "PNG")
    return held.getvalue()


def opened(split: str | None = "test", **keys: Any) -> Hub:
    spec = HubSpec(**{"kind": "hub", "id": NAME, "revision": COMMIT, "split": split, **keys})
    return Hub.open(spec, Path(), spec.split)


def put(hub: Served, files: dict[str, bytes], folder: Path) -> Path:
    """Serve files, and write the same below a folder."""
    hub.put(f"datasets/{NAME}", files)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def content(source: Source) -> list[dict[str, Any]]:
    return [
        {k: picture(v, row).read().digest if k in ("image", "file_name") else v for k, v in row.cells.items()}
        for row in source
    ]


PICTURES = {f"images/{n}.png": shown(n) for n in range(6)}
ROWS = [{"image": f"images/{n}.png", "label": ("cat", "dog")[n % 2]} for n in range(4)]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_csv_reads_as_it_does_here(hub: Served, tmp_path: Path) -> None:
    table = "image,label\n" + "".join(f"{row['image']},{row['label']}\n" for row in ROWS)
    local = put(hub, {"test.csv": table.encode(), "README.md": b"# Things\n", **PICTURES}, tmp_path / "local")
    source = opened()
    assert hub.fetched() == ["README.md", "test.csv"] and len(source) == 4
    first = next(iter(source))
    assert hub.fetched() == ["README.md", "test.csv", "0.png"] and picture(first.cells["image"], first).pil()
    assert content(source) == content(CsvFile(local / "test.csv", None))
    assert "5.png" not in hub.fetched()  # which no row names
    hub.asked.clear()
    assert content(opened()) == content(source) and hub.asked == []
    needed = Hub.needed(HubSpec(kind="hub", id=NAME, revision=COMMIT, split="test"), Path(), "test")
    assert sorted(needed.files) == ["README.md", *(f"images/{n}.png" for n in range(4)), "test.csv"]
    assert needed.missing == 0


@pytest.mark.parametrize("name", ["data/test.jsonl", "test/metadata.jsonl", "data/test.json"])
def test_lines_of_json(hub: Served, tmp_path: Path, name: str) -> None:
    folder = name.rpartition("/")[0]
    rows = [{**row, "answers": ["a", "b"]} for row in ROWS]
    files = {name: lines(rows), **{f"{folder}/{path}": held for path, held in PICTURES.items()}}
    local = put(hub, files, tmp_path / "local")
    assert content(opened()) == content(JsonlFile(local / name, None))


def test_a_list_of_json_and_several_tables(hub: Served) -> None:
    halves = {f"test-0000{n}-of-00002.json": json.dumps(ROWS[2 * n : 2 * n + 2]).encode() for n in (0, 1)}
    hub.put(f"datasets/{NAME}", {**halves, **PICTURES, "dataset_infos.json": b"{}"})
    source = opened()
    assert [row.cells["label"] for row in source] == ["cat", "dog", "cat", "dog"]
    assert [row.where for row in source][2] == "test-00001-of-00002.json row 0"
    assert set(source.only(["label"]).columns()) == {"image", "label"}
    hub.put(f"datasets/{NAME}", {"test.json": b'{"a": {"b": 1}, \n"c": 2}'}, OTHER)
    assert "JSON" in refused(revision=OTHER)


def test_of_columns_that_are_not_asked_no_picture_is_fetched(hub: Served) -> None:
    rows = [{**row, "other": "images/5.png"} for row in ROWS]
    hub.put(f"datasets/{NAME}", {"test.jsonl": lines(rows), **PICTURES})
    list(opened().only(["image", "label"]))
    assert "5.png" not in hub.fetched() and "3.png" in hub.fetched()


@pytest.mark.parametrize(
    "cell",
    [
        '["images/1.png", "images/4.png"]',
        ["images/1.png", "images/4.png"],
        [{"bytes": None, "path": "images/1.png"}, {"bytes": None, "path": "./images/4.png"}],
        ["images\\1.png", "../data/images/4.png"],
    ],
)
def test_however_a_row_names_pictures_they_are_fetched(hub: Served, cell: Any) -> None:
    files = {f"data/{path}": held for path, held in PICTURES.items()}
    hub.put(f"datasets/{NAME}", {"data/test.jsonl": lines([{"images": cell, "label": "x"}]), **files})
    list(opened())
    assert sorted(hub.fetched()) == ["1.png", "4.png", "test.jsonl"]


@pytest.mark.parametrize("name", ["/etc/x.png", "../../../../x.png", "images/../../x.png", "..\\\\..\\\\x.png"])
def test_a_row_names_no_file_of_this_machine(hub: Served, name: str) -> None:
    hub.put(f"datasets/{NAME}", {"test.jsonl": lines([{"image": name, "label": "x"}])})
    (row,) = opened()
    with pytest.raises(DataError, match="is outside of its data set"):
        picture(row.cells["image"], row)


def test_offline_the_picture_that_is_missing_is_named(hub: Served) -> None:
    hub.put(f"datasets/{NAME}", {"test.jsonl": lines(ROWS), **PICTURES})
    source = opened()
    next(iter(source))
    with (
        network(allowed=False),
        pytest.raises(DataError, match=r"images/1.png of some/things .* not in the hub's cache"),
    ):
        list(source)


TREE = {
    f"{split}/{name}/{place}": shown(n)
    for n, (split, name, place) in enumerate(
        (split, name, place)
        for split in ("train", "test")
        for name in ("cat", "dog", "hen")
        for place in ("1.png", "a-b/2.png", "a/3.png")
    )
}


@pytest.mark.parametrize("above", ["", "data/", "data/all/"])
def test_class_folders_read_as_they_do_here(hub: Served, tmp_path: Path, above: str) -> None:
    files = {f"{above}{path}": held for path, held in TREE.items()} | {
        f"{above}test/cat/notes.txt": b"x",
        ".gitattributes": b"",
    }
    local = put(hub, files, tmp_path / "local")
    source = opened()
    assert hub.fetched() == [] and len(source) == 9
    here = Folder(local / above, "test")
    assert content(source) == content(here)
    assert [row.cells["id"] for row in source] == [row.cells["id"] for row in here]
    assert source.class_names("label") == here.class_names("label") == ("cat", "dog", "hen")
    assert source.notes == list(here.notes)
    assert "several of `split`" in refused(split=None)


def refused(**keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        list(opened(**keys))
    return str(caught.value)


def test_class_folders_without_splits(hub: Served, tmp_path: Path) -> None:
    files = {path.removeprefix("test/"): held for path, held in TREE.items() if path.startswith("test")}
    local = put(hub, files, tmp_path / "local")
    assert content(opened(split=None)) == content(Folder(local, None)) == content(opened(split="train"))
    assert "no split 'test', only 'train'" in refused()
    hub.put(f"datasets/{NAME}", {**files, "loose.png": shown(1)}, OTHER)
    assert "loose.png of some/things is in no class folder" in refused(split=None, revision=OTHER)


def test_a_readme_says_where_class_folders_are(hub: Served) -> None:
    card = b"---\nconfigs:\n- config_name: small\n  data_files:\n  - {split: test, path: 'eval/**'}\n---\n"
    files = {f"eval/{path.removeprefix('test/')}": held for path, held in TREE.items() if path.startswith("test")}
    hub.put(f"datasets/{NAME}", {"README.md": card, **files, "train/cat/1.png": shown(7)})
    assert len(opened()) == 9 and opened().class_names("label") == ("cat", "dog", "hen")


def test_archives_are_not_unpacked(hub: Served) -> None:
    packed = ({"images.zip": b"PK"}, {"test.jsonl": lines(ROWS), "images.zip": b"PK"})
    for commit, files in zip((COMMIT, OTHER), packed, strict=True):
        hub.put(f"datasets/{NAME}", files, commit)
        said = refused(revision=commit)
        assert "keeps its pictures in images.zip" in said and "unpack it" in said and "kind: folder" in said
