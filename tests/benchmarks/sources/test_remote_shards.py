"""Shards behind an address are read as those of a folder; a changed one is refused, and offline nothing is asked."""

import io
import tarfile
from pathlib import Path

import fsspec
import PIL.Image
import pytest

from mmbench.benchmarks.sources.remote_shards import _Remote
from mmbench.benchmarks.sources.webdataset import WebDataset
from mmbench.harness.errors import DataError, DataUnavailable
from mmbench.harness.hub import access
from mmbench.harness.tasks.source import PathSpec


def shard(first: int, rows: int = 3) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for i in range(first, first + rows):
            picture = io.BytesIO()
            PIL.Image.new("RGB", (3, 2), (i, 2 * i, 9)).save(picture, "PNG")
            for ending, held in (("png", picture.getvalue()), ("cls", str(i % 2).encode())):
                member = tarfile.TarInfo(f"s{i:03}.{ending}")
                member.size = len(held)
                archive.addfile(member, io.BytesIO(held))
    return made.getvalue()


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file system in memory, and the same files in a folder."""
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    system = fsspec.filesystem("memory")
    folder = tmp_path / "birds"
    folder.mkdir()
    for number in (0, 9, 10):
        (folder / f"b-{number}.tar").write_bytes(shard(number))
    (folder / "classnames.txt").write_text("wren\nrobin\n")
    system.put(str(folder), "/bucket/birds", recursive=True)
    yield folder
    system.rm("/bucket", recursive=True)


def opened(path: str) -> WebDataset:
    return WebDataset.open(PathSpec(kind="webdataset", path=path), Path("/nowhere"), None)


def cells(source: WebDataset) -> list[dict]:
    return [dict(row.cells) for row in source]


@pytest.mark.parametrize("name", ["birds", "birds/*.tar", "birds/b-{9..10}.tar", "birds/b-9.tar"])
def test_rows_are_those_of_a_folder(bucket: Path, name: str) -> None:
    found, same = opened(f"memory://bucket/{name}"), WebDataset(bucket.parent / name, None)
    assert cells(found) == cells(same) and len(found) == len(same)
    assert found.class_names("label") == same.class_names("label") == ("wren", "robin")
    assert found.columns() == same.columns()


def test_each_is_fetched_when_it_is_due_and_once(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    system = type(fsspec.filesystem("memory"))
    get = system.get_file
    monkeypatch.setattr(system, "get_file", lambda self, path, *rest: (asked.append(path), get(self, path, *rest)))
    rows = iter(opened("memory://bucket/birds"))
    next(rows)
    assert [path.rpartition("/")[2] for path in asked] == ["classnames.txt", "b-0.tar"]
    list(rows)
    list(opened("memory://bucket/birds"))
    assert len(asked) == 4
    monkeypatch.setattr(access, "_forbidden", True)
    assert len(cells(opened("memory://bucket/birds"))) == 9, "offline they are read from here"
    with pytest.raises(DataUnavailable, match="offline nothing is fetched"):
        opened("memory://bucket/birds/b-0.tar")


def test_a_shard_that_changed_is_refused(bucket: Path) -> None:
    source = opened("memory://bucket/birds")
    fsspec.filesystem("memory").pipe_file("/bucket/birds/b-10.tar", shard(50))
    with pytest.raises(DataError, match=r"b-10.tar at memory://bucket/birds changed since its shards were listed"):
        list(source)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("memory://bucket/none", "there is no"),
        ("memory://bucket/birds/*.zip", "there is no tar file"),
        ("simplecache::memory://bucket/birds", "chains"),
        ("nowhere://bucket/birds", "cannot be read"),
        ("s3://bucket/birds", "needs a package|cannot be read"),
    ],
)
def test_what_is_not_there_is_told(bucket: Path, path: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        opened(path)


def test_names_that_no_file_can_have_here(bucket: Path) -> None:
    fsspec.filesystem("memory").pipe_file("/bucket/odd/.hidden.tar", shard(1))
    with pytest.raises(DataError, match="no file can have here"):
        _Remote("memory://bucket/odd")
