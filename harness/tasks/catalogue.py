"""Catalogue: the tasks and suites that packages bring, found by name, and files of a user's own, found by path."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmbench.harness import registry
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.registry import Offered
from mmbench.harness.tasks.prompts import parted
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import LONGEST_NAME, load_task
from mmbench.harness.tasks.yaml_file import read_yaml


def find_task(name: str) -> Task:
    """Return the task of a catalogue name (`digits`, `digits@1`) or of a YAML path. Raises UsageError or DataError.

    A variant of its prompt stands behind either: `vqav2_val+llava`.
    """
    known = None if is_path(name) else registry.files(registry.TASKS)
    name, prompt = parted(name, lambda stem: known is not None and spelt(stem, known) in known)
    path = find_file(name, registry.TASKS, "task", known)
    if known is None or is_path(name):
        return load_task(path, prompt=prompt)
    return load_offered(path.stem, known).asked_by(prompt)


def load_offered(name: str, known: Offered[Path]) -> Task:
    """Return the task of a catalogue name. Raises DataError that names the package whose file is wrong."""
    path = known[name]
    with naming_package("task", name, known.package(name)):
        task = load_task(path)
        check_name(task.name, path)
    return task


@contextmanager
def naming_package(what: str, name: str, package: str) -> Iterator[None]:
    """Put the package before what is wrong with a file of it: the path may not tell."""
    try:
        yield
    except UsageError as error:
        raise DataError(f"{what} '{name}' of {package}: {error}") from error


def check_name(name: str, path: Path) -> None:
    """Raise DataError where a file of a package is not called as what it describes, by which both are found."""
    if name != path.stem:
        raise DataError(f"{path} calls itself '{name}'; give file and 'name' one name")


def is_path(name: str) -> bool:
    """Tell whether a task or a suite is named by its file, not by its catalogue name."""
    return name.endswith((".yaml", ".yml")) or "/" in name


def find_file(name: str, group: str, what: str, known: Offered[Path] | None = None) -> Path:
    """Return the YAML file behind a catalogue name of `group` or a path. Raises UsageError that names the nearest.

    `known` are the group's files, for whoever looks for many.
    """
    if is_path(name):
        path = Path(name)
        if not _is_there(path):
            raise UsageError(f"there is no file {name[:600]}; a {what} is a YAML file or one of: mmbench list {what}s")
        return path
    if len(name) > LONGEST_NAME * 2:
        raise UsageError(f"there is no {what} '{name[:60]}...', a name of {len(name):,} characters")
    stem, _, version = name.partition("@")
    known = registry.files(group) if known is None else known
    stem = spelt(stem, known)
    other, theirs = ("suite", registry.SUITES) if what == "task" else ("task", registry.TASKS)
    if stem not in known and stem not in known.unusable and stem in registry.files(theirs):
        raise UsageError(f"there is no {what} '{stem}', but a {other}: --{other} {stem}")
    path = known.pick(stem, what, f"; see: mmbench list {what}s")
    if version:
        held = read_yaml(path)[0].get("version", 1)
        if str(held) != version:
            raise UsageError(f"{what} '{stem}' is here in version {held}, not {version}")
    return path


def spelt(name: str, known: Collection[str]) -> str:
    """Return the name of the catalogue that differs from this one in `-` and `_` alone; a name of neither as it is.

    Names are those by which others call the same data, and these write them in both ways.

    >>> spelt("vqav2-val", ["vqav2_val", "digits"]), spelt("digit", ["digits"])
    ('vqav2_val', 'digit')
    """
    if name in known:
        return name
    alike = [each for each in known if each.replace("_", "-") == name.replace("_", "-")]
    return alike[0] if len(alike) == 1 else name


def _is_there(path: Path) -> bool:
    """Tell whether something stands at a path; reading it says what is wrong with it."""
    try:
        return path.exists()
    except OSError:
        return False  # longer than a name can be, or a link that leads to itself
