"""Digests of large files are remembered, and never those of what a file was before."""

import os
import time

import pytest

from mmbench.harness.digest import digest_file
from mmbench.harness.store import remembered
from mmbench.harness.store.remembered import remembered_digest


@pytest.fixture
def reads(monkeypatch, tmp_path):
    """Files that were read, in a home of their own."""
    read = []

    def counted(file):
        read.append(file.name)
        return digest_file(file)

    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(remembered, "digest_file", counted)
    monkeypatch.setattr(remembered, "_SETTLED", 0.0)
    return read


def tick(folder):
    """The time that the folder's disk gives to what is written now, which moves in steps."""
    (folder / "tick").write_bytes(b"")
    return (folder / "tick").stat().st_ctime_ns


def test_a_large_file_is_read_once(tmp_path, reads):
    file = tmp_path / "weights.bin"
    file.write_bytes(b"a" * (2 << 20))
    assert remembered_digest(file) == remembered_digest(file) == digest_file(file)
    assert reads == ["weights.bin"]
    link = tmp_path / "link.bin"
    link.symlink_to(file)
    assert remembered_digest(link) == digest_file(file)
    assert len(reads) == 1


def test_what_was_written_anew_is_read_anew(tmp_path, reads):
    file = tmp_path / "weights.bin"
    file.write_bytes(b"a" * (2 << 20))
    remembered_digest(file)
    before = file.stat()
    while tick(tmp_path) <= before.st_ctime_ns:
        time.sleep(0.001)
    file.write_bytes(b"b" * (2 << 20))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # size and time as they were
    assert remembered_digest(file) == digest_file(file)
    assert len(reads) == 2


def test_what_was_just_written_is_not_yet_remembered(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(remembered, "_SETTLED", 60.0)
    file = tmp_path / "weights.bin"
    file.write_bytes(b"a" * (2 << 20))
    remembered_digest(file)
    remembered_digest(file)
    assert len(reads) == 2


@pytest.mark.parametrize("held", ["", "[]", "{", '{"x": 1}', '{"%s": [1, 2, 3, 4, "0"]}', '{"%s": "0"}'])
def test_a_damaged_memory_is_no_memory(tmp_path, reads, held):
    file = tmp_path / "weights.bin"
    file.write_bytes(b"a" * (2 << 20))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "digests.json").write_text(held.replace("%s", str(file)))
    assert remembered_digest(file) == digest_file(file)
    assert len(reads) == 1


def test_a_home_that_cannot_be_written_only_costs_time(tmp_path, reads, monkeypatch):
    (tmp_path / "home").write_text("a file")
    file = tmp_path / "weights.bin"
    file.write_bytes(b"a" * (2 << 20))
    assert remembered_digest(file) == remembered_digest(file) == digest_file(file)
