"""Adapter classes from a user's own Python file, `my_file.py:MyAdapter`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import cast

from mmbench.harness.errors import MmbenchError, UsageError, nearest
from mmbench.harness.models.abilities import Adapter, abilities
from mmbench.harness.models.foreign import described, tamed


def from_file(path: Path, name: str) -> Adapter:
    """Make a user's own adapter, `my_file.py:MyAdapter`."""
    if not path.is_file():
        raise UsageError(f"there is no file {path} (in --model {path}:{name})")
    module = _load_module(path)
    if not name or not hasattr(module, name):
        public = [key for key, value in vars(module).items() if isinstance(value, type) and abilities(value)]
        there = f"adapters there: {', '.join(public)}" if public else "no class there is an adapter"
        raise UsageError(f"{path} has no class '{name}'{nearest(name, public)} ({there})")
    made = getattr(module, name)
    try:
        adapter = tamed(lambda: made() if callable(made) and not abilities(made) or isinstance(made, type) else made)
    except TypeError as error:
        raise UsageError(f"{path}:{name} must be constructible without arguments ({error})") from error
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{path}:{name} cannot be made ({described(error)})") from error
    return check_adapter(adapter, f"{path}:{name}")


def check_adapter(adapter: object, where: str) -> Adapter:
    """Return `adapter` if it has a fingerprint and an ability. Raises UsageError."""
    try:
        fingerprint = tamed(lambda: getattr(adapter, "fingerprint", None))
    except MmbenchError:
        raise
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{where} has a fingerprint that cannot be read ({described(error)})") from error
    if not isinstance(fingerprint, str):
        raise UsageError(
            f"{where} has no 'fingerprint: str', which names weights and preprocessing; see docs/adapters.md"
        )
    if not abilities(adapter):
        raise UsageError(f"{where} has none of the methods that make an adapter; see docs/adapters.md")
    return cast(Adapter, adapter)


def _load_module(path: Path) -> ModuleType:
    folder = str(path.resolve().parent)
    if folder not in sys.path:  # as `python my_file.py` does, so that the file can import its neighbours
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loader = spec.loader if spec else None
    if spec is None or loader is None:
        raise UsageError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        tamed(lambda: loader.exec_module(module))
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{path} cannot be imported ({described(error)})") from error
    return module
