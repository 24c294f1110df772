"""Sitting: one task put to one model, under a control or none."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mmbench.harness.ask.corrupted import UNCORRUPTED, is_corruption
from mmbench.harness.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sitting stands among those of a run, in number and by items."""

    number: int = 1
    """From 1."""
    of: int = 1
    before: int = 0
    """Items of the sittings before it."""
    items: int = 0
    """Its own."""
    total: int = 0
    """Items of all."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """What a record, a problem or a line of a plan is about."""

    model: str
    """Label."""
    task: Task
    control: str | None = None
    """Under which the pictures are replaced."""
    place: Place = field(default=Place(), compare=False)
    """Where it stands in the run."""


def placed(sittings: Sequence[Sitting], items: Sequence[int]) -> list[Sitting]:
    """Return the sittings of a run, each with its place."""
    made, before = [], 0
    for number, (sitting, own) in enumerate(zip(sittings, items, strict=True), 1):
        made.append(replace(sitting, place=Place(number, len(sittings), before, own, sum(items))))
        before += own
    return made


def fails_alike(failed: Sitting, other: Sitting) -> bool:
    """Tell whether one would fail as another did: under a control as its task, corrupted as the uncorrupted."""
    if other.task is not failed.task:
        return False
    return failed.control is None or (failed.control == UNCORRUPTED and is_corruption(other.control or ""))


def under(task: str, control: str | None) -> str:
    """Return a task with the control it was asked under."""
    return f"{task} ({control})" if control else task
