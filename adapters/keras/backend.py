"""Backend of Keras: which one this process has or would have, told without importing keras."""

import importlib.metadata
import json
import os
import sys
from pathlib import Path

from mmbench.harness.errors import UsageError, nearest

BACKENDS = ("jax", "tensorflow", "torch")
_DEFAULT = "tensorflow"


def backend() -> str:
    """Return the name of the backend. Raises UsageError for one that is not installed, or computes otherwise."""
    name = _chosen()
    if name not in BACKENDS:
        raise UsageError(
            f"keras: runs on {', '.join(BACKENDS)}, and KERAS_BACKEND or keras.json says {name[:40]!r}"
            f"{nearest(name, BACKENDS)}"
        )
    _ = release(name)
    return name


def release(package: str) -> str:
    """Return the minor release of an installed package. Raises UsageError where there is none."""
    try:
        return ".".join(importlib.metadata.version(package).split(".")[:2])
    except importlib.metadata.PackageNotFoundError as error:
        what = "mmbench[keras]" if package.startswith("keras") else package
        hint = "" if package.startswith("keras") else f", or set KERAS_BACKEND to one of {', '.join(BACKENDS)}"
        raise UsageError(f"keras: models need {package}; pip install '{what}'{hint}") from error


def _chosen() -> str:
    # A process has one backend, from the first import of keras on.
    loaded = sys.modules.get("keras")
    if loaded is not None:
        return str(loaded.backend.backend())
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named
    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    try:
        said = json.loads((Path(home) / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return _DEFAULT
    return str(said.get("backend", _DEFAULT)) if isinstance(said, dict) else _DEFAULT
