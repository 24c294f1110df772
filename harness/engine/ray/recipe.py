"""Recipe of a model: what a worker needs to make the same model as the driver has."""

import os
import pickle
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbench.harness.digest import Json
from mmbench.harness.engine.hardware import versions
from mmbench.harness.errors import MmbenchError, Unavailable
from mmbench.harness.foreign import described, tamed
from mmbench.harness.models.models import Loading, Model, make_model
from mmbench.harness.models.own_code import OwnCode, read_code
from mmbench.harness.models.own_file import check_adapter
from mmbench.harness.regular import read_regular

_FOLDER = "mmbench-"
_made: list[Path] = []
"""Folders that this process wrote users' files into."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where relative paths begin, and where Python looks for a user's own code, on the driver."""

    folder: str
    first: str
    added: str

    @classmethod
    def now(cls) -> "Surroundings":
        """Return those of this process."""
        return cls(str(Path.cwd()), str(Path((sys.path or [""])[0]).resolve()), os.environ.get("PYTHONPATH", ""))

    def enter(self) -> None:
        """Make them those of this process, as far as they are on this machine."""
        if Path(self.folder).is_dir():
            os.chdir(self.folder)
        sys.path.insert(0, self.first)
        os.environ["PYTHONPATH"] = self.added


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model by its spec, by the code of a user's own file, or as a pickled object."""

    label: str
    spec: str
    loading: Loading
    fingerprint: str
    surroundings: Surroundings
    versions: dict[str, Json]
    sources: tuple[tuple[str, bytes], ...] = ()
    """A user's own file and its neighbours, each by its path below a folder; the file itself is the first."""
    pickled: bytes = b""

    def make(self) -> Model:
        """Return the model. Raises MmbenchError where this machine cannot make the same one."""
        self._check_versions()
        self.surroundings.enter()
        model = self._made()
        if (found := tamed(lambda: model.fingerprint)) != self.fingerprint:
            raise Unavailable(
                f"a worker's {self.label} is another model than the driver's: its fingerprint is {found}, not "
                f"{self.fingerprint}",
                step="give both the same files and packages, and a --dtype where only one of them has a GPU",
            )
        return model

    def _made(self) -> Model:
        if self.pickled:
            return Model(self.label, "", self._unpickled())
        if not self.sources:
            return make_model(self.label, self.spec, self.loading)
        path, _, name = self.spec.rpartition(":")
        if Path(path).is_file():
            model = make_model(self.label, self.spec, self.loading)
            if model.fingerprint == self.fingerprint:
                return model
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
        _made.append(folder)
        for place, source in self.sources:
            file = folder / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source)
        sys.path[0], os.environ["PYTHONPATH"] = str(folder), ""
        return make_model(self.label, f"{folder / self.sources[0][0]}:{name}", self.loading)

    def clear(self) -> None:
        """Remove what was written of a user's own file."""
        while _made:
            shutil.rmtree(_made.pop(), ignore_errors=True)

    def _unpickled(self) -> Any:
        try:
            return check_adapter(tamed(lambda: pickle.loads(self.pickled)), self.label)  # noqa: S301 - of our driver
        except MmbenchError:
            raise
        except Exception as error:  # foreign code may raise anything
            raise Unavailable(
                f"{self.label} cannot be unpickled by a worker ({described(error)})",
                step="install what it imports where the workers run, or give the model by a spec",
            ) from error

    def _check_versions(self) -> None:
        for package, wanted in self.versions.items():
            found = versions().get(package)
            if _public(found) != _public(wanted):
                raise Unavailable(
                    f"a worker has {package} {found or 'not installed'} and the driver {wanted or 'has it not'}: a "
                    "record tells one version",
                    step=f"install the same {package} on all machines of the cluster",
                )


def _public(version: Json) -> str:
    """Return a version without what tells builds of it apart."""
    return str(version).partition("+")[0]


def recipe_of(model: Model, loading: Loading) -> Recipe:
    """Return how workers make a model. Raises Unavailable where it cannot be sent."""
    sources: tuple[tuple[str, bytes], ...] = ()
    pickled = b""
    if not model.spec:
        pickled = _pickled(model)
    elif model.code is not None:
        sources = _sources(read_code(Path(model.spec.rpartition(":")[0])))
    return Recipe(
        model.label,
        model.spec,
        loading,
        tamed(lambda: model.fingerprint),
        Surroundings.now(),
        dict(versions()),
        sources,
        pickled,
    )


def _pickled(model: Model) -> bytes:
    from ray import cloudpickle

    try:
        return bytes(tamed(lambda: cloudpickle.dumps(model.adapter)))
    except Exception as error:  # foreign code may raise anything
        raise Unavailable(
            f"{model.label} cannot be sent to workers ({described(error)})",
            step="give it by a spec (my_file.py:Class makes it where it runs), or ask it without --engine ray",
        ) from error


def _sources(code: OwnCode) -> tuple[tuple[str, bytes], ...]:
    return tuple((_place(name, files[0][0]), read_regular(files[0][0])) for name, files in code.modules.items())


def _place(name: str, file: Path) -> str:
    """Return where a module lies below the folder of the file that imports it; that file itself has no name.

    >>> _place("", Path("/a/mine.py")), _place("b.c", Path("/a/b/c.py")), _place("b", Path("/a/b/__init__.py"))
    ('mine.py', 'b/c.py', 'b/__init__.py')
    """
    parts = name.split(".") if name else [""]
    folders = parts if file.stem == "__init__" else parts[:-1]
    return "/".join([*folders, file.name])
