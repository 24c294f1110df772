"""A suite: a named list of tasks that are run and ranked together."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mmbench.harness import registry
from mmbench.harness.task import Task
from mmbench.harness.taskfile import find_file, find_task, load_task, read_yaml, validated


class _SuiteSpec(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    version: int = Field(default=1, ge=1)
    title: str = ""
    tasks: list[str] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Suite:
    """Tasks in the order in which they are run and shown."""

    name: str
    version: int
    title: str
    tasks: tuple[Task, ...]


def find_suite(name: str) -> Suite:
    """Return the suite of a catalogue name or of a YAML path. Raises UsageError or DataError."""
    path = find_file(name, registry.SUITES, "suite")
    content, lines = read_yaml(path)
    spec = validated(_SuiteSpec, content, path, lines, _SuiteSpec.model_fields)
    return Suite(spec.name, spec.version, spec.title, tuple(_task(reference, path) for reference in spec.tasks))


def _task(reference: str, suite: Path) -> Task:
    """Paths in a suite file are relative to it."""
    if reference.endswith((".yaml", ".yml")) and (beside := suite.parent / reference).is_file():
        return load_task(beside)
    return find_task(reference)
