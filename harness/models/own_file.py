"""Adapter classes from a user's own Python file, `my_file.py:MyAdapter`."""

import gc
import importlib.util
import re
import sys
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

from mmbench.harness.digest import digest_json
from mmbench.harness.errors import MmbenchError, UsageError, nearest
from mmbench.harness.foreign import described, tamed
from mmbench.harness.models.abilities import Adapter, abilities, did_you_mean, misspelt
from mmbench.harness.models.own_code import AsDigested, OwnCode, announce, displaced, read_code

_made: list[tuple["weakref.ref[Adapter]", OwnCode]] = []
"""What was made of users' files in this process."""


@dataclass(frozen=True, slots=True)
class Own:
    """An adapter from a file, and the identity of what made it."""

    adapter: Adapter
    code: str
    """Digest of the file, of the neighbours that it imports, and of the name in it."""


def from_file(path: Path, name: str) -> Own:
    """Make a user's own adapter, `my_file.py:MyAdapter`. Raises UsageError."""
    if not path.is_file():
        raise UsageError(f"there is no file {path} (in --model {path}:{name})")
    code = read_code(path)
    module = _load_module(path, code)
    if not name or not hasattr(module, name):
        public = [key for key, value in vars(module).items() if isinstance(value, type) and abilities(value)]
        if not name and public:
            raise UsageError(f"name the class that is the adapter, as in {path}:{public[0]}")
        there = f"adapters there: {', '.join(public)}" if public else "no class there is an adapter"
        raise UsageError(f"{path} has no class '{name}'{nearest(name, public)} ({there})")
    made = getattr(module, name)
    try:
        adapter = tamed(lambda: made() if callable(made) and not abilities(made) or isinstance(made, type) else made)
    except TypeError as error:
        raise UsageError(f"{path}:{name} must be constructible without arguments ({error})") from error
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{path}:{name} cannot be made ({described(error)})") from error
    checked = check_adapter(adapter, f"{path}:{name}")
    with suppress(TypeError):  # where a class with slots has no room for a reference
        _made.append((weakref.ref(checked), code))
    return Own(checked, digest_json([code.digest, name]))


def check_adapter(adapter: object, where: str) -> Adapter:
    """Return `adapter` if it has a fingerprint and an ability. Raises UsageError."""
    if isinstance(adapter, type):
        name = adapter.__name__
        raise UsageError(f"{name} is a class, and a model is an object: give {name}()")
    try:
        fingerprint = tamed(lambda: getattr(adapter, "fingerprint", None))
    except MmbenchError:
        raise
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{where} has a fingerprint that cannot be read ({described(error)})") from error
    if not isinstance(fingerprint, str) or not fingerprint.strip():  # an empty one would be that of every such model
        raise UsageError(
            f"{where} has no 'fingerprint: str', which names weights and preprocessing; see docs/adapters.md"
        )
    if re.search("[\ud800-\udfff]", fingerprint):
        raise UsageError(f"{where} has a fingerprint with characters that cannot be written; digest what it is made of")
    if not abilities(adapter):
        near = did_you_mean(misspelt(adapter))
        raise UsageError(f"{where} has none of the methods that make an adapter{near}; see docs/adapters.md")
    return cast(Adapter, adapter)


def _check_apart(code: OwnCode) -> None:
    # An adapter that imports a neighbour only when it is asked would get that of the file which came last.
    names = displaced(code)
    if names:
        gc.collect()
    for reference, other in _made:
        shared = sorted(set(names) & set(other.modules))
        if shared and reference() is not None:
            raise UsageError(
                f"{code.file} and {other.file} each import a '{shared[0]}' of their own; run them one by one"
            )


def _load_module(path: Path, code: OwnCode) -> ModuleType:
    _check_apart(code)
    announce(code)
    loader = AsDigested(path.stem, str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path, loader=loader)
    if spec is None:
        raise UsageError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        tamed(lambda: loader.exec_module(module))
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{path} cannot be imported ({described(error)})") from error
    return module
