"""Registry of what can be run, found by name through entry points; listing loads nothing."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from mmbench.harness.errors import MmbenchError, UsageError, nearest
from mmbench.harness.foreign import described, tamed

T = TypeVar("T")

ADAPTERS = "mmbench.adapters"
"""Objects `from_spec(rest, *, device, dtype, offline) -> adapter`."""

ALIASES = "mmbench.aliases"
"""Objects `load() -> {alias: (spec, download_mb, description)}`."""

FAMILIES = "mmbench.families"
"""Family classes, by the name that task files use."""

SOURCES = "mmbench.sources"
"""Source classes, by the kind that task files use."""

TASKS = "mmbench.tasks"
"""Folders of task files."""

SUITES = "mmbench.suites"
"""Folders of suite files."""

DEFAULTS = "mmbench.defaults"
"""What a run asks where nothing is named: `model`, a spec, and `suite`, a name."""


class AliasLike(Protocol):
    """A short name for a model."""

    spec: str
    download_mb: int | None
    description: str


@cache
def entries(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name, without loading any; looked up once a process."""
    return {entry.name: entry for entry in entry_points(group=group)}


def find(group: str, name: str, what: str) -> Any:
    """Load the object of this name. Raises UsageError that names the nearest."""
    known = entries(group)
    if name not in known:
        raise UsageError(f"there is no {what} '{name}'{nearest(name, known)} (known: {', '.join(sorted(known))})")
    return loaded(known[name], what)


def loaded(entry: EntryPoint, what: str = "plug-in") -> Any:
    """Load what an entry point names. Raises UsageError where its package cannot be imported, whatever it raises."""
    return contained(entry.load, f"{what} '{entry.name}' ({entry.value}) cannot be loaded")


def contained(call: Callable[[], T], failure: str) -> T:
    """Run code of a plug-in. Raises UsageError, which begins with `failure`, for whatever nobody foresaw."""
    try:
        return tamed(call)
    except MmbenchError:
        raise
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{failure} ({described(error)})") from error


def default(name: str) -> str:
    """Return the default `model` or `suite`."""
    return str(loaded(entries(DEFAULTS)[name]))


def files(group: str) -> dict[str, Path]:
    """Return the YAML files below a group's folders by stem; the first folder that has a name wins."""
    found: dict[str, Path] = {}
    for entry in entries(group).values():
        for path in sorted(cast(Path, loaded(entry)).rglob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def aliases() -> Mapping[str, AliasLike]:
    """Return every alias."""
    found: dict[str, AliasLike] = {}
    for entry in entries(ALIASES).values():
        found.update(contained(loaded(entry), f"aliases of '{entry.name}' ({entry.value}) cannot be read"))
    return found
