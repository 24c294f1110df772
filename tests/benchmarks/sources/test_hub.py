"""Data sets of a hub on loopback, with its real client: what is fetched, what is pinned, and what is refused."""

import errno
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from mmbench.benchmarks.sources.cells import picture
from mmbench.benchmarks.sources.hub import Hub, HubSpec
from mmbench.harness.errors import DataError
from mmbench.harness.hub import repository
from mmbench.harness.hub.access import network
from tests.benchmarks.sources.test_webdataset import encoded, samples
from tests.hub_server import COMMIT, Served, hub_server

NAME = "some/birds"
OTHER = "b" * 40
FEATURES = {"label": {"_type": "ClassLabel", "names": ["owl", "robin"]}, "image": {"_type": "Image"}}


def shard(numbers: range, features: dict[str, Any] | None = FEATURES, **more: list[Any]) -> bytes:
    pictures = [{"bytes": encoded((n, 9, 200)), "path": f"{n}.webp"} for n in numbers]
    labels = pa.array([n % 2 for n in numbers], pa.int64())
    table = pa.table({"image": pictures, "label": labels, "level": [n / 10 for n in numbers], **more})
    if features is not None:
        told = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": told})
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


SHARDS = {f"data/test-0000{n}-of-00003.parquet": shard(range(4 * n, 4 * n + 4)) for n in range(3)}


@pytest.fixture(autouse=True)
def birds(request: pytest.FixtureRequest) -> None:
    """What the hub has."""
    if "hub" in request.fixturenames:
        request.getfixturevalue("hub").put(f"datasets/{NAME}", SHARDS)


def opened(split: str | None = "test", **keys: Any) -> Hub:
    spec = HubSpec(**{"kind": "hub", "id": NAME, "revision": COMMIT, "split": split, **keys})
    return Hub.open(spec, Path(), spec.split)


def refused(**keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        list(opened(**keys))
    return str(caught.value)


def test_rows_come_shard_by_shard(hub: Served) -> None:
    source = opened()
    assert (len(source), list(source.columns())) == (12, ["image", "label", "level"])
    assert source.class_names("label") == ("owl", "robin")
    assert hub.fetched() == [] and source.missing_bytes() == sum(map(len, SHARDS.values()))
    rows = iter(source)
    first = next(rows)
    assert hub.fetched() == ["test-00000-of-00003.parquet"]
    assert picture(first.cells["image"], first).pil().getpixel((0, 0)) == (0, 9, 200)
    assert first.where == "test-00000-of-00003.parquet row 0"
    assert [first.cells["label"], *(row.cells["label"] for row in rows)] == [0, 1] * 6
    assert source.missing_bytes() == 0 and source.notes == []
    hub.asked.clear()
    assert list(opened().values("level")) == [n / 10 for n in range(12)]
    assert hub.asked == []
    assert set(next(iter(source.only(["label"]))).cells) == {"label"}


def test_a_branch_is_one_commit_for_the_whole_run_and_is_noted(hub: Served) -> None:
    source = opened(revision=None)
    assert f"'main' stood for the commit {COMMIT}" in source.notes[0]
    hub.put(f"datasets/{NAME}", {"data/test-00000-of-00001.parquet": shard(range(2))}, OTHER)
    hub.branches["main"] = OTHER

    assert len(opened(revision=None)) == 12
    assert len(opened(revision=OTHER)) == 2
    repository._stand_for.clear()  # as in the next run
    assert len(opened(revision=None)) == 12  # locked
    assert len(opened(revision="main")) == 2


def test_a_download_that_is_cut_goes_on_where_it_ended(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)  # what comes is written in pieces of 10 MB
    path, content = next(iter(SHARDS.items()))
    hub.faults.cut[path] = len(content) // 2
    assert len(list(opened())) == 12
    assert [line for line in hub.asked if path in line and f"bytes={len(content) // 200 * 100}-" in line]


def test_a_changed_file_under_the_same_commit_is_refused(hub: Served) -> None:
    path, content = next(iter(SHARDS.items()))
    hub.faults.instead[path] = content[:200] + bytes([content[200] ^ 1]) + content[201:]
    assert "is not the file of commit aaaaaaaaaaaa, by its digest" in refused()
    hub.faults.instead.clear()
    assert len(list(opened())) == 12  # what came wrong was not kept
    blob = next((Path(constants.HF_HUB_CACHE) / "datasets--some--birds" / "snapshots").rglob("*-00000-*")).resolve()
    blob.write_bytes(blob.read_bytes()[:-1])
    assert f"remove {blob}" in refused()
    blob.unlink()
    assert len(list(opened())) == 12
    repository._stand_for.clear()
    hub.put(f"datasets/{NAME}", {**SHARDS, path: shard(range(50, 54))})  # history written anew
    for blob in (Path(constants.HF_HUB_CACHE) / "datasets--some--birds" / "blobs").iterdir():
        blob.unlink()
    assert "is not the file of commit" in refused()


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, ["the hub has no data set some/birds;"]),
        (401, {"X-Error-Code": "RepoNotFound"}, ["no data set some/birds, or it is private or gated", "hf auth login"]),
        (401, {"X-Error-Code": "GatedRepo"}, ["is gated", "accept its terms", "HF_TOKEN"]),
        (403, {"X-Error-Code": "GatedRepo"}, ["is gated", "/datasets/some/birds", "hf auth login"]),
        (403, {}, ["is gated"]),
        (429, {}, ["asked too often (429)", "wait"]),
        (503, {}, ["answers 503", "run again later"]),
    ],
)
def test_what_the_hub_refuses(hub: Served, status: int, headers: dict[str, str], told: list[str]) -> None:
    hub.faults.api, hub.faults.headers = status, headers
    said = refused()
    assert all(words in said for words in told), said
    assert "\n" not in said
    assert len(hub.asked) == 1


def test_what_the_hub_refuses_of_shards(hub: Served) -> None:
    source = opened()
    hub.faults.api, hub.faults.headers = 403, {"X-Error-Code": "GatedRepo"}
    with pytest.raises(DataError, match="test-00000-of-00003.parquet of some/birds cannot be fetched: it is gated"):
        next(iter(source))


def test_a_full_disk_and_a_file_that_is_gone(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    source, path = opened(), next(iter(SHARDS))
    content = hub.repositories[f"datasets/{NAME}"][COMMIT].pop(path)
    with pytest.raises(DataError, match="lists it and does not have it"):
        next(iter(source))
    hub.repositories[f"datasets/{NAME}"][COMMIT][path] = content

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(DataError, match="the disk is full; free some space, or set HF_HOME"):
        next(iter(source))


def test_a_busy_hub_is_not_waited_for(hub: Served) -> None:
    source = opened()
    hub.faults.api, hub.faults.headers = 429, {"Retry-After": "300"}
    hub.asked.clear()
    with pytest.raises(DataError, match="asked too often"):
        next(iter(source))
    assert len(hub.asked) == 1


def test_tokens_stay_with_the_client(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.faults.token = "hf_abcdefghijklmnop"
    monkeypatch.setenv("HF_TOKEN", "hf_thisiswrongwrong")
    said = refused()
    assert "hf_" not in said.replace("hf auth", "") and "log in" in said
    monkeypatch.setenv("HF_TOKEN", hub.faults.token)
    assert len(list(opened())) == 12
    for file in Path(os.environ["MMBENCH_HOME"]).rglob("*.json"):
        assert hub.faults.token not in file.read_text()


def test_no_server_and_one_that_is_silent(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (9, silent.getsockname()[1]):
            monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
            said = refused()
            assert f"the list of files of some/birds at {COMMIT[:12]}" in said and "cannot be reached" in said
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # the look of two seconds, and no client that waits longer
            silent.accept()
    assert "run where the hub answers" in said


def test_a_slow_server_is_given_up(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_ANSWER_SECONDS", 0.2)
    hub.faults.seconds = 60.0
    assert "stopped answering; run again" in refused()


def test_offline_asks_nobody_and_names_what_is_missing(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(revision=None)
    next(iter(source))
    hub.asked.clear()
    repository._stand_for.clear()

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    with network(allowed=False):
        offline = opened(revision=None)
        assert f"the commit {COMMIT}" in offline.notes[0] and len(offline) == 12
        rows = iter(offline)
        assert [next(rows).cells["label"] for _ in range(4)] == [0, 1, 0, 1]
        with pytest.raises(DataError) as caught:
            next(rows)
        missing = [path for path in SHARDS if "test-00000" not in path]
        assert f"{', '.join(missing)} of some/birds at aaaaaaaaaaaa: not in the hub's cache" in str(caught.value)
        assert "the list of files of some/else at main: not in the hub's cache" in refused(
            id="some/else", revision=None
        )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "offline nothing is fetched" in refused(id="some/else")
    assert hub.asked == []


@pytest.mark.parametrize(
    "name", ["birds", "../birds", "some/../birds", "a/b/c", "/etc/passwd", "some/..", "a b/c", "some/b--c"]
)
def test_ids_are_names(hub: Served, name: str) -> None:
    assert "write `id: ORG/NAME`" in refused(id=name)
    assert hub.asked == []


@pytest.mark.parametrize("revision", ["../main", "a b", "-x", "main?x=1", "x" * 300])
def test_revisions_are_names(hub: Served, revision: str) -> None:
    assert "write a commit" in refused(revision=revision)
    assert hub.asked == []


def test_what_there_is_not_is_named(hub: Served) -> None:
    assert "no split 'tset', only 'test'; did you mean 'test'?" in refused(split="tset")
    assert "no config 'en', only 'default'" in refused(config="en")
    assert "no such revision" in refused(revision="c" * 40)
    hub.put(f"datasets/{NAME}", {**SHARDS, "data/train-00000-of-00001.parquet": shard(range(2))}, OTHER)
    assert "several of `split`; name one" in refused(revision=OTHER, split=None)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"../outside.parquet": b"x"}, "no path within it"),
        ({"a/" * 300 + "test.parquet": b"x"}, "no path within it"),
        ({"data/test-00001-of-00002.parquet": shard(range(2))}, "lacks shard 0 of 2 of data/test"),
        ({"default/partial-test/0000.parquet": shard(range(2))}, "no split 'test'"),
        ({"test.parquet": b"<html>"}, "its end is of another kind"),
        ({"test.parquet": shard(range(0))}, "has no rows in 'test'"),
        ({"README.md": b"---\nconfigs: [\n---\n", "test.parquet": b""}, "metadata of README.md cannot be read"),
    ],
)
def test_repositories_that_cannot_be_read(hub: Served, files: dict[str, bytes], told: str) -> None:
    hub.put(f"datasets/{NAME}", files)
    assert told in refused()


def test_shards_of_other_columns_are_refused(hub: Served) -> None:
    path = "data/test-00001-of-00003.parquet"
    hub.put(f"datasets/{NAME}", {**SHARDS, path: shard(range(4), more=list("abcd"))})
    assert "test-00001-of-00003.parquet of some/birds has 4 rows of ['image', 'label', 'level', 'more']" in refused()


CARD = b"""---
configs:
- config_name: en
  default: true
  data_files:
  - {split: test, path: "english/test-*"}
  - {split: train, path: ["english/a.parquet", "english/b.parquet"]}
- config_name: fr
  data_dir: french
dataset_info:
- config_name: en
  features:
  - {name: image, dtype: image}
  - name: label
    dtype: {class_label: {names: {'0': Eule, '1': Rotkehlchen}}}
---
# Birds
"""


def test_a_readme_says_which_files_and_names(hub: Served) -> None:
    french = shard(range(5), None)
    hub.put(
        f"datasets/{NAME}",
        {
            "README.md": CARD,
            "english/test-x.parquet": shard(range(2), None),
            "english/a.parquet": shard(range(3), None),
            "english/b.parquet": shard(range(4), None),
            "french/test-00000-of-00001.parquet": french,
            "french/more/test-00000-of-00001.parquet": french,
        },
    )
    assert [len(opened()), len(opened(split="train")), len(opened(config="fr"))] == [2, 7, 10]
    assert opened().class_names("label") == ("Eule", "Rotkehlchen")
    assert opened(config="fr").class_names("label") is None
    assert "no config 'er', only 'en', 'fr'" in refused(config="er")


def test_the_hubs_own_conversion(hub: Served) -> None:
    hub.put(f"datasets/{NAME}", {"birds.py": b"raise SystemExit", "test.jsonl": b"{}"})
    said = refused()
    assert "no files that are read (" in said and "and the hub's own conversion cannot be read" in said
    hub.put(f"datasets/{NAME}", {"en/test/0000.parquet": shard(range(3)), "en/partial-train/0000.parquet": b""}, OTHER)
    hub.branches["refs/convert/parquet"] = OTHER
    said = refused()
    assert f"name `revision: {OTHER}`" in said
    source = opened(revision=None)
    assert len(source) == 3 and OTHER in source.notes[0]
    assert len(opened(revision=OTHER)) == 3
    assert "is a part that the hub converted of a larger split" in refused(revision=OTHER, split="partial-train")


def tar_of(tmp_path: Path, numbers: range) -> bytes:
    from tests.benchmarks.sources.test_webdataset import put

    return put(tmp_path / "made.tar", samples(numbers)).read_bytes()


def test_shards_of_webdataset(hub: Served, tmp_path: Path) -> None:
    files = {f"test/{n}.tar": tar_of(tmp_path, range(2 * n, 2 * n + 2)) for n in range(11)}
    beside = {
        "classnames.txt": b"tabby cat\nhot dog\n",
        "zeroshot_classification_templates.txt": b"a photo of a {c}.\n",
        "test/nshards.txt": b"11\n",
    }
    hub.put(f"datasets/{NAME}", {**files, **beside})
    source = opened()
    assert hub.fetched().count("0.tar") == 1 and "1.tar" not in hub.fetched()
    assert [row.cells["id"] for row in source] == [f"s{n:07d}" for n in range(22)]
    assert source.class_names("label") == ("tabby cat", "hot dog")
    assert source.templates() == ("a photo of a {}.",)
    assert len(source) == 22
    hub.put(f"datasets/{NAME}", {**files, **beside, "test/nshards.txt": b"12\n"}, OTHER)
    assert "has 11 shards, and nshards.txt tells of 12" in refused(revision=OTHER)


def test_ranges_are_not_for_every_server(hub: Served) -> None:
    hub.faults.ranges = False
    source = opened()
    assert (len(source), [row.cells["label"] for row in source]) == (12, [0, 1] * 6)


TASK = """name: birds
family: zero-shot-classification
source: {kind: hub, id: some/birds, split: test}
fields: {image: image, label: label}
facts: [level]
"""


def test_as_a_task_at_the_command_line(tmp_path: Path) -> None:
    def mmbench(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
        home = {"MMBENCH_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
        command = [sys.executable, "-m", "mmbench", "run", "--model", "chance", "--task", "hub.yaml", *arguments]
        full = {**clean, **home, **env}
        return subprocess.run(command, env=full, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    (tmp_path / "hub.yaml").write_text(TASK)
    with hub_server() as served:
        served.put(f"datasets/{NAME}", SHARDS)
        online = {"HF_ENDPOINT": served.url}
        planned = mmbench("--dry-run", "--format", "json", **online)
        assert planned.returncode == 0, planned.stderr
        (plan,) = json.loads(planned.stdout)
        first, *others = SHARDS.values()
        assert (plan["items"], plan["download"]) == (12, sum(map(len, others)))  # the first shows what labels are
        assert mmbench("--limit", "3", **online).returncode == 0
        assert set(served.fetched()) == {"test-00000-of-00003.parquet"}
        done = mmbench("--format", "json", **online)
        assert done.returncode == 0, done.stderr
        assert {row["n"] for row in json.loads(done.stdout)} == {12}
    again = mmbench("--offline", "--format", "json", HF_ENDPOINT=served.url)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)[0]["protocol"] == json.loads(done.stdout)[0]["protocol"]
    record = next(path for path in (tmp_path / "results" / "runs" / "chance").glob("birds@1-*.json"))
    assert any(COMMIT in note for note in json.loads(record.read_text())["notes"])


ORACLE = """
import json, sys
from datasets import Image, get_dataset_config_names, load_dataset
made = load_dataset("some/birds", sys.argv[1], revision=sys.argv[2], split=sys.argv[3])
made = made.cast_column("image", Image(decode=False))
print(json.dumps([len(made), made["label"][:], [len(each["bytes"]) for each in made["image"]]]))
"""


@pytest.mark.slow
def test_the_datasets_library_reads_the_same(hub: Served, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    card = CARD.partition(b"dataset_info")[0] + b"---\n"
    hub.put(
        f"datasets/{NAME}",
        {
            "README.md": card,
            "english/test-x.parquet": shard(range(2)),
            "english/a.parquet": shard(range(3)),
            "english/b.parquet": shard(range(4)),
            "french/data/test-00000-of-00002.parquet": shard(range(5)),
            "french/data/test-00001-of-00002.parquet": shard(range(7)),
            "french/val.parquet": shard(range(1)),
        },
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    env |= {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    for config, split in (("en", "test"), ("en", "train"), ("fr", "test")):
        command = [sys.executable, "-c", ORACLE, config, COMMIT, split]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-2000:]
        rows = [row.cells for row in opened(config=config, split=split)]
        sizes = [len(row["image"]["bytes"]) for row in rows]
        assert json.loads(done.stdout) == [len(rows), [row["label"] for row in rows], sizes]
