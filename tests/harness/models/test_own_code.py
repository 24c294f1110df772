"""A line that changes in a user's file, or in a neighbour that it imports, makes another model."""

import sys
from pathlib import Path

import pytest

from mmbench.harness.errors import UsageError
from mmbench.harness.models.models import Loading, Model, make_models
from mmbench.harness.models.own_code import read_code

FILES = {
    "own_mine.py": """
import own_pack.sub as sub
from own_helper import K

class Mine:
    fingerprint = "never changed"

    def embed_texts(self, texts):
        import importlib
        import own_late
        return K, sub.V, own_late.L, importlib.import_module("own_named").N
""",
    "own_helper.py": "K = 1\n",
    "own_late.py": "L = 1\n",
    "own_named.py": "N = 1\n",
    "own_pack/__init__.py": "from . import sub, other\nfrom .deep import *\n",
    "own_pack/sub.py": "from .other import V\n",
    "own_pack/other.py": "V = 1\n",
    "own_pack/deep/__init__.py": "__all__ = ['leaf']\n",
    "own_pack/deep/leaf.py": "Z = 1\n",
    "own_unused.py": "1\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a file and its neighbours."""
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


def written(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def made(spec: str = "own_mine.py:Mine") -> Model:
    (model,) = make_models([spec], Loading())
    return model


def answer(model: Model) -> object:
    return model.adapter.embed_texts([])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("own_helper.py", "K = 2\n", (2, 1, 1, 1)),  # of one size and second, for which Python would keep its bytecode
        ("own_late.py", "L = 2\n", (1, 1, 2, 1)),
        ("own_named.py", "N = 2\n", (1, 1, 1, 2)),
        ("own_pack/other.py", "V = 2\n", (1, 2, 1, 1)),
        ("own_pack/deep/leaf.py", "Z = 2\n", (1, 1, 1, 1)),
        ("own_mine.py", FILES["own_mine.py"] + "# another line\n", (1, 1, 1, 1)),
        ("own_unused.py", "2\n", None),
    ],
)
def test_each_file_that_is_imported_counts_and_runs_as_it_was_read(
    folder: Path, name: str, text: str, says: tuple[int, ...] | None
) -> None:
    first = made()
    assert answer(first) == (1, 1, 1, 1) and first.adapter.fingerprint == "never changed"
    (folder / name).write_text(text)
    second = made()
    assert (first.fingerprint != second.fingerprint) == (says is not None)
    assert answer(second) == (says or (1, 1, 1, 1))


def test_a_copy_elsewhere_is_the_same_model(folder: Path) -> None:
    here = made().fingerprint
    copy = written(folder / "copy")
    assert made(f"{copy}/own_mine.py:Mine").fingerprint == here
    (copy / "own_mine.py").write_text(FILES["own_mine.py"] + "\n\nclass Other(Mine): ...\n")
    assert made(f"{copy}/own_mine.py:Mine").fingerprint != made(f"{copy}/own_mine.py:Other").fingerprint


def test_neighbours_of_one_name_are_not_mixed(folder: Path) -> None:
    other = written(folder / "other")
    (other / "own_helper.py").write_text("K = 9\n")
    assert answer(made()) == (1, 1, 1, 1)
    assert answer(made(f"{other}/own_mine.py:Mine")) == (9, 1, 1, 1)
    assert answer(made()) == (1, 1, 1, 1)
    (other / "own_mine.py").rename(other / "own_other.py")
    with pytest.raises(UsageError, match=r"each import a 'own_helper' of their own; run them one by one"):
        make_models(["own_mine.py:Mine", "other/own_other.py:Mine"], Loading())


def test_a_neighbour_that_changes_before_it_is_asked_for_is_told(folder: Path) -> None:
    model = made()
    (folder / "own_late.py").write_text("L = 2\n")
    with pytest.raises(ImportError, match=r"own_late\.py has changed since the run began"):
        answer(model)


def test_modules_beside_pythonpath_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "library").mkdir()
    (folder / "library" / "own_library.py").write_text("X = 1\n")
    (folder / "own_user.py").write_text("import own_library\n")
    monkeypatch.setenv("PYTHONPATH", str(folder / "library"))
    assert list(read_code(folder / "own_user.py").modules) == ["", "own_library"]


@pytest.mark.parametrize("content", ["def (", "x = '\0'", "(" * 5000, "é = 1 # coding: latin-1", ""])
def test_a_neighbour_that_is_no_python_counts_by_its_text(folder: Path, content: str) -> None:
    before = read_code(folder / "own_mine.py").digest
    (folder / "own_late.py").write_text(content)
    assert read_code(folder / "own_mine.py").digest != before


def test_files_that_import_each_other_and_links_end(folder: Path) -> None:
    (folder / "own_late.py").write_text("import own_mine, own_late, json, numpy, own_no_such\nfrom own_loop import *\n")
    (folder / "own_loop.py").symlink_to("own_late.py")
    assert set(read_code(folder / "own_mine.py").modules) >= {"own_mine", "own_late", "own_loop"}


def test_a_folder_of_installed_packages_is_no_neighbour(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = folder / "packages"
    (packages / "some-1.0.dist-info").mkdir(parents=True)
    (packages / "own_elsewhere.py").write_text("1\n")
    (folder / "m.py").write_text("import own_elsewhere\n")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    assert set(read_code(folder / "m.py").modules) == {""}
    (packages / "some-1.0.dist-info").rmdir()
    assert set(read_code(folder / "m.py").modules) == {"", "own_elsewhere"}


def test_a_folder_that_another_took_off_the_path_is_put_there_again(folder: Path) -> None:
    here = made().fingerprint
    kept = list(sys.path)
    sys.path[:] = [each for each in sys.path if each != str(folder)]
    assert made().fingerprint == here
    sys.path[:] = kept
