"""Code of a user's own file: its text and that of the neighbours that it imports, found without running them."""

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from types import CodeType

from mmbench.harness.digest import digest_bytes, digest_json
from mmbench.harness.errors import UsageError
from mmbench.harness.regular import read_regular

_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)
_DYNAMIC = ("import_module", "__import__")

_digests: dict[Path, str] = {}
"""Files whose text was digested in this process; what is run of them must be that text."""
_places: dict[str, Path] = {}
"""Where each neighbour lies that was last asked for: a process has one module of a name."""
_folders: list[str] = []
"""Folders of users' files on Python's search path, the latest first."""


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A file and its neighbours as they were read."""

    file: Path
    modules: dict[str, tuple[tuple[Path, str], ...]]
    """Name of a module to the files that it may be and their digests; the file itself is the module ``."""

    @property
    def digest(self) -> str:
        """Identity of the code, the same wherever it lies."""
        return digest_json({name: [digest for _, digest in files] for name, files in self.modules.items()})


def read_code(file: Path) -> OwnCode:
    """Return a file with all modules that it imports, and that these import, as far as they lie beside it.

    Beside it is its own folder, and what a person adds to Python's search path: PYTHONPATH, and the folder in which
    Python was started. Where two of these have a module of one name both count. Installed packages do not, also where
    their folder is on that path, nor what is imported by a name that is only made when the code runs. Raises UsageError
    for a file that cannot be read.
    """
    file = file.resolve()
    found: dict[str, dict[Path, str]] = {}
    waiting = [("", file)]
    while waiting:
        name, path = waiting.pop()
        if path in found.setdefault(name, {}):
            continue
        source = _read(path)
        found[name][path] = digest_bytes(source)
        if path.suffix in SOURCE_SUFFIXES:
            package = name if path.stem == "__init__" else name.rpartition(".")[0]
            for imported in _imports(source, package):
                waiting.extend(_located(imported, _roots(file)))
    return OwnCode(file, {name: tuple(sorted(files.items())) for name, files in sorted(found.items())})


def displaced(code: OwnCode) -> list[str]:
    """Return the names under which another file's neighbours, not these, were last announced."""
    return [name for name, files in code.modules.items() if name in _places and _places[name] not in dict(files)]


def announce(code: OwnCode) -> None:
    """Have Python run these files as they were read.

    Python takes bytecode for fresh by the second and the size of its source, keeps a module that it once imported, and
    looks for it in the folders of earlier files first.
    """
    folder = str(code.file.parent)
    if folder in _folders:
        _folders.remove(folder)
        if folder in sys.path:  # which is everybody's: others take folders off too
            sys.path.remove(folder)
    if folder not in sys.path:  # as `python my_file.py` does, so that the file can import its neighbours
        first = next((each for each in _folders if each in sys.path), None)
        sys.path.insert(len(sys.path) if first is None else sys.path.index(first), folder)
        _folders.insert(0, folder)
    neighbours = {name: files for name, files in code.modules.items() if name}
    changed = any(_digests.get(*file) != file[1] for files in neighbours.values() for file in files)
    if changed or displaced(code):
        for name in neighbours:  # each may hold parts of another
            sys.modules.pop(name, None)
    _places.update({name: files[0][0] for name, files in neighbours.items()})
    _digests.update(file for files in code.modules.values() for file in files)
    for place in {str(path.parent) for files in code.modules.values() for path, _ in files}:
        sys.path_importer_cache[place] = FileFinder(
            place,
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (AsDigested, SOURCE_SUFFIXES),
            (SourcelessFileLoader, BYTECODE_SUFFIXES),
        )


class AsDigested(SourceFileLoader):
    """Loader of a module from its text, never from bytecode, that refuses any text but the one that was digested."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled text. Raises ImportError."""
        source = self.get_data(self.path)
        if _digests.get(Path(self.path).resolve(), digest := digest_bytes(source)) != digest:
            raise ImportError(f"{self.path} has changed since the run began; use a new Python process")
        code: CodeType = self.source_to_code(source, self.path)
        return code


def _roots(file: Path) -> list[Path]:
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    places = [Path(each).resolve() for each in (*filter(None, added), *sys.path[:1])]
    # A folder of installed packages may stand there too, and to import these anew would take minutes or fail.
    return list(dict.fromkeys([file.parent, *(each for each in places if not any(each.glob("*.dist-info")))]))


def _read(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error


def _imports(source: bytes, package: str) -> Iterator[str]:
    """Yield the absolute name of everything that a module may import, `package.*` for a star."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of it again when it runs the file
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # importing it will say what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join(filter(None, [*above, node.module or ""]))
            yield base
            yield from (f"{base}.{each.name}".strip(".") for each in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _DYNAMIC:
            named = [each.value for each in node.args[:1] if isinstance(each, ast.Constant)]
            yield from (name for name in named if isinstance(name, str) and name.replace(".", "_").isidentifier())


def _located(name: str, roots: list[Path]) -> Iterator[tuple[str, Path]]:
    """Yield the modules that importing a name runs, the packages above it included, with their files."""
    parts = name.split(".")
    if parts[0] in ("", "mmbench"):
        return
    for root in roots:
        for depth, part in enumerate(parts, 1):
            folder = root.joinpath(*parts[: depth - 1])
            if part == "*":
                yield from ((".".join([*parts[:-1], stem]), file) for stem, file in _in_folder(folder))
                continue
            for suffix in _SUFFIXES:
                for file in (folder / f"{part}{suffix}", folder / part / f"__init__{suffix}"):
                    if file.exists():
                        yield ".".join(parts[:depth]), file.resolve()


def _in_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    for suffix in _SUFFIXES:
        for file in sorted(folder.glob(f"*{suffix}")):
            yield file.name.removesuffix(suffix), file.resolve()
