"""From data as people have it to a task file that runs, in one command."""

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import mmbench
from mmbench.benchmarks.starting.text import starting_task
from mmbench.harness.errors import DataError
from tests.hub_server import COMMIT, Served


def picture(path: Path, place: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (20, 16), (place * 7 % 256, 90, 30)).save(path)
    return path


def shown(place: int) -> bytes:
    held = io.BytesIO()
    PIL.Image.new("RGB", (20, 16), (place, 1, 2)).save(held, "PNG")
    return held.getvalue()


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def photos(folder: Path, count: int) -> list[str]:
    return [picture(folder / "photos" / f"{i}.jpg", i).relative_to(folder).as_posix() for i in range(count)]


def class_folders(folder: Path) -> Path:
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            for i in range(3):
                picture(folder / "pets" / split / name / f"{i}.jpg", i)
    return folder / "pets"


def labelled_csv(folder: Path) -> Path:
    rows = [f"{name},{('cat', 'dog')[i % 2]},{('in', 'out')[i // 5]},test" for i, name in enumerate(photos(folder, 10))]
    path = folder / "My Pets (final).csv"
    path.write_text("\n".join(["file,species,where,split", *rows, f"{photos(folder, 1)[0]},cat,in,train"]), "utf-8")
    return path


def questions(folder: Path) -> Path:
    return lines(
        folder / "q.jsonl",
        [{"image": p, "question": "What is it?", "answers": ["a", "b"]} for p in photos(folder, 4)],
    )


def yes_no(folder: Path) -> Path:
    rows = [{"img": p, "query": "Is it red?", "answer": ("Yes", "no")[i % 2]} for i, p in enumerate(photos(folder, 4))]
    return lines(folder / "yn.jsonl", rows)


def choices(folder: Path) -> Path:
    rows = [
        {"image": p, "question": "Which?", "choices": ["x", "y"], "answer": i % 2}
        for i, p in enumerate(photos(folder, 4))
    ]
    return lines(folder / "mc.jsonl", rows)


def captions(folder: Path) -> Path:
    rows = [{"image": p, "captions": [f"picture {i}", f"the {i}th"]} for i, p in enumerate(photos(folder, 4))]
    return lines(folder / "c.jsonl", rows)


def pairs(folder: Path) -> Path:
    first, second = photos(folder, 2)
    row = {"image_0": first, "image_1": second, "caption_0": "a b", "caption_1": "b a"}
    return lines(folder / "wino.jsonl", [row, row])


def hub_shards(folder: Path) -> Path:
    (folder / "set" / "data").mkdir(parents=True)
    feature = {"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}
    for name in ("train-00000-of-00001", "test-00000-of-00002", "test-00001-of-00002"):
        table = pa.table({"image": [{"bytes": shown(i), "path": None} for i in range(4)], "label": [0, 1, 1, 0]})
        table = table.replace_schema_metadata({"huggingface": json.dumps(feature)})
        pq.write_table(table, folder / "set" / "data" / f"{name}.parquet")
    return folder / "set"


def vlmevalkit(folder: Path) -> Path:
    rows = [f"{i}\t{base64.b64encode(shown(i)).decode()}\tWhich?\tcat\tdog\t{'AB'[i % 2]}" for i in range(4)]
    path = folder / "Own_DEV.tsv"
    path.write_text("\n".join(["index\timage\tquestion\tA\tB\tanswer", *rows]) + "\n", encoding="utf-8")
    return path


def coco(folder: Path) -> Path:
    names = photos(folder, 3)
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    written = [{"image_id": i % 3, "caption": f"caption {i}"} for i in range(6)]
    path = folder / "captions_val.json"
    path.write_text(json.dumps({"images": images, "annotations": written}))
    return path


def karpathy(folder: Path) -> Path:
    def image(place: int, name: str) -> dict[str, Any]:
        return {
            "filename": name,
            "imgid": place,
            "split": ("test", "train")[place % 2],
            "sentences": [{"raw": f"c {place}"}],
        }

    path = folder / "dataset_flickr30k.json"
    path.write_text(json.dumps({"images": [image(i, name) for i, name in enumerate(photos(folder, 4))]}))
    return path


def vqa_json(folder: Path) -> Path:
    path = folder / "val.json"
    path.write_text(
        json.dumps([{"image": p, "question": "?", "answers": [{"answer": "a cup"}]} for p in photos(folder, 2)])
    )
    return path


def webdataset(folder: Path) -> Path:
    (folder / "wds" / "test").mkdir(parents=True)
    (folder / "wds" / "classnames.txt").write_text("cat\ndog\n")
    with tarfile.open(folder / "wds" / "test" / "0.tar", "w") as shard:
        for i in range(4):
            for ending, held in (("png", shown(i)), ("cls", b"%d" % (i % 2))):
                told = tarfile.TarInfo(f"s{i:07d}.{ending}")
                told.size = len(held)
                shard.addfile(told, io.BytesIO(held))
    return folder / "wds"


CASES: list[tuple[Callable[[Path], Path], str, str, int]] = [
    (class_folders, "folder", "zero-shot-classification", 6),
    (labelled_csv, "csv", "zero-shot-classification", 10),
    (questions, "jsonl", "vqa", 4),
    (yes_no, "jsonl", "yes-no", 4),
    (choices, "jsonl", "multiple-choice", 4),
    (captions, "jsonl", "retrieval", 4),
    (pairs, "jsonl", "pairs", 2),
    (hub_shards, "parquet", "zero-shot-classification", 8),
    (vlmevalkit, "tsv", "multiple-choice", 4),
    (coco, "coco", "retrieval", 3),
    (karpathy, "karpathy", "retrieval", 2),
    (vqa_json, "vqa-json", "vqa", 2),
    (webdataset, "webdataset", "zero-shot-classification", 4),
]


@pytest.mark.parametrize(("make", "kind", "family", "rows"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_task_file_is_guessed_that_runs(
    tmp_path: Path, make: Callable[[Path], Path], kind: str, family: str, rows: int
) -> None:
    data = make(tmp_path)
    (tmp_path / "tasks").mkdir()
    text = starting_task(data, tmp_path / "tasks")
    told = yaml.safe_load(text)
    assert (told["source"]["kind"], told["family"]) == (kind, family)
    (tmp_path / "tasks" / "own.yaml").write_text(text, encoding="utf-8")
    made = mmbench.run(
        "chance", task=tmp_path / "tasks" / "own.yaml", output=tmp_path / "results", store=tmp_path / "store.sqlite"
    )
    assert not made.problems
    (record,) = made.records
    assert (record.dataset["n"], record.errors) == (rows, 0)


def test_what_was_found_is_told(tmp_path: Path) -> None:
    text = starting_task(labelled_csv(tmp_path), tmp_path)
    assert "guessed from its 10 rows" in text
    assert "source: {kind: csv, path: My Pets (final).csv, split: test}  # rows of each split: test 10, train 1" in text
    assert "facts: [where]  # scores are broken down by these" in text
    assert "\nname: my-pets-final\n" in text


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        (
            [{"image": "photos/0.jpg", "label": 3}],
            "labels are numbers: write the names of the classes into classes.txt",
        ),
        ([{"image": "gone.jpg", "label": "cat"}], "no column holds pictures that can be read"),
        ([{"image": "photos/0.jpg", "question": "?"}], "no column holds the answers: name it as `answers`"),
        ([{"image": "photos/0.jpg", "question": "?", "options": ["x", "y"]}], "no column says which option is right"),
    ],
)
def test_what_a_person_must_settle_is_said(tmp_path: Path, rows: list[dict[str, Any]], doubt: str) -> None:
    photos(tmp_path, 1)
    assert f"# To look at: {doubt}" in starting_task(lines(tmp_path / "d.jsonl", rows), tmp_path)


def loose(folder: Path) -> Path:
    photos(folder, 3)
    return folder / "photos"


def several_tables(folder: Path) -> Path:
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("x,y\n1,2\n")
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "gone", "is neither a file nor a folder"),
        (loose, "holds pictures, and nothing that says what they show"),
        (several_tables, r"holds 2 tables \(a.csv, b.csv\); name one of them"),
        (lambda folder: folder, "holds no class folders with pictures, no table and no shards"),
        (
            lambda folder: lines(folder / "n.jsonl", [{"width": 1}]),
            "has the columns width, and none is known for a label",
        ),
        (lambda folder: lines(folder / "n.xlsx", []), "ends in no format that is read"),
        (lambda folder: lines(folder / "n.json", [{"width": 1}]), "is none of the documents that are read"),
    ],
)
def test_what_cannot_be_guessed_is_refused(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(DataError, match=message):
        starting_task(make(tmp_path), tmp_path)


def test_through_the_command_line(tmp_path: Path) -> None:
    class_folders(tmp_path)

    def called(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mmbench", "init", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    made = called("pets")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0] == "Wrote pets.yaml"
    assert "pets@1: zero-shot-classification, 6 rows" in made.stdout
    again = called("pets")
    assert again.returncode == 2
    assert "pets.yaml is there already; name another file with --to" in again.stderr
    assert called("pets", "--to", "no/such.yaml").returncode == 2
    assert called("pets", "--to", "other.yaml").returncode == 0


def test_of_a_class_and_its_number_the_name_is_taken(tmp_path: Path) -> None:
    rows = [{"file": p, "class_index": i, "class_name": f"fish {i}"} for i, p in enumerate(photos(tmp_path, 3))]
    assert yaml.safe_load(starting_task(lines(tmp_path / "d.jsonl", rows), tmp_path))["fields"]["label"] == "class_name"


@pytest.mark.parametrize("where", ["a column that is left", "a split", "the label", "a fact"])
def test_names_of_the_data_write_no_keys(tmp_path: Path, where: str) -> None:
    evil = "x\nroutes: [embed]\ny\x1b[2J"
    rows: list[dict[str, Any]] = [{"image": p, "label": "cat"} for p in photos(tmp_path, 4)]
    for i, row in enumerate(rows):
        if where == "a split":
            row["split"] = evil if i else "test"
        elif where == "the label":
            row[f"label {evil}"] = row.pop("label")
        else:
            row[evil] = ("u", "v")[i % 2] if where == "a fact" else i
    text = starting_task(lines(tmp_path / "d.jsonl", rows), tmp_path)
    told = yaml.safe_load(text)
    assert set(told) <= {"name", "version", "family", "source", "fields", "facts", "card"}
    assert "\x1b" not in text


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.tsv")
    with pytest.raises(DataError, match="a pipe"):
        starting_task(tmp_path / "p.tsv", tmp_path)


def test_a_data_set_of_the_hub_from_a_few_ranges(
    hub: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[..., tuple[int, str, str]]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, 40_000, dtype=np.uint8).tobytes()
    rows = 300
    table = pa.table(
        {
            "image": [{"bytes": shown(n % 250) + noise, "path": None} for n in range(rows)],
            "label": pa.array([n % 2 for n in range(rows)], pa.int64()),
            "place": [("in", "out")[n // 150] for n in range(rows)],
        }
    )
    told = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["owl", "robin"]}}
    held = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": told}})}), held)
    hub.licences["datasets/some/birds"], hub.gated["datasets/some/birds"] = "cc-by-4.0", "auto"
    hub.put(
        "datasets/some/birds",
        {
            "README.md": b"# Birds\n",
            "data/train-00000-of-00001.parquet": held.getvalue(),
            "data/test-00000-of-00001.parquet": held.getvalue(),
        },
    )
    hub.gated.clear()
    monkeypatch.chdir(tmp_path)
    code, out, err = command("init", "some/birds")
    assert code == 0, err
    assert "Next: mmbench fetch --task birds.yaml" in out and "its splits: test, train" in out
    made = yaml.safe_load((tmp_path / "birds.yaml").read_text())
    assert made["source"] == {"kind": "hub", "id": "some/birds", "revision": COMMIT, "split": "test"}
    assert (made["family"], made["fields"]) == ("zero-shot-classification", {"image": "image", "label": "label"})
    assert made["facts"] == ["place"] and made["card"]["items"] == rows
    assert made["card"]["licence"] == "cc-by-4.0" and made["card"]["bytes"] == len(held.getvalue())
    assert "test-00000-of-00001.parquet" not in hub.fetched()
    assert hub.sent < 500_000 < len(held.getvalue()) / 15
    assert command("run", "--task", "birds.yaml", "--model", "chance")[0] == 0


def test_other_files_of_the_hub(hub: Served, tmp_path: Path) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as made:
        for n in range(6):
            for name, content in ((f"s{n}.png", shown(n)), (f"s{n}.cls", b"%d" % (n % 2))):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
    pictures = {f"images/{n}.png": shown(n) for n in range(9)}
    asked = "".join(f"images/{n}.png,what is it?,a thing {n}\n" for n in range(9))
    for name, files, family in (
        ("tars", {"test/0.tar": archive.getvalue(), "classnames.txt": b"owl\nrobin\n"}, "zero-shot-classification"),
        ("tables", {"test.csv": f"image,question,answer\n{asked}".encode(), **pictures}, "vqa"),
        ("folders", {f"{c}/{n}.png": shown(n) for c in ("cat", "dog") for n in range(4)}, "zero-shot-classification"),
    ):
        hub.put(f"datasets/some/{name}", files)
        made_of = yaml.safe_load(starting_task(Path(f"some/{name}"), tmp_path))
        assert made_of["family"] == family and made_of["source"]["revision"] == COMMIT, name
        assert len([path for path in hub.fetched() if path.endswith(".png")]) <= 6
        hub.asked.clear()
    hub.put("datasets/some/nothing", {"a.txt": b"x"})
    with pytest.raises(DataError, match="has no files that are read"):
        starting_task(Path("some/nothing"), tmp_path)
    with pytest.raises(DataError, match="is neither a file nor a folder"):
        starting_task(Path("nothing"), tmp_path)
