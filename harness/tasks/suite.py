"""Suite: a named list of tasks that are run and ranked together."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mmbench.harness import registry
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.tasks.catalogue import check_name, find_file, is_path, naming_package, spelt
from mmbench.harness.tasks.prompts import parted
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import HIGHEST_VERSION, LONGEST_NAME, load_task
from mmbench.harness.tasks.yaml_file import Lines, read_yaml, validated


class SuiteSpec(BaseModel):
    """The keys of a suite file."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=LONGEST_NAME)
    version: int = Field(default=1, ge=1, le=HIGHEST_VERSION)
    title: str = ""
    split: str | None = Field(default=None, pattern=r"^[\w.+-]+$")
    tasks: list[str] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Suite:
    """Tasks in the order in which they are run and shown."""

    name: str
    version: int
    title: str
    tasks: tuple[Task, ...]


def find_suite(name: str) -> Suite:
    """Return the suite of a catalogue name or of a YAML path; no data is opened. Raises UsageError or DataError."""
    spec, files = _read(name)
    tasks = tuple(load_task(file, spec.split, prompt) for file, prompt in files)
    return Suite(spec.name, spec.version, spec.title, tasks)


def read_suite(path: Path) -> tuple[SuiteSpec, Lines]:
    """Return what a suite file says, and the line of each key. Raises DataError."""
    content, lines = read_yaml(path)
    spec: SuiteSpec = validated(SuiteSpec, content, path, lines, SuiteSpec.model_fields)
    return spec, lines


def _read(name: str) -> tuple[SuiteSpec, list[tuple[Path, str | None]]]:
    """Return a suite and the file of each of its tasks, with the variant of its prompt."""
    offered = registry.files(registry.SUITES)
    path = find_file(name, registry.SUITES, "suite", offered)
    if is_path(name):
        spec, lines = read_suite(path)
    else:
        with naming_package("suite", path.stem, offered.package(path.stem)):
            spec, lines = read_suite(path)
            check_name(spec.name, path)
    known = registry.files(registry.TASKS)
    files = []
    for i, reference in enumerate(spec.tasks):
        # Paths in a suite file are relative to it.
        name, prompt = parted(reference, lambda stem: spelt(stem, known) in known)
        inside = name.endswith((".yaml", ".yml"))
        try:
            found = find_file(str(path.parent / name) if inside else name, registry.TASKS, "task", known)
            files.append((found, prompt))
        except UsageError as error:
            raise DataError(f"{path} line {lines.get(('tasks', i), 1)}: {error}") from error
    return spec, files
