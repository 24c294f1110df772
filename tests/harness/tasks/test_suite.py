"""A suite is a list of tasks by name or by path, and an error in it names its file and line."""

from pathlib import Path

import PIL.Image
import pytest

from mmbench.harness import registry
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.tasks.suite import find_suite

TASK = "name: {name}\nversion: 2\nfamily: zero-shot-classification\nsource: {{kind: folder, path: photos}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two tasks over two pictures."""
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        PIL.Image.new("RGB", (4, 4), "red").save(tmp_path / "photos" / label / "1.png")
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(TASK.format(name=name))
    return tmp_path


def write(folder: Path, text: str) -> str:
    (folder / "mine.yaml").write_text(text)
    return str(folder / "mine.yaml")


def test_names_and_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder, "name: mine\nversion: 4\ntitle: T\ntasks: [two.yaml, digits@1, ./one.yaml]\n")
    monkeypatch.chdir("/")
    suite = find_suite(path)
    assert (suite.name, suite.version, suite.title) == ("mine", 4, "T")
    assert [task.reference for task in suite.tasks] == ["two@2", "digits@1", "one@2"]


def test_references_need_no_data(folder: Path) -> None:
    path = write(folder, "name: mine\ntasks: [one.yaml]\n")
    (folder / "photos").rename(folder / "gone")
    (task,) = find_suite(path).tasks
    assert task.reference == "one@2"
    with pytest.raises(DataError):
        _ = task.opened


def test_a_split_for_all_tasks(folder: Path) -> None:
    for label in ("cat", "dog"):
        (folder / "photos" / "half" / label).mkdir(parents=True)
        PIL.Image.new("RGB", (4, 4), "blue").save(folder / "photos" / "half" / label / "2.png")
    path = write(folder, "name: mine\nsplit: half\ntasks: [one.yaml, two.yaml]\n")
    suite = find_suite(path)
    assert [task.reference for task in suite.tasks] == ["one-half@2", "two-half@2"]
    assert [sample.id for sample in suite.tasks[0].family.samples()] == ["cat/2.png", "dog/2.png"]
    with pytest.raises(DataError, match=r"digits\.yaml line 4: .* no split 'half'"):
        _ = find_suite(write(folder, "name: mine\nsplit: half\ntasks: [digits]\n")).tasks[0].opened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: mine\ntasks: [digits, digitz]\n", "line 2: there is no task 'digitz'; did you mean 'digits'?"),
        ("name: mine\ntasks:\n- digits@7\n", "line 3: task 'digits' is here in version 1, not 7"),
        ("name: mine\ntasks:\n- one.yaml\n- three.yaml\n", "line 4: there is no file "),
        ("name: mine\ntasks: []\n", "line 2: 'tasks': list should have at least 1 item"),
        ("name: mine\n", "line 1: the key 'tasks' is missing"),
        ("tasks: [digits]\n", "line 1: the key 'name' is missing"),
        ("name: mine\nsplit: a b\ntasks: [digits]\n", "line 2: 'split'"),
        ("name: mine\ntask: [digits]\n", "unknown key 'task'; did you mean 'tasks'?"),
    ],
)
def test_errors_name_file_and_line(folder: Path, text: str, expected: str) -> None:
    path = write(folder, text)
    with pytest.raises(DataError) as caught:
        find_suite(path)
    assert str(caught.value).startswith(path)
    assert expected in str(caught.value)


def test_a_task_beside_the_suite_is_not_looked_for_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "mine.yaml").write_text("name: mine\ntasks: [one.yaml]\n")
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match=r"there is no file deep/one\.yaml"):
        find_suite("deep/mine.yaml")


def test_unknown_suite() -> None:
    with pytest.raises(UsageError, match=r"there is no suite 'digit'; did you mean 'digits'\?"):
        find_suite("digit")


@pytest.mark.parametrize("stem", sorted(registry.files(registry.SUITES)))
def test_shipped_suites_load_and_are_named_as_their_file(stem: str) -> None:
    suite = find_suite(stem)
    assert suite.name == stem
    assert [task.reference for task in suite.tasks] == [task.reference for task in find_suite(stem).tasks]
