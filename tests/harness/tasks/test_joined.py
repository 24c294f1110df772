"""Splits of one data set read as one table, of every kind of source that has them."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.adapters.baselines.pixels import RawPixels
from mmbench.benchmarks.sources.parquet import ParquetFile
from mmbench.harness.errors import DataError
from mmbench.harness.run.run import run
from mmbench.harness.tasks.joined import Joined
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task

PROBE = "name: t\nfamily: probe\nshots: [1]\nsweep: false\n"


def task(folder: Path, source: str, keys: str = PROBE) -> Task:
    path = folder / "t.yaml"
    path.write_text(f"{keys}source: {{{source}}}\n", encoding="utf-8")
    return load_task(path)


def picture(folder: Path, name: str, level: int) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (2, 2), (level, 0, 0)).save(file)
    return name


def folders(folder: Path) -> str:
    for split in ("seen", "asked"):
        for n in range(4):
            picture(folder, f"data/{split}/{'ab'[n % 2]}/{n}.png", 60 * n + len(split))
    return "kind: folder, path: data"


def table(folder: Path) -> str:
    rows = [("seen" if n < 4 else "asked", "ab"[n % 2], n % 4) for n in range(8)]
    lines = [f"{n},{picture(folder, f'{i}.png', 30 * i)},{label},{split}" for i, (split, label, n) in enumerate(rows)]
    (folder / "data.csv").write_text("\n".join(["id,image,label,split", *lines]))
    return "kind: csv, path: data.csv"


def tars(folder: Path) -> str:
    for split in ("seen", "asked"):
        (folder / "data" / split).mkdir(parents=True)
        with tarfile.open(folder / "data" / split / "0.tar", "w") as archive:
            for n in range(4):
                picture(folder, "x.png", 50 * n + len(split))
                for ending, content in (("png", (folder / "x.png").read_bytes()), ("cls", str(n % 2).encode())):
                    member = tarfile.TarInfo(f"s{n}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    (folder / "data" / "classnames.txt").write_text("a\nb\n")
    return "kind: webdataset, path: data"


@pytest.mark.parametrize("make", [folders, tars, table])
def test_every_kind_of_source_with_splits(make: Callable[[Path], str], tmp_path: Path) -> None:
    made = task(tmp_path, f"{make(tmp_path)}, split: {{train: seen, test: asked}}")
    assert made.size == 8
    samples = list(made.family.samples())
    assert len({sample.id for sample in samples}) == 8
    parts = made.family.parts(samples)  # type: ignore[attr-defined]  # of a probe
    assert [*parts].count("test") == 4
    record = run(RawPixels(), task=made, output=tmp_path / "results", store=tmp_path / "s.sqlite").records[0]
    assert record.primary.n == 4 and not [note for note in record.notes if "split" in note]


def test_ids_begin_with_the_split(tmp_path: Path) -> None:
    made = task(tmp_path, f"{tars(tmp_path)}, split: {{train: seen, test: asked}}")
    assert [sample.id for sample in made.family.samples()] == [f"{s}/s{n}" for s in ("train", "test") for n in range(4)]


def test_other_splits_are_another_protocol(tmp_path: Path) -> None:
    source = tars(tmp_path)
    one = task(tmp_path, f"{source}, split: {{train: seen, test: asked}}").protocol
    other = task(tmp_path, f"{source}, split: {{train: asked, test: seen}}").protocol
    assert one == other  # the division alone; what is in it, the digest of the data tells
    assert one != task(tmp_path, f"{source}, split: seen").protocol


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("{train: seen, test: seen}", "names one split of the data twice"),
        ("{}", "`split` is one split, or several"),
        ("{train: [seen]}", "`split` is one split, or several"),
        ("{train: 3, test: asked}", "`split` is one split, or several"),
        ("{train: seen, test: missing}", "has no folder 'missing'"),
        ("{train: seen, exam: asked}", "exam"),
    ],
)
def test_what_cannot_be_read_is_refused(split: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        made = task(tmp_path, f"{tars(tmp_path)}, split: {split}")
        run(RawPixels(), task=made, output=tmp_path / "r", store=tmp_path / "s.sqlite")
        list(made.family.samples())
        made.family.parts(list(made.family.samples()))  # type: ignore[attr-defined]
    assert said in str(caught.value) and "line 5" in str(caught.value) or "exam" in said


def test_splits_with_other_names_or_columns_are_refused(tmp_path: Path) -> None:
    for split, column in (("seen", "label"), ("asked", "labels")):
        (tmp_path / split).mkdir()
        file = tmp_path / split / "0.parquet"
        pq.write_table(pa.table({"image": [picture(tmp_path, "x.png", 9)], column: ["a"]}), file)
    with pytest.raises(DataError, match="differ in their columns: label, labels"):
        Joined({name: ParquetFile(tmp_path / name, None) for name in ("seen", "asked")})


def test_a_suite_may_name_one_of_the_splits(tmp_path: Path) -> None:
    source = tars(tmp_path)
    task(tmp_path, f"{source}, split: {{train: seen, test: asked}}")
    assert load_task(tmp_path / "t.yaml", "asked").size == 4
