"""What is installed is what is on disk, and asking for help loads nothing heavy."""

import ast
import fnmatch
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
FOLDERS = {package: ROOT / folder for package, folder in SETUPTOOLS["package-dir"].items()}


def folder_of(package: str) -> Path:
    parent = max((known for known in FOLDERS if f"{package}.".startswith(f"{known}.")), key=len)
    return FOLDERS[parent].joinpath(*package[len(parent) :].split("."))


def test_every_folder_of_python_files_is_installed() -> None:
    """setup.py names the packages that it finds; the files on disk are what it must find."""
    code = "import setuptools\nsetuptools.setup = lambda packages: print(*packages)\nexec(open('setup.py').read())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    installed = [folder_of(package) for package in done.stdout.split()]
    assert sorted(installed) == sorted({file.parent for folder in FOLDERS.values() for file in folder.rglob("*.py")})


def test_package_data_covers_every_other_file() -> None:
    patterns = {
        str(folder_of(package) / pattern) for package, named in SETUPTOOLS["package-data"].items() for pattern in named
    }
    others = [
        file
        for folder in FOLDERS.values()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc") and not file.name.startswith(".")
    ]
    assert others
    assert [str(file) for file in others if not any(fnmatch.fnmatch(str(file), each) for each in patterns)] == []
    assert [each for each in patterns if not any(fnmatch.fnmatch(str(file), each) for file in others)] == []


def test_layers_are_links_for_static_tools() -> None:
    for name in ("harness", "adapters", "benchmarks"):
        assert (ROOT / "src" / "mmbench" / name).resolve() == ROOT / name


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the modules that code imports, or looks for by name; not those that only a type checker reads."""
    match node:
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            return
        case ast.Import(names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
        case ast.Call(ast.Attribute(attr="find_spec" | "import_module"), [ast.Constant(str(module)), *_]):
            yield module
    for child in ast.iter_child_nodes(node):
        yield from imported(child)


def normalised(requirements: Iterable[str]) -> set[str]:
    """Return the names of distributions, as PEP 503 has them."""
    names = (re.match(r"[\w.-]+", each) for each in requirements)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}


@pytest.fixture(scope="module")
def used() -> set[str]:
    """Return the distributions that the package imports."""
    files = [file for folder in FOLDERS.values() for file in folder.rglob("*.py")]
    modules = {module.split(".")[0] for file in files for module in imported(ast.parse(file.read_text("utf-8")))}
    providers = importlib.metadata.packages_distributions()
    third_party = modules - {"mmbench", *sys.stdlib_module_names}
    return normalised(name for module in third_party for name in providers.get(module, [module]))


def test_core_dependencies_are_few_and_each_is_used(used: set[str]) -> None:
    core = PYPROJECT["project"]["dependencies"]
    assert len(core) <= 15
    assert normalised(core) - used == set()


def test_what_is_imported_is_declared(used: set[str]) -> None:
    """What another dependency happens to bring along may be gone with its next version."""
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    assert (
        used - normalised([*PYPROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)])
        == set()
    )


HEAVY = ["torch", "open_clip", "pandas", "numpy", "scipy", "sklearn", "pyarrow", "datasets", "openai", "ray"]


@pytest.mark.parametrize("code", ["import mmbench", "import runpy; runpy.run_module('mmbench', run_name='__main__')"])
def test_help_loads_nothing_heavy(code: str) -> None:
    script = f"""
import json, sys
sys.argv = ["mmbench", "--help"]
try:
    {code}
except SystemExit:
    pass
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == []
    assert ("Usage: mmbench" in done.stdout) == ("runpy" in code)


def test_python_dash_m() -> None:
    done = subprocess.run([sys.executable, "-m", "mmbench", "--help"], capture_output=True, text=True, check=True)
    assert "Usage: " in done.stdout
    assert done.stderr == ""


def test_public_names() -> None:
    import mmbench

    assert sorted(mmbench.__all__) == mmbench.__all__
    for name in mmbench.__all__:
        assert getattr(mmbench, name) is not None
    with pytest.raises(AttributeError, match="module 'mmbench' has no attribute 'runs'"):
        mmbench.runs  # noqa: B018
