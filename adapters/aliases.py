"""Aliases of models, so that `--model clip-vitb32` needs no knowledge of architectures and tags."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from mmbench.harness.errors import UsageError, nearest

DEFAULT = "tiny-coca"
"""Model that is asked where none is named."""

_FILE = Path(__file__).with_name("models.yaml")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one written in C where there is one: every command that names a model waits for this file."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Alias of a model: the spec it stands for, its download and its description."""

    spec: str
    """A full model spec, `kind:rest`."""
    download_mb: int | None
    """Size of the weights in MB (10^6 bytes), None when unknown."""
    description: str
    """One line for `list models`."""


def load(file: Path = _FILE) -> dict[str, Alias]:
    """Return the aliases of a YAML file, in its order. Raises UsageError when it is not a table of aliases."""
    try:
        table = yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - safe, either of them
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{file}: cannot be read ({error})") from error
    if not isinstance(table, dict):
        raise UsageError(f"{file}: must be a table of aliases")
    return {str(name): _alias(f"{file}: {name}", row) for name, row in table.items()}


def _alias(where: str, row: object) -> Alias:
    if not isinstance(row, Mapping):
        raise UsageError(f"{where}: must be a table with spec, download_mb and description")
    known = [field.name for field in fields(Alias)]
    for key in row:
        if key not in known:
            raise UsageError(f"{where}: unknown key {key!r}{nearest(str(key), known)}")
    spec, size, description = row.get("spec"), row.get("download_mb"), row.get("description")
    if not isinstance(spec, str) or ":" not in spec:
        raise UsageError(f"{where}: spec must be a model spec such as open_clip:ARCH/TAG")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
        raise UsageError(f"{where}: download_mb must be a whole number or null")
    if not isinstance(description, str) or not description:
        raise UsageError(f"{where}: description must be a line of text")
    return Alias(spec, size, description)
