"""A YAML file of anyone is a task, or one line that names file and reason within two seconds."""

import os
import socket
from pathlib import Path

import pytest

from mmbench.harness.errors import DataError, MmbenchError
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.yaml_file import read_yaml
from tests.builders import SHARED
from tests.effort import within

TASK = "name: x\nfamily: probe\nsource: {kind: builtin, path: sklearn-digits}\n"
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGED = "a0: &a0 {k: v}\n" + "".join(f"a{i}: &a{i} {{<<: [{','.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12))


def refused(path: Path) -> str:
    """Return the one line by which a task file is refused."""
    with within(2, path.name), pytest.raises(MmbenchError) as error:
        _ = find_task(str(path)).opened
    said = str(error.value)
    assert path.name in said and "\n" not in said and len(said) < 700
    return said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "aliases are counted each time"),
        (MERGED, "aliases are counted each time"),
        ("[" * 50_000, "nest"),
        (TASK + "metrics: " + "[" * 60 + "]" * 60, "line 4: lists are nested too deeply"),
        (TASK + "metrics: &a [*a]", "line 4: an anchor contains itself"),
        (TASK + f"version: {'9' * 5000}", "line 4: a number of 5,000 digits"),
        (TASK + f"version: {10**20}", "line 4: 'version'"),
        (TASK + "version: 0x" + "f" * 100_000, "line 4: a number of 100,002 digits"),
        (TASK + "version: !!python/object/apply:os.system ['true']", "line 4: the tag !!python/object/apply:os.system"),
        (TASK + "metrics: !!set {a, b}", "line 4: the tag !!set is not read"),
        (TASK + "card: {title: !!binary aGk=}", "the tag !!binary is not read"),
        (TASK + "card: {title: 2001-01-02}", "line 4: 2001-01-02 is read as a date; put it in quotes"),
        (TASK + "card: {title: !!timestamp 2001-99-99}", "2001-99-99 is read as a date"),
        (TASK + "version: !!int x", "a value is not of its tag"),
        (TASK + "card: {chance: .nan}", "line 4: 'card.chance': input should be a finite number, not nan"),
        (TASK + "card: {best: -.inf}", "line 4: 'card.best'"),
        (TASK + "card: {best: 1e400}", "line 4: 'card"),
        (TASK + "no: 1", "line 4: the key no is read as true or false; put it in quotes"),
        (TASK + "1: 2", "line 4: the key 1 is read as a number"),
        (TASK + "? [a]\n: 2", "line 4: a key is text"),
        (TASK + f"{'k' * 300}: 2", "line 4: unknown key 'kkk"),
        (TASK.replace("name: x", f"name: {'n' * 300}"), "line 1: 'name': string should have at most 100 characters"),
        ("#" * 5_000_000, "larger than 4 MB"),
        ("a: \x00", "not valid YAML"),
        ("a: \ud800", "cannot be read"),
    ],
)  # fmt: skip
def test_text_that_is_no_task(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    assert reason in refused(path)


@pytest.mark.parametrize(
    "text", ["a: {b: 1}\nc: [x, 1.5, true, null]\n", "a: &x [1, 2]\nb: *x\nc: *x\n", "a: {<<: {b: 1}, c: 2}"]
)
def test_what_people_write_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text)
    assert "a" in read_yaml(path)[0]


def test_a_long_list_of_names_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("classes:\n" + "".join(f"- a class that is called {i}\n" for i in range(22_000)))
    assert len(read_yaml(path)[0]["classes"]) == 22_000


@pytest.mark.skipif(os.name == "nt", reason="pipes and sockets are no files there")
def test_what_is_no_file(tmp_path: Path) -> None:
    pipe, folder, circle, device = (tmp_path / f"{name}.yaml" for name in ("pipe", "folder", "circle", "device"))
    os.mkfifo(pipe)
    folder.mkdir()
    circle.symlink_to(circle)
    device.symlink_to("/dev/zero")
    assert "it is a pipe, not a file" in refused(pipe)
    assert "it is a folder, not a file" in refused(folder)
    assert "there is no file" in refused(circle)
    assert "it is a device, not a file" in refused(device)
    assert "there is no file" in refused(tmp_path / f"{'n' * 300}.yaml")
    with socket.socket(socket.AF_UNIX) as end:
        here = Path.cwd()
        os.chdir(tmp_path)  # the name of a socket is short
        try:
            end.bind("socket.yaml")
        finally:
            os.chdir(here)
    assert "it is a socket, not a file" in refused(tmp_path / "socket.yaml")


@pytest.mark.skipif(not (SHARED / "cases" / "badfiles").is_dir(), reason="the cases are not here")
def test_recorded_cases() -> None:
    for path in sorted((SHARED / "cases" / "badfiles").glob("yaml-*.yaml")):
        if path.stem == "yaml-m437":
            continue  # cut short where it still is a task
        refused(path)
    for path in sorted((SHARED / "cases" / "badfiles").glob("suite-*.yaml")):
        with within(2, path.name), pytest.raises(DataError) as error:
            find_suite(str(path))
        assert len(str(error.value)) < 700
