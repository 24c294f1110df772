"""Registry of what can be run, found by name through entry points; listing loads nothing."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from mmbench.harness.errors import MmbenchError, UsageError, nearest
from mmbench.harness.foreign import described, tamed

T = TypeVar("T")

ADAPTERS = "mmbench.adapters"
"""Objects `from_spec(rest, *, device, dtype, offline) -> adapter`."""

ALIASES = "mmbench.aliases"
"""Objects `load() -> {alias: (spec, download_mb, description)}`."""

SPELLINGS = "mmbench.spellings"
"""Functions `spelled(typed) -> spec or None`: how a model that other tools name otherwise is given here."""

LABELS = "mmbench.labels"
"""Functions `label(rest) -> name`, by the kind of adapter whose specs hold more than a name: addresses, settings."""

FAMILIES = "mmbench.families"
"""Family classes, by the name that task files use."""

SOURCES = "mmbench.sources"
"""Source classes, by the kind that task files use."""

METRICS = "mmbench.metrics"
"""Metrics that are made of outcomes alone, by the name that task files use."""

TASKS = "mmbench.tasks"
"""Folders of task files."""

SUITES = "mmbench.suites"
"""Folders of suite files."""

DEFAULTS = "mmbench.defaults"
"""What is taken where nothing is named: `model`, a spec; `suite`, a name; `contract`, the check of adapters;
`init`, which writes a starting task file; `training`, a function `blocks -> pictures` that the embedded models learnt
from, and `training-blocks`, their number; `anchors`, a file of published figures; `export-onnx`, a function
`(adapter, label, folder) -> what was written`."""


class AliasLike(Protocol):
    """A short name for a model."""

    spec: str
    download_mb: int | None
    description: str


class Offered(Mapping[str, T], Generic[T]):
    """What all packages together have of one kind, by name; what cannot be used is left out and told.

    Two things of one name are neither of them held: which one was meant nobody can tell.
    """

    def __init__(self) -> None:
        self._held: dict[str, T] = {}
        self._packages: dict[str, str] = {}
        self.unusable: dict[str, str] = {}
        """Name to the sentence why what stands under it cannot be used."""
        self.lost: list[str] = []
        """Sentences on what could not be read at all, so that its names are not known."""

    def add(self, name: str, held: T, package: str, what: str) -> None:
        """Hold a thing, or neither of two that have one name."""
        first = self._packages.setdefault(name, package)
        if name not in self._held and name not in self.unusable:
            self._held[name] = held
            return
        self._held.pop(name, None)
        if first == package:
            said = f"{what} '{name}' is offered twice by {package}, and neither is used"
        else:
            said = f"{what} '{name}' is offered by {first} and by {package}, and neither is used; uninstall one of them"
        self.unusable[name] = said

    def spoil(self, name: str, reason: str) -> None:
        """Leave out what stands under a name."""
        self._held.pop(name, None)
        self.unusable[name] = reason

    def pick(self, name: str, what: str, more: str = "") -> T:
        """Return what has this name. Raises UsageError that names the nearest, and what could not be read."""
        if name in self.unusable:
            raise UsageError(self.unusable[name])
        if name not in self:
            raise UsageError(f"there is no {what} '{name}'{nearest(name, self)}{more}{self.besides}")
        return self._held[name]

    @property
    def besides(self) -> str:
        """What an error about an unknown name should add: it may be among what could not be read."""
        return "".join(f"; besides, {sentence}" for sentence in self.lost)

    def package(self, name: str) -> str:
        """Return the package that has what is held under a name."""
        return self._packages[name]

    @property
    def faults(self) -> list[str]:
        """A sentence for everything that was left out."""
        return [*self.lost, *self.unusable.values()]

    def __getitem__(self, name: str) -> T:
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


_KINDS = {
    ADAPTERS: "adapter",
    ALIASES: "table of aliases",
    FAMILIES: "family",
    SOURCES: "kind of source",
    METRICS: "metric",
    TASKS: "task",
    SUITES: "suite",
    DEFAULTS: "default",
}


@cache
def entries(group: str) -> Offered[EntryPoint]:
    """Return the entry points of a group by name, without loading any; looked up once a process."""
    found: Offered[EntryPoint] = Offered()
    try:
        held = list(_all_entries().select(group=group))
    except Exception:  # one package whose entry points cannot be parsed ends the search through all
        held = [*_one_by_one(group, found.lost)]
    for entry in held:
        if group in (TASKS, SUITES, ALIASES):  # such a name is seen by nobody: what stands behind it has names
            found.add(f"{entry.name} of {package_of(entry)}", entry, package_of(entry), _KINDS[group])
        else:
            found.add(entry.name, entry, package_of(entry), _KINDS.get(group, "plug-in"))
    return found


@cache
def _all_entries() -> Any:  # of a type that Python 3.12 took away, with the same `select`
    """Return the entry points of all packages, whose files are then read once and not for each group."""
    return entry_points()


def _one_by_one(group: str, lost: list[str]) -> Iterator[EntryPoint]:
    """Yield the entry points of a group package by package, and note each package that they cannot be read of."""
    seen: set[str] = set()
    for package in distributions():
        name = _package(package)
        if name not in seen:  # the first on the path is the one that is imported
            seen.add(name)
            try:
                yield from package.entry_points.select(group=group)
            except Exception as error:
                lost.append(f"the entry points of {name} cannot be read ({described(error)}); install it again")


def package_of(entry: EntryPoint) -> str:
    """Return name and version of the package that an entry point stands in."""
    return _package(entry.dist)


@cache  # by the object: two packages may have entry points that are equal
def _package(package: Distribution | None) -> str:
    try:
        return f"{package.name} {package.version}" if package else "an unknown package"
    except Exception:  # metadata without name or version
        return "a package without a name"


def find(group: str, name: str, what: str) -> Any:
    """Load the object of this name. Raises UsageError that names the nearest."""
    known = entries(group)
    return loaded(known.pick(name, what, f" (known: {', '.join(sorted(known))})"), what)


_VALUE = re.compile(r"[\w.]+(:[\w.]+)?\s*(\[.*\])?")


def spoken(entry: EntryPoint, what: str) -> str:
    """Return how an entry point is spoken of."""
    return f"{what} '{entry.name}' of {package_of(entry)} ({entry.value})"


def loaded(entry: EntryPoint, what: str = "plug-in") -> Any:
    """Load what an entry point names. Raises UsageError where its package cannot be imported, whatever it raises."""
    if not _VALUE.fullmatch(entry.value):
        raise UsageError(f"{spoken(entry, what)} names nothing that can be imported, expected 'module:name'")
    return contained(entry.load, f"{spoken(entry, what)} cannot be loaded")


def contained(call: Callable[[], T], failure: str) -> T:
    """Run code of a plug-in. Raises UsageError, which begins with `failure`, for whatever nobody foresaw."""
    try:
        return tamed(call)
    except MmbenchError:
        raise
    except Exception as error:  # foreign code may raise anything, and --debug shows where
        raise UsageError(f"{failure} ({described(error)})") from error


def default(name: str) -> str:
    """Return the default `model` or `suite`. Raises UsageError where two packages have one."""
    return str(loaded(entries(DEFAULTS).pick(name, "default"), "default"))


def files(group: str) -> Offered[Path]:
    """Return the YAML files below a group's folders by stem."""
    what = _KINDS[group]
    found: Offered[Path] = Offered()
    for entry in entries(group).values():
        try:
            folder = _folder(entry, f"folder of {what}s")
            paths = sorted(contained(lambda folder=folder: [*folder.rglob("*.yaml")], spoken(entry, "folder")))  # type: ignore[misc]
        except MmbenchError as error:
            found.lost.append(str(error))
            continue
        for path in paths:
            if found.get(path.stem) != path:  # a folder may be offered twice, or with one below it
                found.add(path.stem, path, package_of(entry), what)
    return found


def _folder(entry: EntryPoint, what: str) -> Path:
    """Return the folder that an entry point names. Raises UsageError."""
    made = loaded(entry, what)
    if not isinstance(made, str | os.PathLike):
        raise UsageError(f"{spoken(entry, what)} is a {type(made).__name__}, expected the path of a folder")
    if not Path(made).is_dir():
        raise UsageError(f"{spoken(entry, what)} is {os.fspath(made)}, which is no folder")
    return Path(made)


def aliases() -> Offered[AliasLike]:
    """Return every alias."""
    found: Offered[AliasLike] = Offered()
    for entry in entries(ALIASES).values():
        try:
            table = contained(loaded(entry, "table of aliases"), f"{spoken(entry, 'table of aliases')} cannot be read")
            _check_aliases(table, entry)
        except MmbenchError as error:
            found.lost.append(str(error))
            continue
        for name, alias in table.items():
            found.add(name, alias, package_of(entry), "alias")
    kinds = entries(ADAPTERS)
    for name in [name for name in found if name in kinds]:
        both = f"alias '{name}' of {found.package(name)} is also the name of an adapter of {kinds.package(name)}"
        found.spoil(name, f"{both}, and neither is used by this name; uninstall one of them")
    return found


def _check_aliases(table: object, entry: EntryPoint) -> None:
    sound = isinstance(table, Mapping) and all(
        isinstance(name, str) and isinstance(getattr(alias, "spec", None), str) for name, alias in table.items()
    )
    if not sound:
        raise UsageError(f"{spoken(entry, 'table of aliases')} is no mapping of names to aliases with a 'spec'")
