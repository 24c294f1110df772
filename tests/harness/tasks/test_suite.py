"""A suite is a list of tasks by name or by path, and an error in it names its file and line."""

from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from mmbench.benchmarks.sources.builtin import Builtin, BuiltinSpec
from mmbench.harness import registry
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.regular import read_regular
from mmbench.harness.tasks import yaml_file
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.listing import list_tasks
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
    assert len({task.reference for task in suite.tasks}) == len(suite.tasks)


class Opening:
    """Notes which data sets are opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str | None] = []
        plain = Builtin.open.__func__

        def noted(cls: type[Builtin], spec: BuiltinSpec, base: Path, split: str | None) -> Builtin:
            self.opened.append(spec.path)
            return plain(cls, spec, base, split)

        monkeypatch.setattr(Builtin, "open", classmethod(noted))


def test_of_the_catalogue_only_what_is_named_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path, most: int) -> bytes:
        read.append(path.stem)
        return read_regular(path, most)

    monkeypatch.setattr(yaml_file, "read_regular", noted)
    assert find_task("digits").name == "digits" and find_task("datacomp-mnist@1").name == "datacomp-mnist"
    assert read == ["digits", "datacomp-mnist", "datacomp-mnist"]  # once more for the version
    read.clear()
    assert len(find_suite("imagenet-shift").tasks) == 6
    assert set(read) == {"imagenet-shift", *(task.name for task in find_suite("imagenet-shift").tasks)}


def test_lists_and_suites_open_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    opening = Opening(monkeypatch)
    listed = {row["name"]: row for row in list_tasks()}
    assert len(listed) >= 200 and len(find_suite("perception").tasks) == 31
    public = {"items": 10_000, "bytes": None, "gate": "", "verified": "fixture"}
    assert listed["mieb-cifar10@1"].items() >= public.items()
    assert listed["winoground@1"]["gate"] and listed["digits@1"]["verified"] is None
    assert opening.opened == []
    task = find_suite("digits").tasks[0]
    assert (task.name, task.family_name, task.card.dimension) == ("digits", "zero-shot-classification", "digits")
    assert opening.opened == []
    assert (task.size, task.size) == (1797, 1797)
    assert opening.opened == ["sklearn-digits"]


def test_a_dry_run_opens_the_task_that_is_asked_for(
    command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opening = Opening(monkeypatch)
    store = str(tmp_path / "store.sqlite")
    code, _, _ = command(
        "run", "--model", "chance", "--task", "scenes-shape", "--limit", "3", "--dry-run", "--store", store
    )
    assert code == 0
    assert opening.opened == ["scenes-single"]
