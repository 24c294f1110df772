"""Public data had before a run, with the real client of a hub on loopback: what is told, pinned and refused."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from mmbench.harness.hub import lock, repository
from mmbench.harness.hub.access import network
from mmbench.harness.tasks.catalogue import find_task
from tests.benchmarks.sources.test_hub import NAME, OTHER, SHARDS, shard, tar_of
from tests.benchmarks.sources.test_webdataset import encoded
from tests.effort import within
from tests.hub_server import COMMIT, Served

Command = Callable[..., tuple[int, str, str]]
TASK = """name: {name}
family: zero-shot-classification
source: {{kind: hub, id: {id}, split: test{more}}}
fields: {{image: image, label: label}}
card: {{licence: "{licence}"}}
"""


@pytest.fixture
def suite(hub: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three tasks over two data sets, of which one is pinned by its file."""
    monkeypatch.chdir(tmp_path)
    hub.put(f"datasets/{NAME}", SHARDS)
    hub.put("datasets/some/owls", {"test-00000-of-00001.parquet": shard(range(6))})
    for name, id_, more, licence in (
        ("birds", NAME, "", "cc-by-4.0"),
        ("birds-again", NAME, f", revision: {COMMIT}", "cc-by-4.0"),
        ("owls", "some/owls", "", ""),
    ):
        (tmp_path / f"{name}.yaml").write_text(TASK.format(name=name, id=id_, more=more, licence=licence))
    (tmp_path / "s.yaml").write_text("name: s\ntasks: [birds.yaml, birds-again.yaml, owls.yaml]\n")
    return tmp_path / "s.yaml"


def forbid_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)


def test_nothing_is_fetched_before_somebody_agrees(hub: Served, suite: Path, command: Command) -> None:
    code, out, err = command("fetch", "--suite", str(suite))
    assert code == 2 and "give --yes" in err
    assert "cc-by-4.0" in out and "not stated" in out and "free on the disk" in out
    assert hub.fetched() == []


def test_all_is_fetched_once_and_a_second_time_nothing(hub: Served, suite: Path, command: Command) -> None:
    code, out, err = command("fetch", "--suite", str(suite), "--yes", "--format", "json")
    assert code == 0, err
    rows = json.loads(out)
    size = sum(map(len, SHARDS.values()))
    assert [(row["name"], row["missing"]) for row in rows] == [("birds@1", 0), ("birds-again@1", 0), ("owls@1", 0)]
    assert [row["bytes"] for row in rows[:2]] == [size, size] and rows[0]["commit"] == COMMIT
    assert sorted(hub.fetched()) == sorted(
        [*(path.rpartition("/")[2] for path in SHARDS), "test-00000-of-00001.parquet"]
    )
    hub.asked.clear()
    code, out, _ = command("fetch", "--suite", str(suite))
    assert code == 0 and "All of it is here." in out and hub.asked == []
    code, out, _ = command("fetch", "--list", "--format", "json")
    listed = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and listed[NAME]["bytes"] == size and listed[NAME]["commits"] == [COMMIT]
    assert listed[NAME]["locked"] == COMMIT


def test_what_is_gated_is_told_and_the_rest_is_fetched(hub: Served, suite: Path, command: Command) -> None:
    hub.gated["datasets/some/owls"] = "manual"
    hub.licences[f"datasets/{NAME}"] = "mit"
    code, out, err = command("fetch", "--suite", str(suite), "--yes", "--format", "json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 1 and rows["birds@1"]["missing"] == 0 and rows["owls@1"]["missing"] > 0
    assert "wait for its owners" in rows["owls@1"]["gate"] and "HF_TOKEN" in rows["owls@1"]["gate"]
    assert "owls@1: test-00000-of-00001.parquet of some/owls cannot be fetched: it is gated" in err


def test_offline_a_whole_suite_is_named_at_once(
    hub: Served, suite: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("fetch", "--task", "birds.yaml", "--yes")[0] == 0
    victim = next((Path(constants.HF_HUB_CACHE) / "datasets--some--birds" / "snapshots").rglob("*-00001-*"))
    victim.unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    forbid_sockets(monkeypatch)
    with within(1):
        code, _, err = command("fetch", "--suite", str(suite), "--model", "clip-vitb32", "--yes")
    assert code == 1
    assert "birds@1: data/test-00001-of-00003.parquet of some/birds is not here" in err
    assert "owls@1: " in err and "the list of files of some/owls at main: not in the hub's cache" in err
    assert "clip-vitb32: its weights are not in the hub's cache" in err


def test_a_run_names_every_task_that_lacks_data(
    hub: Served, suite: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    forbid_sockets(monkeypatch)
    code, _, err = command("run", "--suite", str(suite), "--model", "chance", "--offline")
    assert code == 2 and "3 tasks lack data, which `mmbench fetch` gets" in err
    assert [line.split(": ")[1] for line in err.splitlines()[1:]] == ["birds@1", "birds-again@1", "owls@1"]
    assert "some/owls at main" in err


def test_a_task_without_a_revision_stays_with_the_commit_it_was_first_asked_at(
    hub: Served, suite: Path, command: Command
) -> None:
    code, out, err = command("lock", "--suite", str(suite), "--format", "json")
    assert code == 0, err
    rows = {row["task"]: row for row in json.loads(out)}
    assert rows["birds-again@1"]["by"] == "task" and rows["birds@1"]["by"].endswith("hub/some--birds/lock.json")
    held = json.loads(Path(rows["birds@1"]["by"]).read_text())
    assert held["main"]["commit"] == COMMIT and set(held["main"]["files"]) == set(SHARDS)
    assert hub.fetched() == []

    hub.put("datasets/some/owls", {"test-00000-of-00001.parquet": shard(range(2))}, OTHER)
    hub.put(f"datasets/{NAME}", SHARDS, OTHER)
    hub.branches["main"] = OTHER
    repository._stand_for.clear()  # as in the next run
    code, out, _ = command("run", "--task", "owls.yaml", "--model", "chance", "--format", "json")
    assert code == 0 and json.loads(out)[0]["n"] == 6
    record = next(Path("results/runs/chance").glob("owls@1-*.json"))
    assert any(COMMIT in note and "locked" in note for note in json.loads(record.read_text())["notes"])

    code, _, err = command("lock", "--suite", str(suite))
    assert code == 1 and f"stands for the commit {OTHER} now, and is locked to {COMMIT}" in err
    assert "--update-lock" in err and "birds-again" not in err
    assert command("lock", "--task", "owls.yaml", "--update-lock")[0] == 0
    code, out, _ = command("run", "--task", "owls.yaml", "--model", "chance", "--format", "json")
    assert code == 0 and json.loads(out)[0]["n"] == 2
    assert lock.read(NAME, "main").commit == COMMIT  # of another task


def test_other_digests_under_a_locked_commit_are_refused(hub: Served, suite: Path, command: Command) -> None:
    assert command("fetch", "--task", "owls.yaml", "--yes")[0] == 0
    hub.put("datasets/some/owls", {"test-00000-of-00001.parquet": shard(range(7, 13))})  # history written anew
    for file in lock.file_of("some/owls").parent.glob(f"{COMMIT}.json"):
        file.unlink()
    code, _, err = command("run", "--task", "owls.yaml", "--model", "chance")
    assert code == 2 and "is another file now, by the lock of 'main'" in err and "--update-lock" in err
    assert command("lock", "--task", "owls.yaml", "--update-lock")[0] == 0
    del hub.repositories["datasets/some/owls"]
    for file in lock.file_of("some/owls").parent.glob(f"{COMMIT}.json"):
        file.unlink()
    code, _, err = command("fetch", "--task", "owls.yaml", "--yes")
    assert code == 1 and "'main' is locked to aaaaaaaaaaaa" in err


def test_a_lock_that_cannot_be_read_is_not_passed_over(hub: Served, suite: Path, command: Command) -> None:
    file = lock.file_of("some/owls")
    file.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"main": {"commit": "x", "files": {}}}', '{"main": 3}'):
        file.write_text(text)
        code, _, err = command("lock", "--task", "owls.yaml")
        assert code == 1 and "cannot be read" in err and "remove it" in err


def test_of_two_first_runs_one_locks(hub: Served, suite: Path) -> None:
    first = repository.Repository(NAME, None)
    hub.put(f"datasets/{NAME}", SHARDS, OTHER)
    hub.branches["main"] = OTHER
    repository._stand_for.clear()  # as in another process
    second = repository.Repository(NAME, None)
    first.lock(SHARDS)
    with pytest.raises(lock.DataError, match="another run locked 'main'"):
        second.lock(SHARDS)
    assert repository.Repository(NAME, None).commit == COMMIT


def test_without_a_home_the_note_says_that_nothing_is_locked(
    hub: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "file"))
    hub.put(f"datasets/{NAME}", SHARDS)
    held = repository.Repository(NAME, None)
    held.lock(SHARDS)
    assert "cannot be locked here; name it as `revision`" in held.notes[0]


def test_a_file_is_fetched_once_where_two_ask_at_the_same_time(hub: Served) -> None:
    hub.put(f"datasets/{NAME}", SHARDS)
    path = next(iter(SHARDS))
    hub.faults.seconds = 0.05
    found: list[Path] = []
    asking = [
        threading.Thread(target=lambda: found.append(repository.Repository(NAME, COMMIT).fetch(path))) for _ in "ab"
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert [file.read_bytes() for file in found] == [SHARDS[path]] * 2
    assert hub.fetched().count(path.rpartition("/")[2]) == 1


def test_a_page_of_a_proxy_is_no_answer_and_is_not_kept(hub: Served, command: Command, suite: Path) -> None:
    page = b"<html>Please log in</html>"
    path = next(iter(SHARDS))
    hub.faults.instead[path] = page + b" " * (len(SHARDS[path]) - len(page))
    code, _, err = command("fetch", "--task", "birds.yaml", "--yes")
    assert code == 1 and "by its digest" in err and "proxy" in err
    hub.faults.instead.clear()
    assert command("fetch", "--task", "birds.yaml", "--yes")[0] == 0
    hub.faults.page = page
    code, _, err = command("fetch", "--task", "owls.yaml", "--yes")
    assert code == 1 and "what answers is not the hub" in err and "proxy" in err


def test_what_was_cut_goes_on_and_a_damaged_file_is_told(
    hub: Served, suite: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)
    path, content = next(iter(SHARDS.items()))
    hub.faults.cut[path] = len(content) // 2
    assert command("fetch", "--task", "birds.yaml", "--yes")[0] == 0
    assert [line for line in hub.asked if path in line and "bytes=" in line]
    blob = next((Path(constants.HF_HUB_CACHE) / "datasets--some--birds" / "snapshots").rglob("*-00000-*")).resolve()
    blob.write_bytes(content[:-1])
    code, _, err = command("fetch", "--task", "birds.yaml", "--yes")
    assert code == 1 and f"remove {blob}" in err


def test_too_small_a_disk_and_a_cache_of_others(
    hub: Served, suite: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbench.harness.fetch.pieces.free_bytes", lambda: 10)
    code, _, err = command("fetch", "--task", "birds.yaml", "--yes")
    assert code == 1 and "not room enough" in err and "HF_HOME" in err and hub.fetched() == []
    monkeypatch.undo()


def test_a_cache_that_cannot_be_written(hub: Served, suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", closed)
    with pytest.raises(lock.DataError, match="cannot be written; set HF_HOME"):
        repository.Repository(NAME, COMMIT).fetch(next(iter(SHARDS)))


@pytest.mark.parametrize("answer", ["", "n\n", "y\n"])
def test_a_person_is_asked(
    hub: Served, suite: Path, command: Command, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("mmbench.harness.cli.fetch._asked", lambda: answer)
    code, _, err = command("fetch", "--task", "owls.yaml")
    assert (code == 0) == (answer == "y\n") and bool(hub.fetched()) == (answer == "y\n")
    assert ("nothing was fetched, as you said" in err) == (answer != "y\n")


def test_what_is_wanted_must_be_named(command: Command) -> None:
    for name in ("fetch", "lock"):
        code, _, err = command(name)
        assert code == 2 and "--suite" in err
    code, out, _ = command("fetch", "--task", "digits", "--model", "tiny-coca")
    assert code == 0 and "Nothing of it comes from the hub" in out


def test_weights_of_open_clip_by_their_alias(hub: Served, command: Command) -> None:
    hub.put("models/timm/vit_base_patch32_clip_224.openai", {"open_clip_model.safetensors": b"x" * 5_000})
    code, out, err = command("fetch", "--model", "clip-vitb32", "--yes", "--format", "json")
    (row,) = json.loads(out)
    assert code == 0, err
    assert (row["name"], row["source"], row["missing"]) == ("clip-vitb32", "timm/vit_base_patch32_clip_224.openai", 0)
    assert hub.fetched() == ["open_clip_model.safetensors"]


def test_one_root_for_data_and_the_cache_of_the_hub(tmp_path: Path, hub: Served, suite: Path) -> None:
    """`HF_HOME` is read when the client is imported, so that another process must be asked."""
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    here = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HOME": str(tmp_path / "user")}
    env = {**clean, **here, "HF_HOME": str(tmp_path / "hf"), "MMBENCH_HOME": str(tmp_path / "mm")}
    command = [sys.executable, "-m", "mmbench", "fetch", "--task", "owls.yaml", "--yes"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert written - {"birds.yaml", "birds-again.yaml", "owls.yaml", "s.yaml"} == {"hf", "mm"}
    assert list((tmp_path / "mm").rglob("lock.json")) and list((tmp_path / "hf" / "hub").rglob("*.parquet"))


def test_tar_shards_and_other_rows_that_a_task_names(
    hub: Served, suite: Path, command: Command, tmp_path: Path
) -> None:
    shards = {f"{split}/0.tar": tar_of(tmp_path, range(2)) for split in ("train", "test")}
    hub.put("datasets/some/cats", {**shards, "classnames.txt": b"tabby cat\nhot dog\n"})
    split = "split: {train: train, test: test}"
    (tmp_path / "both.yaml").write_text(
        f"name: both\nfamily: zero-shot-classification\nsource: {{kind: hub, id: some/cats, {split}}}\n"
        "templates: ['a {}.']\n"
    )
    (tmp_path / "asked.yaml").write_text(
        "name: asked\nfamily: vqa\nsource: {kind: hub, id: some/cats, split: test}\n"
        "fields: {question: txt, answers: captions}\ncandidates: {split: train, limit: 2}\n"
    )
    for name in ("both", "asked"):
        files = {path for each in find_task(f"{name}.yaml").needed() for path in each.files}
        assert files == {"train/0.tar", "test/0.tar", "classnames.txt"}, name
    code, _, err = command("fetch", "--task", "both.yaml", "--yes")
    assert code == 0, err
    hub.asked.clear()
    assert command("run", "--task", "both.yaml", "--model", "chance")[0] == 0
    assert hub.asked == []


def test_tables_are_fetched_with_the_pictures_that_they_name(hub: Served, suite: Path, command: Command) -> None:
    table = "image,label\n" + "".join(f"p/{n}.png,{'ab'[n % 2]}\n" for n in range(4))
    pictures = {f"p/{n}.png": encoded((n, 1, 2)) for n in range(6)}
    hub.put("datasets/some/owls", {"test.csv": table.encode(), **pictures})
    code, out, err = command("fetch", "--task", "owls.yaml", "--yes", "--format", "json")
    assert code == 0, err
    assert json.loads(out)[0]["bytes"] == len(table) + sum(len(encoded((n, 1, 2))) for n in range(4))
    assert sorted(hub.fetched()) == ["0.png", "1.png", "2.png", "3.png", "test.csv"]
    with network(allowed=False):
        assert command("run", "--task", "owls.yaml", "--model", "chance")[0] == 0
